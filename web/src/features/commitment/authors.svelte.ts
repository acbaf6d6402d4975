// Who wrote what, on demand: asked of the server again after each save.

import type { LiveDocument } from '../../sync/live.svelte';
import type { Authorship } from '../history/authorship';

/** The pause after a save before the server is asked: the next keystroke may follow. */
const PAUSE_MS = 200;

export class Authors {
  /** Whether they are to be shown. */
  wanted = $state(false);
  authorship = $state.raw<Authorship>();

  /** Listens as long as the component lives in which it is made. */
  constructor(live: LiveDocument) {
    $effect(() => {
      if (!this.wanted) {
        this.authorship = undefined;
        return;
      }
      if (live.status.state !== 'saved') return;
      const timer = setTimeout(async () => {
        const { Authorship } = await import('../history/authorship');
        this.authorship = await Authorship.of(live.id).catch(() => undefined);
      }, PAUSE_MS);
      return () => clearTimeout(timer);
    });
  }
}
