// While the page shows who wrote what, fetches the authors of all text, and fetches them again after each save.

import type { LiveDocument } from '../../sync/live.svelte';
import type { Authorship } from '../history/authorship';

/** Time between a save and the request for the authors, in milliseconds. A keystroke in that time cancels the request. */
const FETCH_DELAY_MS = 200;

export class AuthorshipFetcher {
  /** Whether the page shows who wrote what, and therefore needs `authorship`. */
  isWanted = $state(false);
  authorship = $state.raw<Authorship>();

  /** Fetches the authors after each save of `live`, as long as the component that calls this exists. */
  constructor(live: LiveDocument) {
    $effect(() => {
      if (!this.isWanted) {
        this.authorship = undefined;
        return;
      }
      if (live.status.state !== 'saved') return;
      const timer = setTimeout(async () => {
        const { Authorship } = await import('../history/authorship');
        this.authorship = await Authorship.fetch(live.id).catch(() => undefined);
      }, FETCH_DELAY_MS);
      return () => clearTimeout(timer);
    });
  }
}
