// The messages of the history page, together with those that every page uses.

import { createCatalogue } from './catalogue';
import { history } from './history.en';

export { formatDateTime, formatRelativeTime, listFormat } from './time';

export const { t, hasMessage } = createCatalogue({ en: history });

const pluralRules = new Intl.PluralRules('en');

/** Returns the message for a count: `key.one`, `key.other`, or only the number if there is no such message. */
export function countText(key: string, count: number): string {
  const wanted = `${key}.${pluralRules.select(count)}`;
  return hasMessage(wanted) ? t(wanted, { count: count.toLocaleString() }) : String(count);
}
