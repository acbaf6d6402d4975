// The ProseMirror schema for a flat text: one `line` node for each block, and no nesting. The attributes of a
// line are those of the newline that ends it, so positions convert linearly (positions.ts).

import { type DOMOutputSpec, type Mark, type Node, Schema } from 'prosemirror-model';
import type { Attributes } from '../text/delta';
import { safeLink } from '../text/links';

export { safeLink };

export type ListKind = 'bullet' | 'ordered';

/**
 * The attributes of a line, which are those of its newline. Concurrent changes can leave several attributes of
 * which only one can be shown: all are kept, and `lineKindOf` decides which one is shown.
 */
export interface LineAttributes {
  header: number | null;
  list: ListKind | null;
  indent: number;
  blockquote: boolean;
  /** Attributes that this version does not know. They are kept, but not shown. */
  other: Attributes | null;
}

export const MAX_INDENT = 8;

export type LineKind = 'heading' | ListKind | 'quote' | 'plain';

/** Returns the kind that a line is shown as. `header` wins over `list`, and `list` over `blockquote`. */
export function lineKindOf({ header, list, blockquote }: LineAttributes): LineKind {
  if (header) return 'heading';
  return list ?? (blockquote ? 'quote' : 'plain');
}

function lineToDom(node: Node): DOMOutputSpec {
  const line = node.attrs as LineAttributes;
  const attrs = line.indent > 0 ? { 'data-indent': String(line.indent) } : {};
  switch (lineKindOf(line)) {
    case 'heading':
      // The page's own headings have levels 1 and 2, so headings in a text begin at level 3.
      return [`h${Math.min((line.header ?? 1) + 2, 6)}`, attrs, 0];
    case 'bullet':
      return ['ul', attrs, ['li', 0]];
    case 'ordered':
      return ['ol', attrs, ['li', 0]];
    case 'quote':
      return ['blockquote', attrs, ['p', 0]];
    case 'plain':
      return ['p', attrs, 0];
  }
}

function indentOf(dom: HTMLElement): number {
  return Math.min(Number(dom.dataset.indent ?? 0) || 0, MAX_INDENT);
}

/** Returns how deep a pasted list item is nested, from 0 to `MAX_INDENT`. */
function nestingOf(dom: HTMLElement): number {
  let depth = -1;
  for (let at = dom.parentElement; at; at = at.parentElement) {
    if (at.nodeName === 'UL' || at.nodeName === 'OL') depth += 1;
  }
  return Math.min(Math.max(depth, 0), MAX_INDENT);
}

export const schema = new Schema({
  nodes: {
    doc: { content: 'line+' },
    line: {
      content: 'inline*',
      attrs: {
        header: { default: null },
        list: { default: null },
        indent: { default: 0 },
        blockquote: { default: false },
        other: { default: null },
      },
      parseDOM: [
        { tag: 'p', getAttrs: (dom) => ({ indent: indentOf(dom) }) },
        { tag: 'h1', attrs: { header: 1 } },
        { tag: 'h2', attrs: { header: 1 } },
        { tag: 'h3', attrs: { header: 1 } },
        { tag: 'h4', attrs: { header: 2 } },
        { tag: 'h5', attrs: { header: 3 } },
        { tag: 'h6', attrs: { header: 3 } },
        {
          tag: 'li',
          getAttrs: (dom) => ({
            list: dom.parentElement?.nodeName === 'OL' ? 'ordered' : 'bullet',
            indent: Math.max(nestingOf(dom), indentOf(dom.parentElement ?? dom)),
          }),
        },
        { tag: 'blockquote', attrs: { blockquote: true } },
      ],
      toDOM: lineToDom,
    },
    text: { group: 'inline' },
    // An embedded value from a newer version or another editor. It is kept, and shown as a box.
    opaque: {
      inline: true,
      atom: true,
      group: 'inline',
      attrs: { value: { default: null } },
      toDOM: () => ['span', { class: 'opaque', role: 'img', 'aria-label': '□' }, '□'],
    },
  },
  marks: {
    link: {
      attrs: { href: {} },
      inclusive: false,
      parseDOM: [
        {
          tag: 'a[href]',
          getAttrs: (dom) =>
            safeLink(dom.getAttribute('href') ?? '')
              ? { href: safeLink(dom.getAttribute('href') ?? '') }
              : false,
        },
      ],
      toDOM: (mark) => [
        'a',
        { href: safeLink(String(mark.attrs.href)) ?? '', rel: 'noopener noreferrer nofollow' },
        0,
      ],
    },
    bold: {
      parseDOM: [{ tag: 'strong' }, { tag: 'b' }],
      toDOM: () => ['strong', 0],
    },
    italic: {
      parseDOM: [{ tag: 'em' }, { tag: 'i' }],
      toDOM: () => ['em', 0],
    },
    // Marks that this version does not know. They are kept, but not shown.
    other: { attrs: { attributes: {} }, excludes: '', toDOM: () => ['span', 0] },
  },
});

const isSet = (value: unknown) => value !== null && value !== undefined && value !== false;

/** Returns the node attributes of a line whose newline has `attributes`. */
export function lineAttributes(attributes: Attributes = {}): LineAttributes {
  const { header, list, indent, blockquote, ...rest } = attributes;
  const known = new Set(['bold', 'italic', 'link']);
  const other = Object.fromEntries(
    Object.entries(rest).filter(([key, value]) => !known.has(key) && isSet(value)),
  );
  return {
    header: typeof header === 'number' ? header : null,
    list: list === 'bullet' || list === 'ordered' ? list : null,
    indent: typeof indent === 'number' ? Math.min(Math.max(indent, 0), MAX_INDENT) : 0,
    blockquote: isSet(blockquote),
    other: Object.keys(other).length > 0 ? other : null,
  };
}

/** Returns the attributes of the newline that ends a line. */
export function newlineAttributes(line: Node): Attributes {
  const { header, list, indent, blockquote, other } = line.attrs as LineAttributes;
  return {
    ...(other ?? {}),
    ...(header ? { header } : {}),
    ...(list ? { list } : {}),
    ...(indent ? { indent } : {}),
    ...(blockquote ? { blockquote: true } : {}),
  };
}

/** Returns the marks of characters that have `attributes`. */
export function marksOf(attributes: Attributes = {}): Mark[] {
  const { bold, italic, link, header, list, indent, blockquote, ...rest } = attributes;
  const other = Object.fromEntries(Object.entries(rest).filter(([, value]) => isSet(value)));
  let marks: readonly Mark[] = [];
  if (isSet(bold)) marks = schema.mark('bold').addToSet(marks);
  if (isSet(italic)) marks = schema.mark('italic').addToSet(marks);
  if (typeof link === 'string') marks = schema.mark('link', { href: link }).addToSet(marks);
  if (Object.keys(other).length > 0) marks = schema.mark('other', { attributes: other }).addToSet(marks);
  return [...marks];
}

/** Returns the attributes of characters that have `marks`. */
export function attributesOf(marks: readonly Mark[]): Attributes {
  const attributes: Attributes = {};
  for (const mark of marks) {
    if (mark.type.name === 'link') attributes.link = mark.attrs.href;
    else if (mark.type.name === 'other') Object.assign(attributes, mark.attrs.attributes);
    else attributes[mark.type.name] = true;
  }
  return attributes;
}
