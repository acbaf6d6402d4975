// What happens around one's own writing, in sentences for screen readers.

import type { LiveDocument, Peer } from '../../sync/live.svelte';
import { Announcer } from './announcer';
import { statusText } from './statusText';

export class Announcements {
  /** The sentence to read out now. */
  sentence = $state('');

  /**
   * Listens as long as the component lives in which it is made. `others`: everybody else who is here; `nameOf`: what
   * a text is called.
   */
  constructor(
    live: LiveDocument,
    person: string,
    others: () => Peer['user'][],
    nameOf: (target: string) => string,
  ) {
    const announcer = new Announcer((sentence) => {
      this.sentence = sentence;
    });
    $effect(() => announcer.present(new Map(others().map((user) => [user.person, user.name]))));
    $effect(() => {
      live.onOthers = (target) => {
        const there = live.peers.filter((peer) => peer.cursor?.[0] === target);
        // One's own other tab.
        if (there.some((peer) => peer.user.person === person)) return;
        announcer.change(
          nameOf(target),
          there.map((peer) => peer.user.name),
        );
      };
      return () => {
        live.onOthers = undefined;
        announcer.stop();
      };
    });
    // Whether one's words are safe is worth saying when it changes, not at each keystroke.
    let safe = true;
    $effect(() => {
      const { state } = live.status;
      if (state === 'saving' || state === 'opening' || (state === 'saved') === safe) return;
      safe = state === 'saved';
      announcer.soon(statusText(live.status, live.deviceFailed));
    });
  }
}
