// Decides which milestones the page shows.

import type { Milestone as ReplicaMilestone } from './module';

export interface Milestone extends ReplicaMilestone {
  /** Set if somebody else deleted the milestone, and the page shows it only because the caret is in it. */
  deleted?: true;
}

/**
 * Returns the milestones to show after a change by other people: those of the document, and the one that contains the caret,
 * even if it was deleted. If that milestone disappeared, the person's next words would be lost. Words typed in it bring it
 * back for everybody.
 */
export function milestonesToShow(
  present: Milestone[],
  shown: Milestone[],
  caretMilestone: string | undefined,
): Milestone[] {
  const at = shown.findIndex(({ id }) => id === caretMilestone);
  const held = shown[at];
  if (!held || present.some(({ id }) => id === held.id)) return present;
  return present.toSpliced(at, 0, { ...held, deleted: true });
}
