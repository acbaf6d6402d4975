// Converts the flat text for the editor: a whole text into a document, a change into minimal ProseMirror steps.

import { Fragment, type Node } from 'prosemirror-model';
import type { Transaction } from 'prosemirror-state';
import type { Attributes, Delta, Op } from '../text/delta';
import { findPlace, flatLength } from './positions';
import { attributesOf, lineAttributes, marksOf, newlineAttributes, schema } from './schema';

/** Returns the ProseMirror document that shows a text. */
export function docFromDelta(text: Delta): Node {
  const lines: Node[] = [];
  let inline: Node[] = [];
  const end = (attributes?: Attributes) => {
    lines.push(schema.node('line', lineAttributes(attributes), Fragment.from(inline)));
    inline = [];
  };
  for (const op of text) {
    if (!('insert' in op)) continue;
    if (typeof op.insert !== 'string') {
      inline.push(schema.node('opaque', { value: op.insert }, undefined, marksOf(op.attributes)));
      continue;
    }
    op.insert.split('\n').forEach((part, index) => {
      if (index > 0) end(op.attributes);
      if (part) inline.push(schema.text(part, marksOf(op.attributes)));
    });
  }
  if (inline.length > 0 || lines.length === 0) end();
  return schema.node('doc', null, lines);
}

/** The text that an editor shows. */
export interface TextSource {
  read(): Delta;
  /** Whether the text ends with a newline of its own. If not, the editor shows one that the text lacks. */
  hasLastNewline(): boolean;
}

/** An adapter that applies the changes of a text to the document of its editor. */
export class TextFollower {
  private hasLastNewline: boolean;

  constructor(private readonly source: TextSource) {
    this.hasLastNewline = source.hasLastNewline();
  }

  /**
   * Adds a change of the text to `tr`. Returns `true` if `tr` shows the current text of `source` instead of only this change.
   * That text already contains all later changes, so they must not be applied again.
   */
  follow(tr: Transaction, delta: Delta): boolean {
    // If the text lacks its last newline, or the change adds or removes that newline, offsets of the text do not
    // match those of the editor. Then the whole texts are compared.
    if (this.hasLastNewline && applyDelta(tr, delta)) return false;
    replaceDifference(tr, this.source.read());
    this.hasLastNewline = this.source.hasLastNewline();
    return true;
  }

  /**
   * Returns the change that adds the last newline to the text, or `null` if the text has one. It must be written
   * before the person's own change to `doc`, the editor's document.
   */
  missingNewline(doc: Node): Delta | null {
    return this.hasLastNewline ? null : [{ retain: flatLength(doc) - 1 }, { insert: '\n' }];
  }

  /** Notes whether the text now ends with a newline of its own. Must be called after each change that the editor writes to it. */
  noteEdit(): void {
    if (!this.hasLastNewline) this.hasLastNewline = this.source.hasLastNewline();
  }
}

/** Adds a change of the flat text to `tr`. Returns `false`, with `tr` incomplete, if the change touches the last newline. */
function applyDelta(tr: Transaction, delta: Delta): boolean {
  let offset = 0;
  for (const op of delta) {
    if ('insert' in op) {
      if (offset >= flatLength(tr.doc)) return false;
      offset += insert(tr, offset, op);
    } else if ('retain' in op) {
      if (op.attributes) {
        if (offset + op.retain > flatLength(tr.doc)) return false;
        format(tr, offset, op.retain, op.attributes);
      }
      offset += op.retain;
    } else {
      if (offset + op.delete >= flatLength(tr.doc)) return false;
      remove(tr, offset, op.delete);
    }
  }
  return true;
}

/** Makes the editor show `text`, replacing only the part from the first difference to the last. */
function replaceDifference(tr: Transaction, text: Delta): void {
  const wanted = docFromDelta(text);
  const start = tr.doc.content.findDiffStart(wanted.content);
  if (start === null) return;
  const end = tr.doc.content.findDiffEnd(wanted.content);
  if (!end) return;
  // The equal parts before and after the difference can overlap. Then both ends move right by the overlap.
  const overlap = Math.max(0, start - Math.min(end.a, end.b));
  tr.replace(start, end.a + overlap, wanted.slice(start, end.b + overlap));
}

function insert(tr: Transaction, at: number, op: Extract<Op, { insert: unknown }>): number {
  if (typeof op.insert !== 'string') {
    tr.insert(
      findPlace(tr.doc, at).position,
      schema.node('opaque', { value: op.insert }, undefined, marksOf(op.attributes)),
    );
    return 1;
  }
  let offset = at;
  op.insert.split('\n').forEach((part, index) => {
    if (index > 0) {
      insertNewline(tr, offset, op.attributes);
      offset += 1;
    }
    if (part) {
      tr.insert(findPlace(tr.doc, offset).position, schema.text(part, marksOf(op.attributes)));
      offset += part.length;
    }
  });
  return op.insert.length;
}

/** Inserts a newline. The text before it becomes a line with the newline's attributes. */
function insertNewline(tr: Transaction, offset: number, attributes?: Attributes): void {
  const { position, start, node } = findPlace(tr.doc, offset);
  tr.split(position, 1, [{ type: node.type, attrs: node.attrs }]);
  setLineAttributes(tr, start, lineAttributes(attributes) as unknown as Attributes);
}

function remove(tr: Transaction, offset: number, count: number): void {
  const from = findPlace(tr.doc, offset);
  const to = findPlace(tr.doc, offset + count);
  tr.delete(from.position, to.position);
  // Joined lines end with the newline of the last of them, and take the attributes of that newline.
  if (from.line !== to.line) setLineAttributes(tr, from.start, to.node.attrs);
}

function format(tr: Transaction, offset: number, count: number, attributes: Attributes): void {
  const end = offset + count;
  for (let at = offset; at < end; ) {
    const { position, start, node } = findPlace(tr.doc, at);
    const inLine = position - start - 1;
    const size = Math.min(node.content.size - inLine, end - at);
    if (size > 0) formatCharacters(tr, position, position + size, attributes);
    at += size;
    if (at < end) {
      const merged = { ...newlineAttributes(node), ...attributes };
      setLineAttributes(tr, start, lineAttributes(merged) as unknown as Attributes);
      at += 1;
    }
  }
}

function formatCharacters(tr: Transaction, from: number, to: number, attributes: Attributes): void {
  tr.doc.nodesBetween(from, to, (node, position) => {
    if (!node.isInline) return;
    const start = Math.max(from, position);
    const end = Math.min(to, position + node.nodeSize);
    const wanted = marksOf({ ...attributesOf(node.marks), ...attributes });
    for (const mark of node.marks) if (!mark.isInSet(wanted)) tr.removeMark(start, end, mark);
    for (const mark of wanted) if (!mark.isInSet(node.marks)) tr.addMark(start, end, mark);
  });
}

function setLineAttributes(tr: Transaction, start: number, attrs: Attributes): void {
  const line = tr.doc.nodeAt(start);
  if (line && JSON.stringify(line.attrs) !== JSON.stringify({ ...line.attrs, ...attrs })) {
    tr.setNodeMarkup(start, null, attrs);
  }
}
