// The messages of the pages for accounts, people, the audit record and administration, together with those that every page
// uses.

import { createCatalogue } from './catalogue';
import { management } from './management.en';

export { formatDateTime, formatRelativeTime } from './time';

export const { t, hasMessage } = createCatalogue({ en: management });
