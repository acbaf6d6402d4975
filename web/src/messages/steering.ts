// The messages of the pages for accounts, people, the audit record and administration, beside those of every page.

import { catalogue } from './catalogue';
import { steering } from './steering.en';

export { ago, exactly } from './time';

export const { t, has } = catalogue({ en: steering });
