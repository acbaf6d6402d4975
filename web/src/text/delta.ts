// The parts of Quill's Delta that the binding needs: the type, a builder, and the transformation of one edit past another.

export type Attributes = Record<string, unknown>;

export type Op =
  | { insert: string | Record<string, unknown>; attributes?: Attributes }
  | { retain: number; attributes?: Attributes }
  | { delete: number };

export type Delta = Op[];

export function lengthOf(op: Op): number {
  if ('insert' in op) return typeof op.insert === 'string' ? op.insert.length : 1;
  return 'retain' in op ? op.retain : op.delete;
}

/** Returns whether a change inserts a newline. */
export function insertsNewline(delta: Delta): boolean {
  return delta.some((op) => 'insert' in op && typeof op.insert === 'string' && op.insert.includes('\n'));
}

/** Matches lone surrogates, which UTF-8 can't represent. */
const LONE_SURROGATES = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

function areEqual(a?: Attributes, b?: Attributes): boolean {
  return a === b || (a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b));
}

/** A Delta under construction. Adjacent retains or deletes that are alike are joined; a plain retain at the end is dropped. */
export class DeltaBuilder {
  readonly ops: Delta = [];

  retain(retain: number, attributes?: Attributes): this {
    if (retain <= 0) return this;
    const given = attributes && Object.keys(attributes).length > 0 ? attributes : undefined;
    const last = this.ops.at(-1);
    // Retains are joined, so that no step ends inside a surrogate pair.
    if (last && 'retain' in last && areEqual(last.attributes, given)) last.retain += retain;
    else this.ops.push(given ? { retain, attributes: given } : { retain });
    return this;
  }

  delete(count: number): this {
    if (count <= 0) return this;
    const last = this.ops.at(-1);
    if (last && 'delete' in last) last.delete += count;
    else this.ops.push({ delete: count });
    return this;
  }

  insert(insert: string | Record<string, unknown>, attributes?: Attributes): this {
    if (insert === '') return this;
    const repaired = typeof insert === 'string' ? insert.replace(LONE_SURROGATES, '\uFFFD') : insert;
    const hasAttributes = attributes && Object.keys(attributes).length > 0;
    this.ops.push(hasAttributes ? { insert: repaired, attributes } : { insert: repaired });
    return this;
  }

  build(): Delta {
    for (let last = this.ops.at(-1); last && 'retain' in last && !last.attributes; last = this.ops.at(-1)) {
      this.ops.pop();
    }
    return this.ops;
  }
}

class OpCursor {
  private index = 0;
  private offset = 0;

  constructor(private readonly ops: Delta) {}

  get op(): Op | undefined {
    return this.ops[this.index];
  }

  get remaining(): number {
    return this.op ? lengthOf(this.op) - this.offset : Number.POSITIVE_INFINITY;
  }

  take(count: number): void {
    this.offset += count;
    if (this.op && this.offset >= lengthOf(this.op)) {
      this.index += 1;
      this.offset = 0;
    }
  }
}

/** Returns the offset of a place after a change. Text inserted at the place goes before it, as for a relative position of Yjs. */
export function transformOffset(offset: number, delta: Delta): number {
  let at = 0;
  let place = offset;
  for (const op of delta) {
    if (at > place) break;
    if ('insert' in op) {
      place += lengthOf(op);
      at += lengthOf(op);
    } else if ('retain' in op) at += op.retain;
    else place -= Math.min(op.delete, place - at);
  }
  return place;
}

/**
 * Returns `edit` in the form for a text to which `first` has already been applied. Both changes were made for the same text.
 * If both insert at the same place, `firstHasPriority` says that the insertion of `first` comes first.
 */
export function transform(first: Delta, edit: Delta, firstHasPriority: boolean): Delta {
  const out = new DeltaBuilder();
  const a = new OpCursor(first);
  const b = new OpCursor(edit);
  while (b.op) {
    if (a.op && 'insert' in a.op && (firstHasPriority || !('insert' in b.op))) {
      out.retain(lengthOf(a.op));
      a.take(a.remaining);
      continue;
    }
    if ('insert' in b.op) {
      out.insert(b.op.insert, b.op.attributes);
      b.take(b.remaining);
      continue;
    }
    if (a.op && 'insert' in a.op) {
      out.retain(lengthOf(a.op));
      a.take(a.remaining);
      continue;
    }
    const count = Math.min(a.remaining, b.remaining);
    if (!(a.op && 'delete' in a.op)) {
      if ('delete' in b.op) out.delete(count);
      else out.retain(count, b.op.attributes);
    }
    if (a.op) a.take(count);
    b.take(count);
  }
  return out.build();
}
