// The messages of the history page, beside all others.

import { history } from './history.en';
import { choose, fill, has as hasMessage, type MessageKey, t as tell } from './index';

export { ago, exactly, list } from './index';

type HistoryKey = keyof typeof history;
const messages = choose<Record<HistoryKey, string>>({ en: history });
const plural = new Intl.PluralRules('en');

const isHistory = (key: string): key is HistoryKey => key in messages;

export function t(key: MessageKey | HistoryKey, values: Record<string, string | number> = {}): string {
  return isHistory(key) ? fill(messages[key], values) : tell(key, values);
}

/** Whether there is such a message. */
export function has(key: string): key is MessageKey | HistoryKey {
  return isHistory(key) || hasMessage(key);
}

/** A message that depends on how many there are: `key.one`, `key.other`. */
export function counted(key: string, count: number): string {
  const wanted = `${key}.${plural.select(count)}`;
  return has(wanted) ? t(wanted, { count: count.toLocaleString() }) : String(count);
}
