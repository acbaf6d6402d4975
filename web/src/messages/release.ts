// The messages of the pages about releases, beside those of every page.

import { catalogue } from './catalogue';
import { release } from './release.en';

export { ago, exactly, list } from './time';

export const { t, has } = catalogue({ en: release });
