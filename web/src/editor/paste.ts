// What is pasted from Word, web pages and mail, cleaned to what a text here can hold.

import { Fragment, DOMParser as Parser, Slice } from 'prosemirror-model';
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

export function handlePaste(view: EditorView, event: ClipboardEvent, single: boolean): boolean {
  const data = event.clipboardData;
  if (!data) return false;
  const html = data.getData('text/html');
  const text = data.getData('text/plain');
  if (!html || single) {
    if (!text) return false;
    view.dispatch(
      view.state.tr.replaceSelection(plainSlice(text, single)).scrollIntoView().setMeta('paste', true),
    );
    return true;
  }
  const body = document.createElement('div');
  body.append(...new DOMParser().parseFromString(cleanHtml(html), 'text/html').body.childNodes);
  const slice = Parser.fromSchema(schema).parseSlice(body, { preserveWhitespace: false });
  view.dispatch(view.state.tr.replaceSelection(slice).scrollIntoView().setMeta('paste', true));
  return true;
}
