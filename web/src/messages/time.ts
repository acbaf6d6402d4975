// Formats dates and times in the reader's own language and time zone.

import { language, t } from './catalogue';

const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'short' });
const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000_000],
  ['month', 2_592_000_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** Returns the distance of a time from now, such as "2 hours ago", or "just now" within a minute. */
export function ago(time: number): string {
  const past = time - Date.now();
  for (const [unit, length] of units) {
    if (Math.abs(past) >= length) return relative.format(Math.round(past / length), unit);
  }
  return t('time.justNow');
}

/** A cache of formatted minutes, because a long history shows the same minutes many times. */
const minutes = new Map<number, string>();
const MAX_MINUTES = 10_000;

/** Returns the date and time of day, to the minute, in the reader's time zone. */
export function exactly(time: number): string {
  const minute = Math.floor(time / 60_000);
  const known = minutes.get(minute);
  if (known !== undefined) return known;
  if (minutes.size > MAX_MINUTES) minutes.clear();
  const written = exact.format(time);
  minutes.set(minute, written);
  return written;
}

/** Joins names for a sentence, such as "Ana, Ben, and Fay". */
export const list = new Intl.ListFormat(language, { type: 'conjunction' });
