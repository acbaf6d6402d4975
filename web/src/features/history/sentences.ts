// Makes sentences about changes, for the list of changes, the marks in the text, and screen readers.

import type { Author, Change, Piece, Sitting, TextDiff } from '../../api/client';
import {
  countText,
  formatDateTime,
  formatRelativeTime,
  hasMessage,
  listFormat,
  t,
} from '../../messages/history';
import { nameOfPerson } from '../../messages/person';
import { parseMilestoneTarget } from '../../text/target';

/** Maximum length of a quotation in a sentence, in UTF-16 code units. */
const MAX_QUOTE_LENGTH = 90;

type Attributes = Record<string, unknown>;

export function quoteText(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MAX_QUOTE_LENGTH
    ? `${line.slice(0, MAX_QUOTE_LENGTH).trimEnd()}…`
    : line || t('change.empty');
}

/** A writer of sentences that knows the names of the people and places in one comparison. */
export class SentenceWriter {
  private readonly numbers: Map<string, number>;

  constructor(
    private readonly authors: Author[],
    milestones: { id: string }[],
  ) {
    this.numbers = new Map(milestones.map(({ id }, index) => [id, index + 1]));
  }

  authorAt(index: number): Author | undefined {
    return this.authors[index];
  }

  nameOfAuthor(author: number | undefined | null): string {
    const known = this.authorAt(author ?? -1);
    return known ? nameOfPerson(known) : t('person.former');
  }

  /** Returns the name of a text, with the number of its milestone if it belongs to one. */
  nameOfText(target: string | null | undefined): string {
    if (!target) return '';
    const { id, key } = parseMilestoneTarget(target) ?? {};
    return id && key ? `${this.nameOfMilestone(id)}: ${fieldLabel(key)}` : fieldLabel(target);
  }

  nameOfMilestone(id: string): string {
    const number = this.numbers.get(id);
    return number ? t('milestones.number', { number }) : t('milestone.gone');
  }

  /** Returns a sentence about a change, without the name of its author. */
  describeChange(change: Change): string {
    const place = this.nameOfText(change.target);
    const author = change.wrote?.find((author) => author !== change.by.author);
    const authorName = author === undefined ? '' : this.nameOfAuthor(author);
    switch (change.what) {
      case 'inserted':
        return t('change.inserted', { text: quoteText(change.text), place });
      case 'deleted':
        return t(authorName ? 'change.deletedOf' : 'change.deleted', {
          text: quoteText(change.text),
          author: authorName,
          place,
        });
      case 'replaced':
        return t(authorName ? 'change.replacedOf' : 'change.replaced', {
          old: quoteText(change.old),
          new: quoteText(change.new),
          author: authorName,
          place,
        });
      case 'split':
      case 'joined':
        return t(`change.${change.what}`, {
          before: quoteText(change.before),
          after: quoteText(change.after),
          place,
        });
      case 'block':
        return t('change.block', {
          text: quoteText(change.text),
          old: blockName(change.old),
          new: blockName(change.new),
          place,
        });
      case 'marked':
        return describeFormatting(change.text, change.old, change.new, place);
      case 'moved': {
        const text = quoteText(change.text);
        if (change.from === change.target) return t('change.movedWithin', { text, place });
        return t('change.moved', { text, from: this.nameOfText(change.from), place });
      }
      case 'milestone_added':
      case 'milestone_removed':
      case 'milestone_moved':
        return t(`change.${change.what}`, { place: this.nameOfMilestone(change.id) });
      case 'value': {
        const values = {
          field: fieldLabel(change.key),
          old: describeValue(change.old),
          new: describeValue(change.new),
          place: change.id ? this.nameOfMilestone(change.id) : '',
        };
        return t(change.id ? 'change.valueOf' : 'change.value', values);
      }
    }
  }

  /** Returns a sentence that says who changed or wrote a piece of text, and when. */
  describePiece({ fate, by, written, placed }: Piece): string {
    if (!by && placed) {
      const values = { author: this.nameOfAuthor(written.author), name: this.nameOfAuthor(placed.author) };
      return t('by.placed', { ...values, when: formatDateTime(placed.ended) });
    }
    if (!by)
      return t('by.inserted', {
        name: this.nameOfAuthor(written.author),
        when: formatDateTime(written.ended),
      });
    const values = {
      name: this.nameOfAuthor(by.author),
      author: this.nameOfAuthor(written.author),
      when: formatDateTime(by.ended),
    };
    if (fate === 'kept') return t('by.changed', values);
    if (fate === 'inserted') return t('by.inserted', values);
    return t(by.author === written.author ? 'by.deletedOwn' : 'by.deleted', values);
  }

  /** Returns a sentence about the work of one person in a sitting, without their name. */
  describeSitting({ tallies }: Sitting, author: number): string {
    const own = tallies.filter((tally) => tally.author === author);
    const total = (key: 'inserted' | 'deleted' | 'formatted') =>
      own.reduce((sum, tally) => sum + tally[key], 0);
    const [inserted, deleted] = [total('inserted'), total('deleted')];
    const parts: string[] = [];
    if (inserted) parts.push(t('sitting.wrote', { inserted: countText('sitting.chars', inserted) }));
    if (deleted) parts.push(t('sitting.deleted', { deleted: countText('sitting.chars', deleted) }));
    const places = [
      ...new Set(own.filter((tally) => tally.target).map((tally) => `“${this.nameOfText(tally.target)}”`)),
    ];
    if (parts.length === 0 && places.length > 0) parts.push(t('sitting.formatted'));
    const rest = own.some((tally) => !tally.target) ? t('sitting.other') : '';
    if (places.length === 0) return rest;
    const sentence = t('sitting.in', {
      what: listFormat.format(parts),
      places: listFormat.format(places.slice(0, 3)),
    });
    const more = places.length > 3 ? ' …' : '';
    return rest ? `${sentence}${more}; ${rest}` : `${sentence}${more}`;
  }
}

export function fieldLabel(key: string): string {
  const name = `field.${key}`;
  return hasMessage(name) ? t(name) : key;
}

/** Returns the authors of a sitting, with those who did the most work first. */
export function authorsOf(sitting: Sitting): number[] {
  const work = new Map<number, number>();
  for (const { author, inserted, deleted, formatted } of sitting.tallies) {
    work.set(author, (work.get(author) ?? 0) + inserted + deleted + formatted);
  }
  return [...work].sort((a, b) => b[1] - a[1]).map(([author]) => author);
}

/** Returns a time in a short form: relative in the last hour, the time of day for today, otherwise the date and the time. */
export function formatShortTime(time: number): string {
  const now = new Date();
  const then = new Date(time);
  if (now.getTime() - time < 60 * 60 * 1000) return formatRelativeTime(time);
  const sameDay = now.toDateString() === then.toDateString();
  const options: Intl.DateTimeFormatOptions = sameDay
    ? { timeStyle: 'short' }
    : { dateStyle: 'medium', timeStyle: 'short' };
  return new Intl.DateTimeFormat(undefined, options).format(then);
}

function blockName(attributes: Attributes): string {
  const { header, list, blockquote, indent } = attributes;
  let kind = t('block.paragraph');
  if (header) kind = t('block.header');
  else if (list) kind = t(list === 'ordered' ? 'block.ordered' : 'block.bullet');
  else if (blockquote) kind = t('block.blockquote');
  return indent ? t('block.indent', { block: kind }) : kind;
}

function describeFormatting(characters: string, old: Attributes, fresh: Attributes, place: string): string {
  const text = quoteText(characters);
  if (fresh.link !== old.link) {
    if (fresh.link) return t('change.linked', { text, address: String(fresh.link), place });
    return t('change.unlinked', { text, place });
  }
  const looks: string[] = [];
  if (Boolean(fresh.bold) !== Boolean(old.bold)) looks.push(t(fresh.bold ? 'mark.bold' : 'mark.notBold'));
  if (Boolean(fresh.italic) !== Boolean(old.italic))
    looks.push(t(fresh.italic ? 'mark.italic' : 'mark.notItalic'));
  return t('change.marked', {
    text,
    new: listFormat.format(looks.length > 0 ? looks : [t('mark.other')]),
    place,
  });
}

function describeValue(value: unknown): string {
  return value === undefined || value === null || value === '' ? t('change.nothing') : `“${String(value)}”`;
}

/** One paragraph of a text that is shown with its changes, with the attributes of its last newline. */
export interface Line {
  /** The runs of the paragraph. `isPilcrow` is true for the sign ¶ in place of a deleted newline. */
  runs: { piece: Piece; text: string; isPilcrow?: boolean }[];
  attributes: Attributes;
  /** The piece whose newline ends the paragraph, if that newline was inserted or changed. */
  changedEnd: Piece | undefined;
  /** The offset at which the paragraph begins in the joined pieces, deleted ones included, in UTF-16 code units. */
  at: number;
}

export function linesOf({ pieces }: TextDiff): Line[] {
  const out: Line[] = [];
  let runs: Line['runs'] = [];
  let at = 0;
  const close = (attributes: Attributes, changedEnd: Piece | undefined) => {
    out.push({ runs, attributes, changedEnd, at });
    at += runs.reduce((sum, { text }) => sum + text.length, 0) + 1;
    runs = [];
  };
  const add = (piece: Piece, text: string) => {
    const last = runs.at(-1);
    // The page does not show the authors of unchanged text, so adjacent unchanged pieces become one run.
    if (last && isPlain(last.piece) && isPlain(piece) && hasSameLook(last.piece, piece)) last.text += text;
    else runs.push({ piece, text });
  };
  for (const piece of pieces) {
    if (typeof piece.insert !== 'string') {
      runs.push({ piece, text: '▢' });
      continue;
    }
    const parts = piece.insert.split('\n');
    parts.forEach((text, index) => {
      if (text) add(piece, text);
      if (index === parts.length - 1) return;
      if (piece.fate === 'deleted') {
        // Two paragraphs were joined. A crossed-out sign between them stands for the deleted newline.
        runs.push({ piece, text: '¶', isPilcrow: true });
        return;
      }
      const changed = piece.fate === 'inserted' || Boolean(piece.was);
      close(piece.attributes ?? {}, changed ? piece : undefined);
    });
  }
  if (runs.length > 0) close({}, undefined);
  return out;
}

/** Returns the index of the line that contains an offset of the text at the second moment, in UTF-16 code units. */
export function lineIndexAt(lines: Line[], offset: number): number {
  let end = -1;
  const index = lines.findIndex(({ runs }) => {
    end += 1 + runs.reduce((sum, { piece, text }) => sum + (piece.fate === 'deleted' ? 0 : text.length), 0);
    return offset <= end;
  });
  return index < 0 ? lines.length - 1 : index;
}

/** Returns the characters of the joined pieces between two offsets, with U+FFFC in place of each embedded value. */
export function charactersBetween({ pieces }: TextDiff, from: number, to: number): string {
  return pieces
    .map(({ insert }) => (typeof insert === 'string' ? insert : '\ufffc'))
    .join('')
    .slice(from, to);
}

const isPlain = ({ fate, was, insert }: Piece) => fate === 'kept' && !was && typeof insert === 'string';
const hasSameLook = (a: Piece, b: Piece) =>
  JSON.stringify(a.attributes ?? {}) === JSON.stringify(b.attributes ?? {});

/** Returns whether a text contains any change. */
export const isChanged = ({ pieces }: TextDiff): boolean =>
  pieces.some(({ fate, was }) => fate !== 'kept' || Boolean(was));
