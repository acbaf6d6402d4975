// Made from the crate `document` by `cargo xtask check`. Changes here are lost.

/** The sections of a commitment, in the order of the page. */
export const SECTIONS = [
  'promise',
  'who',
  'when',
  'why',
  'how',
  'values',
  'milestones',
  'contact',
  'notes',
] as const;

export type SectionId = (typeof SECTIONS)[number];
