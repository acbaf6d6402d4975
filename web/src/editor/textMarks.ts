// The interface through which a page lays decorations over a text, such as who wrote it. The editor does not know what they
// mean. (The marks of ProseMirror, such as bold, are in `schema.ts`.)

import type { Node } from 'prosemirror-model';
import type { DecorationSet } from 'prosemirror-view';

export interface TextMarks {
  /** Returns the marks for the current text of `target`, or `undefined` while the marks describe an earlier or later text. */
  decorate(target: string, doc: Node): DecorationSet | undefined;
}
