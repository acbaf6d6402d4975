// The interface through which a page shows marks over a text, such as who wrote it. The editor does not know what they mean.

import type { Node } from 'prosemirror-model';
import type { DecorationSet } from 'prosemirror-view';

export interface TextMarks {
  /** Returns the marks for the current text of `target`, or `undefined` while the marks describe an earlier or later text. */
  decorate(target: string, doc: Node): DecorationSet | undefined;
}
