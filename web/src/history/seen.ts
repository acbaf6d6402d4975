// What of a commitment's history somebody has looked at, on this device.

export class Seen {
  /** The entry they had seen when this page was opened; nothing if they never looked. */
  readonly last: number | undefined;
  private readonly key: string;

  constructor(document: string, person: string) {
    this.key = `accord.seen.${person}.${document}`;
    this.last = Number(localStorage.getItem(this.key)) || undefined;
  }

  note(seq: number): void {
    localStorage.setItem(this.key, String(seq));
  }
}
