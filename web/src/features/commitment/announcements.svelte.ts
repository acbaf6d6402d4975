// Announces to screen readers what happens around the person's own writing: other people, their changes, and the save status.

import type { LiveDocument, Peer } from '../../sync/live.svelte';
import { Announcer } from './announcer';
import { statusText } from './statusText';

export class Announcements {
  /** The sentence that screen readers read out now. */
  sentence = $state('');

  /**
   * Watches `live` and makes announcements, as long as the component that calls this exists. `otherPeople` returns
   * everybody who is connected except the person with the id `person`, and `nameOfText` the name of a text.
   */
  constructor(
    live: LiveDocument,
    person: string,
    otherPeople: () => Peer['user'][],
    nameOfText: (target: string) => string,
  ) {
    const announcer = new Announcer((sentence) => {
      this.sentence = sentence;
    });
    $effect(() => announcer.announcePresence(new Map(otherPeople().map((user) => [user.person, user.name]))));
    $effect(() => {
      live.onremotechange = (target) => {
        const there = live.peers.filter((peer) => peer.cursor?.[0] === target);
        // If a caret of the page's own person is in that text, the change came from another tab of theirs, and is not announced.
        if (there.some((peer) => peer.user.person === person)) return;
        announcer.announceChange(
          nameOfText(target),
          there.map((peer) => peer.user.name),
        );
      };
      return () => {
        live.onremotechange = undefined;
        announcer.stop();
      };
    });
    // The save status is announced only when it changes between saved and unsaved, not at each keystroke.
    let safe = true;
    $effect(() => {
      const { state } = live.status;
      if (state === 'saving' || state === 'opening' || (state === 'saved') === safe) return;
      safe = state === 'saved';
      announcer.announceSoon(statusText(live.status, live.deviceFailed));
    });
  }
}
