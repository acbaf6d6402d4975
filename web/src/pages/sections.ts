// How the template's fields stand on the page.

export interface FieldOnPage {
  key: string;
  single?: boolean;
  softLimit?: number;
}

export interface Section {
  id: 'promise' | 'who' | 'when' | 'why' | 'how' | 'values' | 'milestones' | 'contact';
  fields: FieldOnPage[];
}

const LONG = 3000;
const text = (key: string, softLimit = LONG): FieldOnPage => ({ key, softLimit });
const line = (key: string): FieldOnPage => ({ key, single: true });

/** The title stands above all sections. */
export const TITLE: FieldOnPage = { key: 'title', single: true, softLimit: 150 };

export const SECTIONS: Section[] = [
  { id: 'promise', fields: [text('brief', 500)] },
  {
    id: 'who',
    fields: [
      line('lead'),
      text('supporting_government'),
      text('supporting_civil_society'),
      text('supporting_other'),
    ],
  },
  { id: 'when', fields: [] },
  { id: 'why', fields: [text('problem'), text('causes'), text('done_so_far')] },
  { id: 'how', fields: [text('solution'), text('results')] },
  { id: 'values', fields: [text('transparency'), text('participation'), text('accountability')] },
  { id: 'milestones', fields: [] },
  {
    id: 'contact',
    fields: [
      line('contact_person'),
      line('contact_title'),
      line('contact_department'),
      line('contact_email'),
    ],
  },
];
