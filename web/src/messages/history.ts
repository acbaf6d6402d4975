// The messages of the history page, beside those of every page.

import { catalogue } from './catalogue';
import { history } from './history.en';

export { ago, exactly, list } from './time';

export const { t, has } = catalogue({ en: history });

const plural = new Intl.PluralRules('en');

/** A message that depends on how many there are: `key.one`, `key.other`. */
export function counted(key: string, count: number): string {
  const wanted = `${key}.${plural.select(count)}`;
  return has(wanted) ? t(wanted, { count: count.toLocaleString() }) : String(count);
}
