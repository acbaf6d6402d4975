// Marks that a page wants shown over a text, such as who wrote it. The editor only asks for them.

import type { Node } from 'prosemirror-model';
import type { DecorationSet } from 'prosemirror-view';

export interface TextMarks {
  /** The marks for a text as it reads now; nothing while they don't fit it. */
  decorate(target: string, doc: Node): DecorationSet | undefined;
}
