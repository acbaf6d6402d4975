// Divides a released text into the blocks that readers see: paragraphs, headings, quotations, and nested lists. The rules
// are those of `document/src/model/blocks.rs`; `tests/data/blocks.json` tests both.

import type { Attributes, Delta } from '../../text/delta';
import { isSafeLink } from '../../text/links';

export interface Span {
  text: string;
  bold: boolean;
  italic: boolean;
  link: string | null;
}
export interface List {
  ordered: boolean;
  items: { line: Span[]; within: List[] }[];
}
export type Block =
  | { kind: 'paragraph'; line: Span[] }
  | { kind: 'heading'; level: number; line: Span[] }
  | { kind: 'quote'; lines: Span[][] }
  | { kind: 'list'; list: List };

interface Line {
  spans: Span[];
  attributes: Attributes;
}

function linesOf(delta: Delta): Line[] {
  const lines: Line[] = [];
  let spans: Span[] = [];
  for (const op of delta) {
    if (!('insert' in op) || typeof op.insert !== 'string') continue;
    const { bold, italic, link } = op.attributes ?? {};
    const address = typeof link === 'string' && isSafeLink(link) ? link.replace(/^ +| +$/g, '') : null;
    const parts = op.insert.split('\n');
    parts.forEach((text, index) => {
      if (text) {
        spans.push({
          text,
          bold: bold === true,
          italic: italic === true,
          link: address,
        });
      }
      if (index < parts.length - 1) {
        lines.push({ spans, attributes: op.attributes ?? {} });
        spans = [];
      }
    });
  }
  if (spans.length > 0) lines.push({ spans, attributes: {} });
  return lines;
}

/** The kind of a line. A level is from 1 to `MAX_HEADING_LEVEL`, an indent from 0 to `MAX_INDENT`. */
type LineKind =
  | { kind: 'plain' }
  | { kind: 'heading'; level: number }
  | { kind: 'quote' }
  | { kind: 'item'; ordered: boolean; indent: number };

const MAX_HEADING_LEVEL = 6;
const MAX_INDENT = 8;

/** Returns the kind of a line, from the attributes of its newline. A heading wins over a list, and a list over a quotation. */
function lineKindOf(attributes: Attributes): LineKind {
  const number = (value: unknown, most: number) =>
    typeof value === 'number' ? Math.trunc(Math.min(Math.max(value, 0), most)) : 0;
  const level = number(attributes.header, MAX_HEADING_LEVEL);
  if (level > 0) return { kind: 'heading', level };
  if ('list' in attributes) {
    const indent = number(attributes.indent, MAX_INDENT);
    return { kind: 'item', ordered: attributes.list === 'ordered', indent };
  }
  return 'blockquote' in attributes ? { kind: 'quote' } : { kind: 'plain' };
}

/** Returns whether a text contains only white space, as Unicode defines it. */
const isBlank = (text: string) => /^\p{White_Space}*$/u.test(text);

type ListItem = { ordered: boolean; indent: number; line: Span[] };

function nestLists(items: ListItem[]): List[] {
  const out: List[] = [];
  for (let at = 0; at < items.length; ) {
    const item = items[at] as ListItem;
    let end = at + 1;
    while (end < items.length && (items[end] as ListItem).indent > item.indent) end += 1;
    const nested = { line: item.line, within: nestLists(items.slice(at + 1, end)) };
    const last = out.at(-1);
    if (last?.ordered === item.ordered) last.items.push(nested);
    else out.push({ ordered: item.ordered, items: [nested] });
    at = end;
  }
  return out;
}

/** Returns the blocks of a text. An empty line separates quotations and is no block itself. */
export function blocksOf(delta: Delta): Block[] {
  const out: Block[] = [];
  let items: ListItem[] = [];
  let isSeparated = true;
  const close = () => {
    out.push(...nestLists(items).map((list): Block => ({ kind: 'list', list })));
    items = [];
  };
  for (const { spans: line, attributes } of linesOf(delta)) {
    const kind = lineKindOf(attributes);
    if (kind.kind === 'item') {
      items.push({ ordered: kind.ordered, indent: kind.indent, line });
      isSeparated = false;
      continue;
    }
    close();
    if (line.every(({ text }) => isBlank(text))) {
      isSeparated = true;
      continue;
    }
    const last = out.at(-1);
    if (kind.kind === 'heading') out.push({ kind: 'heading', level: kind.level, line });
    else if (kind.kind === 'plain') out.push({ kind: 'paragraph', line });
    else if (last?.kind === 'quote' && !isSeparated) last.lines.push(line);
    else out.push({ kind: 'quote', lines: [line] });
    isSeparated = false;
  }
  close();
  return out;
}

/** Returns the characters of a text, without embedded values and without white space around them. */
export const plainText = (delta: Delta | undefined) =>
  (delta ?? [])
    .map((op) => ('insert' in op && typeof op.insert === 'string' ? op.insert : ''))
    .join('')
    .trim();

/** Returns whether a text contains any characters except white space. */
export const hasText = (delta: Delta | undefined) => plainText(delta) !== '';
