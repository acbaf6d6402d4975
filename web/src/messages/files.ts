// The messages about imported and downloaded files, together with those that every page uses.

import { createCatalogue } from './catalogue';
import { files } from './files.en';

export { formatDateTime, listFormat } from './time';

export const { t } = createCatalogue({ en: files });
