// The save status: whether the person's edits are on the server, on their way, or only on this device.

import type { ClientStatus } from './module';

export type SaveStatus =
  | { state: 'opening' }
  | { state: 'saved' }
  | { state: 'saving' }
  | { state: 'offline'; unsaved: boolean; reason: string | null }
  | { state: 'denied'; code: number; reason: string };

export function statusOf({ link, unsaved }: Pick<ClientStatus, 'link' | 'unsaved'>): SaveStatus {
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

/** Time that some statuses must last before the page shows them, in milliseconds: see `StatusDebouncer.show`. */
export const DEBOUNCE_MS = 600;

/** A filter that keeps the shown status from flickering, because nobody can read a status that flickers. */
export class StatusDebouncer {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly set: (status: SaveStatus) => void) {}

  /**
   * Replaces the shown status `now` by `next`, immediately or after `DEBOUNCE_MS`. The page keeps showing “Saving” between
   * two keystrokes, and does not show “Saving” for the handshake alone. It never shows “Saved” early.
   */
  show(now: SaveStatus, next: SaveStatus): void {
    this.stop();
    const step = `${now.state} ${next.state}`;
    if (step === 'saving saved' || step === 'opening saving') {
      this.timer = setTimeout(() => this.set(next), DEBOUNCE_MS);
    } else if (JSON.stringify(next) !== JSON.stringify(now)) this.set(next);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
