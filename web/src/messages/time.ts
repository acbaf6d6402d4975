// Formats dates and times in the reader's own language and time zone.

import { readerLanguage, t } from './catalogue';

const relativeFormat = new Intl.RelativeTimeFormat(readerLanguage, { numeric: 'auto' });
const dateTimeFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'short' });
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000_000],
  ['month', 2_592_000_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** Returns the distance of a time from now, such as "2 hours ago", or "just now" within a minute. */
export function formatRelativeTime(time: number): string {
  const distance = time - Date.now();
  for (const [unit, length] of UNITS) {
    if (Math.abs(distance) >= length) return relativeFormat.format(Math.round(distance / length), unit);
  }
  return t('time.justNow');
}

/** A cache of formatted minutes, because a long history shows the same minutes many times. */
const formattedMinutes = new Map<number, string>();
const MAX_FORMATTED_MINUTES = 10_000;

/** Returns the date and time of day, to the minute, in the reader's time zone. */
export function formatDateTime(time: number): string {
  const minute = Math.floor(time / 60_000);
  const known = formattedMinutes.get(minute);
  if (known !== undefined) return known;
  if (formattedMinutes.size > MAX_FORMATTED_MINUTES) formattedMinutes.clear();
  const formatted = dateTimeFormat.format(time);
  formattedMinutes.set(minute, formatted);
  return formatted;
}

/** Joins names for a sentence, such as "Ana, Ben, and Fay". */
export const listFormat = new Intl.ListFormat(readerLanguage, { type: 'conjunction' });
