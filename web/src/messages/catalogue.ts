// Catalogues of messages: which language is spoken, and saying a message with its values.

import { en, type MessageKey } from './en';

export type { MessageKey };
export type Values = Record<string, string | number>;

const common = { en };

/** The first of the reader's languages that the app speaks. */
export const language =
  navigator.languages.map((tag) => tag.split('-')[0] ?? '').find((tag) => tag in common) ?? 'en';

/** A message with its values in place of `{name}`. */
export function fill(message: string, values: Values): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/**
 * The messages that every page uses, and `extra` ones that are loaded with some pages only. Where the reader's
 * language lacks the extra ones, they come in English.
 */
export function catalogue<Extra extends string = never>(
  extra?: { en: Record<Extra, string> } & Record<string, Record<Extra, string>>,
) {
  type Key = MessageKey | Extra;
  const messages = { ...(common as Record<string, object>)[language], ...(extra?.[language] ?? extra?.en) };
  const all = messages as Record<Key, string>;
  return {
    /** A message in the reader's language. */
    t: (key: Key, values: Values = {}): string => fill(all[key], values),
    /** Whether there is such a message. */
    has: (key: string): key is Key => key in all,
  };
}

/** The messages of every page. */
export const { t, has } = catalogue();
