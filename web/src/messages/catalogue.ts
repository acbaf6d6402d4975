// Chooses the reader's language, and makes the catalogues of messages in that language.

import { en, type MessageKey } from './en';

export type { MessageKey };
export type Values = Record<string, string | number>;

const common = { en };

/** The first of the reader's languages in which the app has messages, or English. */
export const language =
  navigator.languages.map((tag) => tag.split('-')[0] ?? '').find((tag) => tag in common) ?? 'en';

/** Returns a message with each `{name}` replaced by its value. */
export function fill(message: string, values: Values): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/**
 * Makes a catalogue of the messages that every page uses, and of `extra` messages that only some pages load. Extra messages
 * are in English if they do not exist in the reader's language.
 */
export function catalogue<Extra extends string = never>(
  extra?: { en: Record<Extra, string> } & Record<string, Record<Extra, string>>,
) {
  type Key = MessageKey | Extra;
  const messages = { ...(common as Record<string, object>)[language], ...(extra?.[language] ?? extra?.en) };
  const all = messages as Record<Key, string>;
  return {
    /** Returns a message in the reader's language, with its values. */
    t: (key: Key, values: Values = {}): string => fill(all[key], values),
    /** Returns whether a message with this key exists. */
    has: (key: string): key is Key => key in all,
  };
}

/** The functions `t` and `has` for the messages that every page uses. */
export const { t, has } = catalogue();
