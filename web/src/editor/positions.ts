// Converts between offsets in the flat text (one run of characters, each line ending in a newline) and ProseMirror
// positions.
//
// A line of length n takes n + 1 places in the flat text, with its newline, and n + 2 in ProseMirror, with the
// opening and closing of its node. Lines count from 0. So a position inside line k is the flat offset plus k + 1,
// and a position between lines, before line k, is the flat offset plus k.

import type { Node, ResolvedPos } from 'prosemirror-model';

/** Returns the length of the flat text in UTF-16 code units, with every newline. */
export function flatLength(doc: Node): number {
  return doc.content.size - doc.childCount;
}

export function toFlatOffset(doc: Node, position: number): number {
  return flatOffsetOf(doc.resolve(position));
}

export function flatOffsetOf($position: ResolvedPos): number {
  const line = $position.index(0);
  return $position.depth > 0 ? $position.pos - line - 1 : $position.pos - line;
}

export interface Place {
  /** The ProseMirror position, which is inside the line. */
  position: number;
  /** The index of the line, from 0. */
  line: number;
  /** The ProseMirror position before the line's node. */
  start: number;
  node: Node;
}

/** Returns the place of a flat offset. An offset past the end gives the end of the last line. */
export function findPlace(doc: Node, offset: number): Place {
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
