// A flat text as its readers are shown it: paragraphs, headings, quotations, and lists that nest. As
// `document/src/model/blocks.rs` has it.

import type { Attributes, Delta } from '../../text/delta';
import { isSafe } from '../../text/links';

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

function lines(delta: Delta): Line[] {
  const all: Line[] = [];
  let spans: Span[] = [];
  for (const op of delta) {
    if (!('insert' in op) || typeof op.insert !== 'string') continue;
    const { bold, italic, link } = op.attributes ?? {};
    const address = typeof link === 'string' && isSafe(link) ? link.trim() : null;
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
        all.push({ spans, attributes: op.attributes ?? {} });
        spans = [];
      }
    });
  }
  if (spans.length > 0) all.push({ spans, attributes: {} });
  return all;
}

type Item = { ordered: boolean; indent: number; line: Span[] };

function lists(items: Item[]): List[] {
  const out: List[] = [];
  for (let at = 0; at < items.length; ) {
    const item = items[at] as Item;
    let end = at + 1;
    while (end < items.length && (items[end] as Item).indent > item.indent) end += 1;
    const one = { line: item.line, within: lists(items.slice(at + 1, end)) };
    const last = out.at(-1);
    if (last?.ordered === item.ordered) last.items.push(one);
    else out.push({ ordered: item.ordered, items: [one] });
    at = end;
  }
  return out;
}

/** The blocks of a text. Empty lines part paragraphs and are none themselves. */
export function blocks(delta: Delta): Block[] {
  const out: Block[] = [];
  let items: Item[] = [];
  let parted = true;
  const close = () => {
    out.push(...lists(items).map((list): Block => ({ kind: 'list', list })));
    items = [];
  };
  for (const { spans: line, attributes } of lines(delta)) {
    const { header, list, indent, blockquote } = attributes;
    if (!header && list) {
      items.push({ ordered: list === 'ordered', indent: Number(indent ?? 0), line });
      parted = false;
      continue;
    }
    close();
    if (line.every(({ text }) => text.trim() === '')) {
      parted = true;
      continue;
    }
    const last = out.at(-1);
    if (header) out.push({ kind: 'heading', level: Number(header), line });
    else if (!blockquote) out.push({ kind: 'paragraph', line });
    else if (last?.kind === 'quote' && !parted) last.lines.push(line);
    else out.push({ kind: 'quote', lines: [line] });
    parted = false;
  }
  close();
  return out;
}

/** The characters of a text, without blanks around them. */
export const plain = (delta: Delta | undefined) =>
  (delta ?? [])
    .map((op) => ('insert' in op && typeof op.insert === 'string' ? op.insert : ''))
    .join('')
    .trim();

/** Whether a text says anything. */
export const hasWords = (delta: Delta | undefined) => plain(delta) !== '';
