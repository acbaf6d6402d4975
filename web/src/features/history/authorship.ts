// Marks in the editor who wrote each passage. The page fetches the authors when somebody wants to see them. The marks of a
// text are shown only while it equals the text that the server described.

import type { Node } from 'prosemirror-model';
import { Decoration, DecorationSet } from 'prosemirror-view';
import { type Author, api, type Diff } from '../../api/client';
import { findPlace } from '../../editor/positions';
import type { TextMarks } from '../../editor/textMarks';
import { formatDateTime, t } from '../../messages/history';
import { nameOfPerson } from '../../messages/person';

export class Authorship implements TextMarks {
  private constructor(private readonly diff: Diff) {}

  static async fetch(document: string): Promise<Authorship> {
    return new Authorship(await api.diff(document, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER));
  }

  /** Returns the marks for a text, or `undefined` if it differs from the text that the server described. */
  decorate(target: string, doc: Node): DecorationSet | undefined {
    const pieces = this.diff.texts.find((text) => text.target === target)?.pieces ?? [];
    const text = pieces.map(({ insert }) => (typeof insert === 'string' ? insert : '\ufffc')).join('');
    const shown = doc.textBetween(0, doc.content.size, '\n', '\ufffc');
    if (text !== `${shown}\n`) return undefined;
    const marks: Decoration[] = [];
    let at = 0;
    let last: number | undefined;
    for (const { insert, written, placed } of pieces) {
      const characters = typeof insert === 'string' ? insert : '\ufffc';
      // A passage that somebody put together from other people's words is marked as that person's.
      const credited = placed ?? written;
      const author = this.diff.authors[credited.author];
      // Newlines and spaces at the start of a piece are not marked.
      const from = at + characters.length - characters.trimStart().length;
      at += characters.length;
      if (!author || from >= at) continue;
      const firstAuthor = placed && this.diff.authors[written.author];
      const values = { name: nameOfPerson(author), when: formatDateTime(credited.ended) };
      const title = firstAuthor
        ? t('by.placed', { ...values, author: nameOfPerson(firstAuthor) })
        : t('by.inserted', values);
      marks.push(...createMarks(doc, from, at, author, title, credited.author !== last));
      last = credited.author;
    }
    return DecorationSet.create(doc, marks);
  }
}

function createMarks(
  doc: Node,
  from: number,
  to: number,
  author: Author,
  title: string,
  isFirst: boolean,
): Decoration[] {
  const start = findPlace(doc, from).position;
  const end = findPlace(doc, to).position;
  if (start >= end) return [];
  const shape = Decoration.widget(
    start,
    () => {
      const shape = document.createElement('span');
      shape.className = `written-shape sector-${author.sector}`;
      shape.setAttribute('aria-hidden', 'true');
      return shape;
    },
    { side: 1, key: `${start} ${author.sector}` },
  );
  const highlight = Decoration.inline(start, end, { class: `written sector-${author.sector}`, title });
  return isFirst ? [shape, highlight] : [highlight];
}
