// Finds the words of a parked text that the current text lacks. Their author can then add these words to the current
// text.

import { diffWordsWithSpace } from 'diff';
import type { Delta } from '../../text/delta';

/** A run of words that the current text lacks, and the offset (UTF-16) at which it would be inserted. */
export interface MissingWords {
  at: number;
  text: string;
}

/** Returns the characters of a text, with U+FFFC in place of each embedded value. */
export const charactersOf = (delta: unknown): string =>
  Array.isArray(delta)
    ? (delta as Delta)
        .map((op) => ('insert' in op ? (typeof op.insert === 'string' ? op.insert : '\ufffc') : ''))
        .join('')
    : '';

/** Returns the runs of words of `parked` that `current` lacks. */
export function findMissingWords(current: string, parked: string): MissingWords[] {
  const missing: MissingWords[] = [];
  let at = 0;
  for (const { added, removed, value } of diffWordsWithSpace(current, parked)) {
    if (added && value.trim() !== '') missing.push({ at, text: value.replaceAll('\ufffc', '') });
    if (!added || removed) at += value.length;
  }
  return missing;
}

/** Returns the change that inserts all pieces. */
export function insertionOf(pieces: MissingWords[]): Delta {
  const delta: Delta = [];
  let insertedUpTo = 0;
  for (const { at, text } of pieces) {
    if (at > insertedUpTo) delta.push({ retain: at - insertedUpTo });
    delta.push({ insert: text });
    insertedUpTo = at;
  }
  return delta;
}
