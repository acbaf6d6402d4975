// The messages about imported and downloaded files, beside those of every page.

import { catalogue } from './catalogue';
import { files } from './files.en';

export { exactly, list } from './time';

export const { t } = catalogue({ en: files });
