// The fields of the template, with their section and size. The crate `document` defines them.

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

/** The WebAssembly module must have been loaded before. */
export function readTemplate(): Template {
  return JSON.parse(template()) as Template;
}
