// Decides which changes and sittings pass the filters of the history page.

import type { Author, Change, Diff, Sector, Sitting } from '../../api/client';
import { SECTION_OF } from '../../generated/fields';
import { SECTIONS } from '../../generated/sections';
import { t } from '../../messages/history';

export interface Filter {
  person?: string;
  sector?: Sector;
  /** A section of the page, or `title` for the title, which is above all sections. */
  section?: string;
}

export function authorPasses({ person, sector }: Filter, author: Author | undefined): boolean {
  return (!person || author?.person === person) && (!sector || author?.sector === sector);
}

/** The title, which is above all sections, and the sections. */
export const SECTION_CHOICES = ['title', ...SECTIONS] as const;

export const nameOfSection = (section: string): string =>
  section === 'title' ? t('field.title') : t(`section.${section as 'who'}`);

/** Returns the id of the section in which the page shows a text. Without a target, as for dates, it is the section `when`. */
export function sectionOf(target: string | null | undefined, diff: Pick<Diff, 'texts'>): string {
  if (!target) return 'when';
  if (target.startsWith('milestones/')) return 'milestones';
  return diff.texts.find((text) => text.target === target)?.section ?? 'title';
}

export function changePasses(filter: Filter, change: Change, diff: Diff): boolean {
  if (!authorPasses(filter, diff.authors[change.by.author])) return false;
  return !filter.section || sectionOf(change.target, diff) === filter.section;
}

/** Returns whether any work in a sitting passes the filter. */
export function sittingPasses(filter: Filter, sitting: Sitting, authors: Author[]): boolean {
  return sitting.tallies.some(
    ({ author, target }) =>
      authorPasses(filter, authors[author]) && (!filter.section || sectionOfTally(target) === filter.section),
  );
}

/** Returns the id of the section to which the work on a text belongs. Work without a target, as on dates, belongs to `when`. */
export function sectionOfTally(target: string | null | undefined): string {
  if (!target) return 'when';
  return target.startsWith('milestones/') ? 'milestones' : (SECTION_OF[target] ?? 'title');
}
