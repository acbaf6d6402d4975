// Converts the editor's transactions to changes of the flat text: each ProseMirror step becomes a minimal change.

import type { Node } from 'prosemirror-model';
import type { Transaction } from 'prosemirror-state';
import {
  AddMarkStep,
  AddNodeMarkStep,
  AttrStep,
  RemoveMarkStep,
  ReplaceStep,
  type Step,
} from 'prosemirror-transform';
import { type Attributes, type Delta, DeltaBuilder } from '../text/delta';
import { flatOffsetOf } from './positions';
import { attributesOf, newlineAttributes } from './schema';

/** One unit of the flat text: a UTF-16 code unit or an embedded value, with its attributes. */
interface Unit {
  value: string | Record<string, unknown>;
  attributes: Attributes;
}

/**
 * The rest of a line behind a range: its length with the newline, and the attributes of the newline. It is `null` if
 * the range includes the end of the last line.
 */
type LineTail = { length: number; attributes: Attributes } | null;

interface ChangedRange {
  oldStart: number;
  oldEnd: number;
  newStart: number;
  newEnd: number;
}

/** Returns the changes of a transaction in order, one for each step that changes anything. */
export function deltasOf(tr: Transaction): Delta[] {
  const deltas: Delta[] = [];
  tr.steps.forEach((step, index) => {
    const before = tr.docs[index];
    const after = tr.docs[index + 1] ?? tr.doc;
    if (!before) return;
    const delta = typedDelta(before, step) ?? deltaOf(before, after, rangeOf(step));
    if (delta.length > 0) deltas.push(delta);
  });
  return deltas;
}

/**
 * Returns the change of the most common step, in which characters are typed into a line, without comparing documents.
 * Returns `null` for any other step.
 */
function typedDelta(before: Node, step: Step): Delta | null {
  if (!(step instanceof ReplaceStep) || step.from !== step.to || step.slice.size === 0) return null;
  const { content, openStart, openEnd } = step.slice;
  const { firstChild: text } = content;
  if (openStart + openEnd > 0 || content.childCount !== 1 || !text?.isText) return null;
  const $at = before.resolve(step.from);
  if ($at.depth === 0) return null;
  return new DeltaBuilder()
    .retain(flatOffsetOf($at))
    .insert(text.text ?? '', attributesOf(text.marks))
    .build();
}

function rangeOf(step: Step): ChangedRange | null {
  if (step instanceof AddMarkStep || step instanceof RemoveMarkStep) {
    return { oldStart: step.from, oldEnd: step.to, newStart: step.from, newEnd: step.to };
  }
  if (step instanceof AttrStep || step instanceof AddNodeMarkStep) {
    const end = step.pos + 1;
    return { oldStart: step.pos, oldEnd: end, newStart: step.pos, newEnd: end };
  }
  let range: ChangedRange | null = null;
  step.getMap().forEach((oldStart, oldEnd, newStart, newEnd) => {
    if (!range) range = { oldStart, oldEnd, newStart, newEnd };
    else range = { ...range, oldEnd, newEnd };
  });
  return range;
}

/**
 * Returns the change between two documents that differ only in `range`. Behind the range, the rest of the line keeps
 * its text, but the attributes of its newline can change.
 */
function deltaOf(before: Node, after: Node, range: ChangedRange | null): Delta {
  if (!range) return [];
  // Both documents are equal before the range, so the first line is at the same place in both.
  const $start = before.resolve(range.oldStart);
  const first = { index: $start.index(0), start: $start.depth > 0 ? $start.before(1) : $start.pos };
  const old = readRange(before, first, range.oldStart, range.oldEnd);
  const now = readRange(after, first, range.newStart, range.newEnd);
  let { units: removed } = old;
  let { units: added } = now;
  const { tail: oldTail } = old;
  const { tail: newTail } = now;

  // If a line break is inserted at the end of a line, the new newline goes after the old one. Text that others type at the
  // end of that line at the same time then stays on it.
  const atEnd =
    oldTail && newTail && oldTail.length === 1 && removed.length === 0 && added[0]?.value === '\n';
  if (atEnd && oldTail && newTail) {
    removed = [{ value: '\n', attributes: oldTail.attributes }];
    added = [...added, { value: '\n', attributes: newTail.attributes }];
  }

  const out = new DeltaBuilder().retain(flatOffsetOf($start));
  let start = 0;
  while (start < removed.length && start < added.length && haveSameValue(removed[start], added[start]))
    start += 1;
  let end = 0;
  while (
    end < removed.length - start &&
    end < added.length - start &&
    haveSameValue(removed[removed.length - 1 - end], added[added.length - 1 - end])
  ) {
    end += 1;
  }
  // The difference never begins or ends inside a surrogate pair, because each half alone is no character.
  const differs = start + end < Math.max(removed.length, added.length);
  if (differs && isHighSurrogate(added[start - 1])) start -= 1;
  if (differs && isLowSurrogate(added[added.length - end])) end -= 1;
  retainUnits(out, removed.slice(0, start), added.slice(0, start));
  insertUnits(out, added.slice(start, added.length - end));
  out.delete(removed.length - start - end);
  retainUnits(out, removed.slice(removed.length - end), added.slice(added.length - end));
  if (oldTail && newTail && !atEnd) {
    out.retain(oldTail.length - 1);
    out.retain(1, attributeChanges(oldTail.attributes, newTail.attributes));
  }
  return out.build();
}

/**
 * Returns as `units` the content of a range, with a newline where a line ends, and as `tail` the rest of the line behind the
 * range. `first` is the line in which the range begins: its index and the position before its node.
 */
function readRange(
  doc: Node,
  first: { index: number; start: number },
  from: number,
  to: number,
): { units: Unit[]; tail: LineTail } {
  const units: Unit[] = [];
  let { index, start } = first;
  for (let line = doc.maybeChild(index); line; line = doc.maybeChild(index)) {
    const begin = start + 1;
    const end = begin + line.content.size;
    addCharacters(line, begin, Math.max(from, begin), Math.min(to, end), units);
    const attributes = newlineAttributes(line);
    if (to <= end) return { units, tail: { length: end - Math.max(to, begin) + 1, attributes } };
    units.push({ value: '\n', attributes });
    start = end + 1;
    index += 1;
  }
  return { units, tail: null };
}

/** Adds to `units` the characters between the positions `from` and `to` of a line whose content begins at `begin`. */
function addCharacters(line: Node, begin: number, from: number, to: number, units: Unit[]): void {
  if (from >= to) return;
  line.nodesBetween(from - begin, to - begin, (node, offset) => {
    const attributes = attributesOf(node.marks);
    const start = begin + offset;
    const end = Math.min(to, start + node.nodeSize);
    for (let at = Math.max(from, start); at < end; at += 1) {
      const value = node.isText ? (node.text ?? '').charAt(at - start) : node.attrs.value;
      units.push({ value, attributes });
    }
    return false;
  });
}

const isHighSurrogate = (unit?: Unit) =>
  typeof unit?.value === 'string' && /[\uD800-\uDBFF]/.test(unit.value);
const isLowSurrogate = (unit?: Unit) => typeof unit?.value === 'string' && /[\uDC00-\uDFFF]/.test(unit.value);

function haveSameValue(a?: Unit, b?: Unit): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    (a.value === b.value || JSON.stringify(a.value) === JSON.stringify(b.value))
  );
}

function retainUnits(out: DeltaBuilder, before: Unit[], after: Unit[]): void {
  before.forEach((unit, index) => {
    out.retain(1, attributeChanges(unit.attributes, after[index]?.attributes ?? {}));
  });
}

function insertUnits(out: DeltaBuilder, added: Unit[]): void {
  let run = '';
  let runAttributes: Attributes = {};
  const flush = () => {
    out.insert(run, runAttributes);
    run = '';
  };
  for (const { value, attributes } of added) {
    if (typeof value !== 'string') {
      flush();
      out.insert(value, attributes);
      continue;
    }
    if (run && JSON.stringify(attributes) !== JSON.stringify(runAttributes)) flush();
    runAttributes = attributes;
    run += value;
  }
  flush();
}

/** Returns the attributes to set to get from `before` to `after`. Those to clear have the value `null`. */
function attributeChanges(before: Attributes, after: Attributes): Attributes {
  const out: Attributes = {};
  for (const key of Object.keys(before)) if (!(key in after)) out[key] = null;
  for (const [key, value] of Object.entries(after)) {
    if (JSON.stringify(before[key]) !== JSON.stringify(value)) out[key] = value;
  }
  return out;
}
