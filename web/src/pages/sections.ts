// How the template stands on the page. Which fields there are, where and how large, `document` says.

import { template } from '../wasm/accord_client';

export type SectionId = 'promise' | 'who' | 'when' | 'why' | 'how' | 'values' | 'milestones' | 'contact';

export interface TemplateField {
  key: string;
  section: SectionId | null;
  extent: 'line' | 'text';
  soft_limit: number | null;
}

interface Template {
  fields: TemplateField[];
  suggested_milestones: number;
}

export const SECTIONS: SectionId[] = [
  'promise',
  'who',
  'when',
  'why',
  'how',
  'values',
  'milestones',
  'contact',
];

/** Call once the core is loaded. */
export function readTemplate(): Template {
  return JSON.parse(template()) as Template;
}
