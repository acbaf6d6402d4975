// Flat offsets and ProseMirror positions.
//
// In the flat text a line of length n takes n + 1 places (its newline), in ProseMirror n + 2 (its
// opening and closing). So inside line k a position is the flat offset plus k + 1, and between
// lines, before line k, it is the offset plus k.

import type { Node, ResolvedPos } from 'prosemirror-model';

/** The length of the flat text, every newline included. */
export function flatLength(doc: Node): number {
  return doc.content.size - doc.childCount;
}

export function toFlat(doc: Node, position: number): number {
  return flatOf(doc.resolve(position));
}

export function flatOf($position: ResolvedPos): number {
  const line = $position.index(0);
  return $position.depth > 0 ? $position.pos - line - 1 : $position.pos - line;
}

export interface Place {
  /** The position inside the line. */
  position: number;
  /** The line's index. */
  line: number;
  /** Where the line's node starts. */
  start: number;
  node: Node;
}

/** The position of a flat offset; an offset past the end is the end of the last line. */
export function toPlace(doc: Node, offset: number): Place {
  let start = 0;
  for (let line = 0; ; line += 1) {
    const node = doc.child(line);
    const flatStart = start - line;
    if (offset <= flatStart + node.content.size || line === doc.childCount - 1) {
      const inLine = Math.min(offset - flatStart, node.content.size);
      return { position: start + 1 + inLine, line, start, node };
    }
    start += node.nodeSize;
  }
}
