// Formats the times of launches, with the time zone that they are in.

/** Returns the name of this device's time zone in the IANA database. */
export const ownTimeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/**
 * Returns the day and time in a zone; `full` includes the weekday. If this browser does not know the zone, the result is in UTC
 * and says so.
 */
export function formatTimeInZone(time: number, zone: string, dateStyle: 'full' | 'long' = 'full'): string {
  const options = { dateStyle, timeStyle: 'short' } as const;
  try {
    return new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone }).format(time);
  } catch {
    return `${new Intl.DateTimeFormat(undefined, { ...options, timeZone: 'UTC' }).format(time)} UTC`;
  }
}

/** Returns the value of a `datetime-local` field for a time, in the zone of this device, to the minute. */
export function toLocalInput(time: number): string {
  const at = new Date(time);
  return new Date(time - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
