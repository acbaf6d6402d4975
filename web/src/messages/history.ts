// The messages of the history page, together with those that every page uses.

import { createCatalogue, readerLanguage } from './catalogue';
import { history } from './history.en';

export { formatDateTime, formatRelativeTime, listFormat } from './time';

export const catalogues = { en: history };

export const { t, hasMessage } = createCatalogue(catalogues);

/**
 * The messages with a count. Each catalogue has one message for each plural category of its language, such as `one`, `few` or
 * `other`, with a key that ends in the category.
 */
export const COUNTED = ['history.count', 'sitting.chars'] as const;

const pluralRules = new Intl.PluralRules(readerLanguage in catalogues ? readerLanguage : 'en');

/** Returns the message for a count, in the plural category that the count has in the language of the catalogue. */
export function countText(key: (typeof COUNTED)[number], count: number): string {
  const wanted = `${key}.${pluralRules.select(count)}`;
  return t(hasMessage(wanted) ? wanted : `${key}.other`, { count: count.toLocaleString() });
}
