// The messages of the pages about releases, together with those that every page uses.

import { catalogue } from './catalogue';
import { release } from './release.en';

export { formatDateTime, formatRelativeTime, listFormat } from './time';

export const { t, has } = catalogue({ en: release });
