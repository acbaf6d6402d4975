// What is pasted from Word, web pages and mail, cleaned to what a text here can hold.

import { Fragment, DOMParser as Parser, Slice } from 'prosemirror-model';
import { AllSelection, Selection, TextSelection, type Transaction } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { schema } from './schema';

/** HTML with what is not text taken out and Word's imitation of lists made lists. */
export function cleanHtml(html: string): string {
  const parsed = new DOMParser().parseFromString(html.replace(/<!--[\s\S]*?-->/g, ''), 'text/html');
  for (const gone of parsed.querySelectorAll(
    'style, script, meta, link, title, xml, o\\:p, svg, img, iframe, object',
  )) {
    gone.remove();
  }
  for (const paragraph of parsed.querySelectorAll<HTMLElement>('p[class*="MsoList"], p[style*="mso-list"]')) {
    wordListItem(paragraph);
  }
  for (const styled of parsed.querySelectorAll<HTMLElement>('[style]')) marksOfStyle(styled);
  // One line is one block here: what wraps paragraphs gives way to them.
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
  // A table becomes a line for each row, its cells apart.
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
 * Makes bold and italic that are only styled so elements of their own, and the reverse. The attribute
 * is read as text: our content security policy keeps the browser from reading it as style.
 */
function marksOfStyle(element: HTMLElement): void {
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

function wordListItem(paragraph: HTMLElement): void {
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

/** Plain text: one line for each line. */
export function plainSlice(text: string, single: boolean): Slice {
  const parts = single ? [text.replace(/\s*\n\s*/g, ' ')] : text.replace(/\r\n?/g, '\n').split('\n');
  const lines = parts.map((part) => schema.node('line', null, part ? schema.text(part) : undefined));
  return new Slice(Fragment.from(lines), 1, 1);
}

/** What may be hidden, at a glance: only then the rule itself is loaded. */
const HIDING = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Zl}\p{Zp}\u2800\ufffc]|[^\P{Cc}\t\n\r]/u;

/** Calls `cleaned` if something that nobody sees was left out. */
export function handlePaste(
  view: EditorView,
  event: ClipboardEvent,
  single: boolean,
  cleaned: () => void,
): boolean {
  const data = event.clipboardData;
  if (!data) return false;
  const html = data.getData('text/html');
  let text = data.getData('text/plain');
  const put = (tr: Transaction) => view.dispatch(tr.scrollIntoView().setMeta('paste', true));
  const hidden = (said: string, clean: (rule: typeof import('./clean')) => boolean, done: () => void) => {
    if (!HIDING.test(said)) return done();
    void import('./clean').then((rule) => {
      if (view.isDestroyed) return;
      if (clean(rule)) cleaned();
      done();
      // Without the rule it is pasted as it is: what nobody sees is named before anybody signs.
    }, done);
  };
  if (!html || single) {
    if (!text) return false;
    const clean = (rule: typeof import('./clean')) => {
      const before = text;
      text = rule.clean(text);
      return text !== before;
    };
    hidden(text, clean, () => put(view.state.tr.replaceSelection(plainSlice(text, single))));
    return true;
  }
  // In a document of its own, which loads and runs nothing: never in the page's.
  const { body } = new DOMParser().parseFromString(cleanHtml(html), 'text/html');
  hidden(
    body.textContent ?? '',
    (rule) => rule.cleanTree(body),
    () => {
      const { content } = Parser.fromSchema(schema).parse(body, { preserveWhitespace: false });
      put(putLines(view.state.tr, content));
    },
  );
  return true;
}

/** What no script and no emoji needs, wherever it is typed. */
const NEVER = /[\u00ad\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffc]/g;

/** Takes out of what is typed what would keep the text from being signed. */
export function handleTextInput(
  view: EditorView,
  from: number,
  to: number,
  text: string,
  cleaned: () => void,
): boolean {
  const seen = text.replace(NEVER, '');
  if (seen === text) return false;
  view.dispatch(view.state.tr.insertText(seen, from, to));
  cleaned();
  return true;
}

/**
 * Puts lines in the place of the selection. Text that was there before and after it stays what it was,
 * a heading or a list; where there was none, the pasted line is what it was where it came from.
 */
function putLines(tr: Transaction, lines: Fragment): Transaction {
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
