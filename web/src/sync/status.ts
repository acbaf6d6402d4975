// The save status: whether the person's edits are on the server, on their way, or only on this device.

import type { ClientStatus } from './module';

export type Status =
  | { state: 'opening' }
  | { state: 'saved' }
  | { state: 'saving' }
  | { state: 'offline'; unsaved: boolean; reason: string | null }
  | { state: 'denied'; code: number; reason: string };

export function statusOf({ link, unsaved }: Pick<ClientStatus, 'link' | 'unsaved'>): Status {
  switch (link.link) {
    case 'live':
      return unsaved ? { state: 'saving' } : { state: 'saved' };
    case 'syncing':
      return unsaved ? { state: 'saving' } : { state: 'opening' };
    case 'offline':
      return { state: 'offline', unsaved, reason: link.reason ?? null };
    case 'denied':
      return { state: 'denied', code: link.code, reason: link.reason };
  }
}

/** Time that a status must last before the page shows it, in milliseconds, if the page would otherwise flicker. */
export const CALM_MS = 600;

/** A filter that keeps the shown status from flickering, because nobody can read a status that flickers. */
export class CalmStatus {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly set: (status: Status) => void) {}

  /**
   * Replaces the shown status `now` by `next`, immediately or after `CALM_MS`. The page keeps showing “Saving” between two
   * keystrokes, and does not show “Saving” for the handshake alone. It never shows “Saved” early.
   */
  show(now: Status, next: Status): void {
    this.stop();
    const step = `${now.state} ${next.state}`;
    if (step === 'saving saved' || step === 'opening saving') {
      this.timer = setTimeout(() => this.set(next), CALM_MS);
    } else if (JSON.stringify(next) !== JSON.stringify(now)) this.set(next);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
