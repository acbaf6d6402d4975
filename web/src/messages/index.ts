// The message catalogue: `t` says a message, dates and times come in the reader's own language
// and zone.

import { en, type MessageKey } from './en';

export type { MessageKey };

const catalogues = { en };

/** The first of the reader's languages that the app speaks. */
const language =
  navigator.languages.map((tag) => tag.split('-')[0] ?? '').find((tag) => tag in catalogues) ?? 'en';

/** The catalogue of that language; English where it lacks one. */
export function choose<Messages>(all: { en: Messages } & Record<string, Messages>): Messages {
  return all[language] ?? all.en;
}

/** A message with its values in place. */
export function fill(message: string, values: Record<string, string | number>): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

const messages = choose<Record<MessageKey, string>>(catalogues);

export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  return fill(messages[key], values);
}

/** Whether there is such a message. */
export function has(key: string): key is MessageKey {
  return key in messages;
}

const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'short' });
const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000_000],
  ['month', 2_592_000_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** "2 hours ago". */
export function ago(time: number): string {
  const past = time - Date.now();
  for (const [unit, length] of units) {
    if (Math.abs(past) >= length) return relative.format(Math.round(past / length), unit);
  }
  return relative.format(0, 'minute');
}

/** The minutes that were written out lately: a long history names the same ones over and over. */
const minutes = new Map<number, string>();

/** The exact time, to the minute, in the reader's zone. */
export function exactly(time: number): string {
  const minute = Math.floor(time / 60_000);
  const known = minutes.get(minute);
  if (known !== undefined) return known;
  if (minutes.size > 10_000) minutes.clear();
  const told = exact.format(time);
  minutes.set(minute, told);
  return told;
}

export const list = new Intl.ListFormat(language, { type: 'conjunction' });
