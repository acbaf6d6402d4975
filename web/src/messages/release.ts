// The messages of the pages about releases, together with those that every page uses.

import { createCatalogue } from './catalogue';
import { release } from './release.en';

export { formatDateTime, formatRelativeTime, listFormat } from './time';

export const { t, hasMessage } = createCatalogue({ en: release });
