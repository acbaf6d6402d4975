// Chooses the reader's language, and makes the catalogues of messages in that language.

import { en, type MessageKey } from './en';

export type { MessageKey };
export type MessageValues = Record<string, string | number>;

const commonMessages = { en };

/** The first of the reader's languages in which the app has messages, or English. */
export const readerLanguage =
  navigator.languages.map((tag) => tag.split('-')[0] ?? '').find((tag) => tag in commonMessages) ?? 'en';

/** Returns a message with each `{name}` replaced by its value. */
export function fillPlaceholders(message: string, values: MessageValues): string {
  return message.replace(/\{(\w+)\}/g, (placeholder, name: string) => String(values[name] ?? placeholder));
}

/**
 * Makes a catalogue of the messages that every page uses, and of `extra` messages that only some pages load. Extra messages
 * are in English if they do not exist in the reader's language.
 */
export function createCatalogue<Extra extends string = never>(
  extra?: { en: Record<Extra, string> } & Record<string, Record<Extra, string>>,
) {
  type Key = MessageKey | Extra;
  const messages = {
    ...(commonMessages as Record<string, object>)[readerLanguage],
    ...(extra?.[readerLanguage] ?? extra?.en),
  };
  const all = messages as Record<Key, string>;
  return {
    /** Returns a message in the reader's language, with its values. */
    t: (key: Key, values: MessageValues = {}): string => fillPlaceholders(all[key], values),
    /** Returns whether a message with this key exists. */
    hasMessage: (key: string): key is Key => key in all,
  };
}

/** The functions `t` and `hasMessage` for the messages that every page uses. */
export const { t, hasMessage } = createCatalogue();
