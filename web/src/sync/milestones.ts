// Which milestones the page shows.

import type { Milestone as Present } from './module';

export interface Milestone extends Present {
  /** Whether somebody else deleted it, and it is shown only because the caret is in it. */
  deleted?: true;
}

/**
 * The milestones to show after a change of others: those of the document, and the one with the caret in it even if
 * it was deleted, where it was. Else what is typed next would go nowhere; typed there, it shows the milestone again,
 * for everybody.
 */
export function withHeld(present: Milestone[], shown: Milestone[], caretIn: string | undefined): Milestone[] {
  const at = shown.findIndex(({ id }) => id === caretIn);
  const held = shown[at];
  if (!held || present.some(({ id }) => id === held.id)) return present;
  return present.toSpliced(at, 0, { ...held, deleted: true });
}
