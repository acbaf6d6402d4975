// The fields of the template, with their sections and sizes, which the crate `document` defines.

import type { SectionId } from '../../generated/sections';
import { template } from '../../wasm/accord_client';

export { SECTIONS, type SectionId } from '../../generated/sections';

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

/** Reads the template from the WebAssembly module, which must be loaded. */
export function readTemplate(): Template {
  return JSON.parse(template()) as Template;
}
