// The commands of the toolbar, the keyboard and Markdown typing, which format lines and characters.

import {
  chainCommands,
  deleteSelection,
  joinBackward,
  selectNodeBackward,
  splitBlockAs,
  toggleMark,
} from 'prosemirror-commands';
import { InputRule, inputRules } from 'prosemirror-inputrules';
import type { Node } from 'prosemirror-model';
import type { Command, EditorState } from 'prosemirror-state';
import { type LineAttributes, type LineKind, lineKindOf, MAX_INDENT, safeLink, schema } from './schema';

function selectedLines(state: EditorState): { node: Node; position: number }[] {
  const found: { node: Node; position: number }[] = [];
  state.doc.nodesBetween(state.selection.from, state.selection.to, (node, position) => {
    if (node.type.name === 'line') found.push({ node, position });
    return false;
  });
  return found;
}

function attrsOf(node: Node): LineAttributes {
  return node.attrs as LineAttributes;
}

/** Sets attributes of the selected lines. Each attribute that changes in a line is one step. */
function setLineAttributes(change: (attrs: LineAttributes) => Partial<LineAttributes> | null): Command {
  return (state, dispatch) => {
    const tr = state.tr;
    for (const { node, position } of selectedLines(state)) {
      for (const [name, value] of Object.entries(change(attrsOf(node)) ?? {})) {
        if (node.attrs[name] !== value) tr.setNodeAttribute(position, name, value);
      }
    }
    if (!tr.docChanged) return false;
    dispatch?.(tr.scrollIntoView());
    return true;
  };
}

const PLAIN_LINE = { header: null, list: null, blockquote: false } as const;

export type FormattedKind = Exclude<LineKind, 'plain'>;

export function hasLineKind(state: EditorState, kind: FormattedKind): boolean {
  const all = selectedLines(state);
  return all.length > 0 && all.every(({ node }) => lineKindOf(attrsOf(node)) === kind);
}

/** Gives all selected lines a kind, or makes them plain if all of them already have it. */
export function toggleKind(kind: FormattedKind): Command {
  return (state, dispatch) => {
    const wanted: Partial<LineAttributes> = hasLineKind(state, kind)
      ? PLAIN_LINE
      : kind === 'heading'
        ? { ...PLAIN_LINE, header: 1 }
        : kind === 'quote'
          ? { ...PLAIN_LINE, blockquote: true }
          : { ...PLAIN_LINE, list: kind };
    return setLineAttributes(() => wanted)(state, dispatch);
  };
}

export function indentBy(step: 1 | -1): Command {
  return setLineAttributes(({ indent }) => ({ indent: Math.min(Math.max(indent + step, 0), MAX_INDENT) }));
}

export const toggleBold = toggleMark(schema.marks.bold as never);
export const toggleItalic = toggleMark(schema.marks.italic as never);

/** Returns whether the selection contains a mark, or whether text typed at the caret would have it. */
export function hasMark(state: EditorState, name: 'bold' | 'italic'): boolean {
  const { from, $from, to, empty } = state.selection;
  const type = schema.marks[name];
  if (!type) return false;
  if (empty) return type.isInSet(state.storedMarks ?? $from.marks()) !== undefined;
  return state.doc.rangeHasMark(from, to, type);
}

/** Returns the address of the first link in the selection or at the caret, or `null` if there is none. */
export function findLink(state: EditorState): string | null {
  const { from, $from, to, empty } = state.selection;
  const inside = empty ? $from.marks() : [];
  let href: string | null = inside.find((mark) => mark.type.name === 'link')?.attrs.href ?? null;
  state.doc.nodesBetween(from, to, (node) => {
    href ??= node.marks.find((mark) => mark.type.name === 'link')?.attrs.href ?? null;
  });
  return href;
}

/** Links the selection, or inserts the address as linked text if nothing is selected. An empty address removes the link. */
export function setLink(href: string): Command {
  return (state, dispatch) => {
    const { from, to, empty } = state.selection;
    const safe = safeLink(href);
    const tr = state.tr;
    if (!href) {
      tr.removeMark(from, to, schema.marks.link);
    } else if (!safe) {
      return false;
    } else if (empty) {
      tr.insert(from, schema.text(safe, [schema.mark('link', { href: safe })]));
    } else {
      tr.addMark(from, to, schema.mark('link', { href: safe }));
    }
    dispatch?.(tr);
    return true;
  };
}

/**
 * Starts a new line, which is plain after a heading. In an empty line that is indented, Enter removes one level of the
 * indent instead, and in an empty list item or quote it ends the list or quote.
 */
export const handleEnter: Command = (state, dispatch) => {
  const { $from, empty } = state.selection;
  const line = $from.node(1);
  const attrs = attrsOf(line);
  if (empty && line.content.size === 0 && (attrs.list || attrs.blockquote || attrs.indent > 0)) {
    return attrs.indent > 0
      ? indentBy(-1)(state, dispatch)
      : setLineAttributes(() => PLAIN_LINE)(state, dispatch);
  }
  return splitBlockAs((node, atEnd) => ({
    type: node.type,
    attrs: attrsOf(node).header && atEnd ? { ...node.attrs, header: null } : node.attrs,
  }))(state, dispatch);
};

/**
 * Deletes backwards. At the start of a line, Backspace first removes the line's indent, level by level, then its kind,
 * and then joins the line to the line before.
 */
export const handleBackspace: Command = (state, dispatch, view) => {
  const { $from, empty } = state.selection;
  const attrs = attrsOf($from.node(1));
  if (empty && $from.parentOffset === 0) {
    if (attrs.indent > 0) return indentBy(-1)(state, dispatch);
    if (attrs.list || attrs.blockquote || attrs.header)
      return setLineAttributes(() => PLAIN_LINE)(state, dispatch);
  }
  return chainCommands(deleteSelection, joinBackward, selectNodeBackward)(state, dispatch, view);
};

/** Creates the rules for Markdown: `- `, `1. `, `# ` or `> ` at the start of a line make it a list item, heading or quote. */
export function markdownRules() {
  const rule = (pattern: RegExp, attrs: Partial<LineAttributes>) =>
    new InputRule(pattern, (state, _match, start, end) => {
      const $start = state.doc.resolve(start);
      if ($start.parentOffset !== 0) return null;
      const tr = state.tr.delete(start, end);
      const position = tr.mapping.map($start.before(1));
      for (const [name, value] of Object.entries({ ...PLAIN_LINE, ...attrs })) {
        if (tr.doc.nodeAt(position)?.attrs[name] !== value) tr.setNodeAttribute(position, name, value);
      }
      return tr;
    });
  return inputRules({
    rules: [
      rule(/^[-*•]\s$/, { list: 'bullet' }),
      rule(/^1[.)]\s$/, { list: 'ordered' }),
      rule(/^#\s$/, { header: 1 }),
      rule(/^##\s$/, { header: 2 }),
      rule(/^>\s$/, { blockquote: true }),
    ],
  });
}
