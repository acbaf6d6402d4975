// What was set aside and the text lacks: found by words, so that its author can put it where it belongs.

import { diffWordsWithSpace } from 'diff';
import type { Delta } from '../../text/delta';

/** A run of words, and its offset in the current text (UTF-16). */
export interface Lacking {
  at: number;
  text: string;
}

/** The characters of a text; a value between them takes one place. */
export const plain = (delta: unknown): string =>
  Array.isArray(delta)
    ? (delta as Delta)
        .map((op) => ('insert' in op ? (typeof op.insert === 'string' ? op.insert : '\ufffc') : ''))
        .join('')
    : '';

/** The words of `parked` that `here` lacks. */
export function lacking(here: string, parked: string): Lacking[] {
  const all: Lacking[] = [];
  let at = 0;
  for (const { added, removed, value } of diffWordsWithSpace(here, parked)) {
    if (added && value.trim() !== '') all.push({ at, text: value.replaceAll('\ufffc', '') });
    if (!added || removed) at += value.length;
  }
  return all;
}

/** The change that adds all of it. */
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
