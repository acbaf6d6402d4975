// Whether what one writes is on the server, on its way, or only here.

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

/** How long a status must last before it replaces one between which and itself the page would flicker. */
export const CALM_MS = 600;

/** Shows statuses calmly: nobody can read a status that flickers. */
export class CalmStatus {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly set: (status: Status) => void) {}

  /**
   * Between two keystrokes the page keeps saying “Saving”, and on opening it does not say so for the handshake
   * alone. It never says “Saved” early.
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
