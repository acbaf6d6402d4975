// Reduces text that is pasted from Word, web pages and mail to the formatting that a text here can have.

import { Fragment, DOMParser as Parser, Slice } from 'prosemirror-model';
import { AllSelection, Selection, TextSelection, type Transaction } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { schema } from './schema';

/** Returns HTML without elements that are not text, and with Word's imitations of lists turned into lists. */
export function cleanHtml(html: string): string {
  const parsed = new DOMParser().parseFromString(html.replace(/<!--[\s\S]*?-->/g, ''), 'text/html');
  for (const gone of parsed.querySelectorAll(
    'style, script, meta, link, title, xml, o\\:p, svg, img, iframe, object',
  )) {
    gone.remove();
  }
  for (const paragraph of parsed.querySelectorAll<HTMLElement>('p[class*="MsoList"], p[style*="mso-list"]')) {
    convertWordListItem(paragraph);
  }
  for (const styled of parsed.querySelectorAll<HTMLElement>('[style]')) turnStyleIntoMarks(styled);
  // A block of the editor is a single line. So the first paragraph of a list item is unwrapped, and each paragraph of a
  // quote becomes a quote of its own.
  for (const paragraph of parsed.querySelectorAll('li > p:first-child')) {
    paragraph.replaceWith(...paragraph.childNodes);
  }
  for (const paragraph of parsed.querySelectorAll('blockquote > p')) {
    const quote = parsed.createElement('blockquote');
    quote.append(...paragraph.childNodes);
    paragraph.parentElement?.before(quote);
    paragraph.remove();
  }
  for (const empty of parsed.querySelectorAll('blockquote')) if (!empty.textContent?.trim()) empty.remove();
  // Each row of a table becomes a line, with dots between its cells.
  for (const row of parsed.querySelectorAll('tr')) {
    const line = parsed.createElement('p');
    line.textContent = [...row.querySelectorAll('td, th')]
      .map((cell) => cell.textContent?.trim())
      .join(' · ');
    row.replaceWith(line);
  }
  return parsed.body.innerHTML;
}

/**
 * Turns styles for bold and italic into elements, and removes bold elements that are styled as normal. The
 * attribute is read as text, because our content security policy keeps the browser from reading it as a style.
 */
function turnStyleIntoMarks(element: HTMLElement): void {
  const style = element.getAttribute('style') ?? '';
  const value = (name: string) =>
    new RegExp(`(?:^|;)\\s*${name}\\s*:\\s*([^;]+)`, 'i').exec(style)?.[1]?.trim() ?? '';
  const wrap = (name: string) => {
    const mark = element.ownerDocument.createElement(name);
    mark.append(...element.childNodes);
    element.append(mark);
  };
  if (/^italic/i.test(value('font-style'))) wrap('em');
  const weight = value('font-weight');
  if (/^(bold|[6-9]00)/i.test(weight)) wrap('strong');
  else if (/^(normal|[1-5]00)/i.test(weight) && element.matches('b, strong'))
    element.replaceWith(...element.childNodes);
}

function convertWordListItem(paragraph: HTMLElement): void {
  const text = paragraph.textContent ?? '';
  const numbered = /^\s*(\d+|[a-z]|[ivx]+)[.)]/i.test(text);
  const level = Number(/level(\d)/.exec(paragraph.getAttribute('style') ?? '')?.[1] ?? 1);
  for (const span of paragraph.querySelectorAll<HTMLElement>('[style*="mso-list"]')) span.remove();
  const list = paragraph.ownerDocument.createElement(numbered ? 'ol' : 'ul');
  if (level > 1) list.dataset.indent = String(level - 1);
  const item = paragraph.ownerDocument.createElement('li');
  item.innerHTML = paragraph.innerHTML.replace(/^(\s|&nbsp;|[·•o§▪-]|\d+[.)])+/i, '');
  list.append(item);
  paragraph.replaceWith(list);
}

/** Returns a slice with one editor line for each line of a plain text. With `isSingleLine`, all text is in a single line. */
export function plainSlice(text: string, isSingleLine: boolean): Slice {
  const parts = isSingleLine ? [text.replace(/\s*\n\s*/g, ' ')] : text.replace(/\r\n?/g, '\n').split('\n');
  const lines = parts.map((part) => schema.node('line', null, part ? schema.text(part) : undefined));
  return new Slice(Fragment.from(lines), 1, 1);
}

/** Matches every character that can be invisible. The module with the exact rules is loaded only if a text has one. */
const CAN_BE_HIDDEN = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Zl}\p{Zp}\u2800\ufffc]|[^\P{Cc}\t\n\r]/u;

/** Pastes clipboard content, and returns whether it did. Calls `oncleaned` if invisible characters were left out. */
export function handlePaste(
  view: EditorView,
  event: ClipboardEvent,
  isSingleLine: boolean,
  oncleaned: () => void,
): boolean {
  const data = event.clipboardData;
  if (!data) return false;
  const html = data.getData('text/html');
  let text = data.getData('text/plain');
  const dispatch = (tr: Transaction) => view.dispatch(tr.scrollIntoView().setMeta('paste', true));
  const cleanThen = (
    pasted: string,
    clean: (rules: typeof import('./clean')) => boolean,
    insert: () => void,
  ) => {
    if (!CAN_BE_HIDDEN.test(pasted)) return insert();
    void import('./clean').then((rules) => {
      if (view.isDestroyed) return;
      if (clean(rules)) oncleaned();
      insert();
      // If the rules can't be loaded, the text is pasted unchanged: the server names invisible characters before anybody signs.
    }, insert);
  };
  if (!html || isSingleLine) {
    if (!text) return false;
    const clean = (rules: typeof import('./clean')) => {
      const before = text;
      text = rules.cleanText(text);
      return text !== before;
    };
    cleanThen(text, clean, () => dispatch(view.state.tr.replaceSelection(plainSlice(text, isSingleLine))));
    return true;
  }
  // The HTML is parsed into a separate document, which loads and runs nothing, and never into the page's own.
  const { body } = new DOMParser().parseFromString(cleanHtml(html), 'text/html');
  cleanThen(
    body.textContent ?? '',
    (rules) => rules.cleanTree(body),
    () => {
      const { content } = Parser.fromSchema(schema).parse(body, { preserveWhitespace: false });
      dispatch(replaceSelection(view.state.tr, content));
    },
  );
  return true;
}

/** Invisible characters that no script and no emoji needs, in any context. */
const NEVER_NEEDED = /[\u00ad\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffc]/g;

/** Removes invisible characters from typed text, because nobody can sign text with them. Returns whether there were any. */
export function handleTextInput(
  view: EditorView,
  from: number,
  to: number,
  text: string,
  oncleaned: () => void,
): boolean {
  const visible = text.replace(NEVER_NEEDED, '');
  if (visible === text) return false;
  view.dispatch(view.state.tr.insertText(visible, from, to));
  oncleaned();
  return true;
}

/**
 * Replaces the selection with lines. A line that keeps text from before or after the selection also keeps its
 * kind, such as heading or list item. Every other line has the kind that it was pasted with.
 */
function replaceSelection(tr: Transaction, lines: Fragment): Transaction {
  const all = tr.selection instanceof AllSelection;
  const { $from } = all ? Selection.atStart(tr.doc) : tr.selection;
  const { $to } = all ? Selection.atEnd(tr.doc) : tr.selection;
  const { firstChild: first, lastChild: last } = lines;
  if (!first || !last) return tr;
  const before = $from.parent.content.cut(0, $from.parentOffset);
  const after = $to.parent.content.cut($to.parentOffset);
  if (lines.childCount === 1) {
    const kind = before.size + after.size > 0 ? $from.parent : first;
    tr.replaceWith($from.before(1), $to.after(1), kind.copy(before.append(first.content).append(after)));
  } else {
    const kindOfFirst = before.size > 0 ? $from.parent : first;
    const kindOfLast = after.size > 0 ? $to.parent : last;
    const put = lines
      .replaceChild(0, kindOfFirst.copy(before.append(first.content)))
      .replaceChild(lines.childCount - 1, kindOfLast.copy(last.content.append(after)));
    tr.replaceWith($from.before(1), $to.after(1), put);
  }
  const end = tr.mapping.map($to.after(1)) - 1 - after.size;
  return tr.setSelection(TextSelection.create(tr.doc, end));
}
