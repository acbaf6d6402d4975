// Made from the crate `document` by `cargo xtask check`. Changes here are lost.

/** The section of each text field. The title is above all sections. */
export const SECTION_OF: Record<string, string> = {
  title: 'title',
  brief: 'promise',
  lead: 'who',
  supporting_government: 'who',
  supporting_civil_society: 'who',
  supporting_other: 'who',
  problem: 'why',
  causes: 'why',
  done_so_far: 'why',
  solution: 'how',
  results: 'how',
  transparency: 'values',
  participation: 'values',
  accountability: 'values',
  contact_person: 'contact',
  contact_title: 'contact',
  contact_department: 'contact',
  contact_email: 'contact',
  notes: 'notes',
};
