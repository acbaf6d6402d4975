// Finds the words of a parked text that the current text lacks, so that their author can add them to it.

import { diffWordsWithSpace } from 'diff';
import type { Delta } from '../../text/delta';

/** A run of words that the current text lacks, and the offset (UTF-16) at which it would be inserted. */
export interface Lacking {
  at: number;
  text: string;
}

/** Returns the characters of a text, with U+FFFC in place of each embedded value. */
export const plain = (delta: unknown): string =>
  Array.isArray(delta)
    ? (delta as Delta)
        .map((op) => ('insert' in op ? (typeof op.insert === 'string' ? op.insert : '\ufffc') : ''))
        .join('')
    : '';

/** Returns the runs of words of `parked` that `here` lacks. */
export function lacking(here: string, parked: string): Lacking[] {
  const all: Lacking[] = [];
  let at = 0;
  for (const { added, removed, value } of diffWordsWithSpace(here, parked)) {
    if (added && value.trim() !== '') all.push({ at, text: value.replaceAll('\ufffc', '') });
    if (!added || removed) at += value.length;
  }
  return all;
}

/** Returns the change that inserts all pieces. */
export function insertionOf(pieces: Lacking[]): Delta {
  const delta: Delta = [];
  let done = 0;
  for (const { at, text } of pieces) {
    if (at > done) delta.push({ retain: at - done });
    delta.push({ insert: text });
    done = at;
  }
  return delta;
}
