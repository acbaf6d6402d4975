// Moments as people plan by them: with the zone in which they are said.

/** The time zone of this device (IANA). */
export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A day, with its weekday unless it is `long`, and a time in a zone. A zone that this browser does not know is read as UTC, and says so. */
export function momentIn(time: number, zone: string, dateStyle: 'full' | 'long' = 'full'): string {
  const options = { dateStyle, timeStyle: 'short' } as const;
  try {
    return new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone }).format(time);
  } catch {
    return `${new Intl.DateTimeFormat(undefined, { ...options, timeZone: 'UTC' }).format(time)} UTC`;
  }
}

/** A moment as a field of date and time takes it, in the zone of this device: to the minute. */
export function localInput(time: number): string {
  const at = new Date(time);
  return new Date(time - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
