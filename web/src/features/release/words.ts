// Sentences about what can't be frozen.

import type { Strange } from '../../api/client';
import { exactly, has, t } from '../../messages/release';
import { code, isHidden } from './shown';

/** A text field's name: of a milestone by its number, too. */
export function nameOf(place: string, milestones: string[]): string {
  const [, id, key] = /^milestones\/(.*)\/([^/]+)$/.exec(place) ?? [];
  const number = id === undefined ? 0 : milestones.indexOf(id) + 1;
  const name = `field.${key ?? place}`;
  const field = has(name) ? t(name) : seen(place);
  return number > 0 ? t('release.place.milestone', { number, field }) : field;
}

/** What of a document's own words would change this page is shown by its number. */
export function seen(text: string): string {
  return [...text].map((char) => (isHidden(char) ? code(char) : char)).join('');
}

function placeOf({ place, character }: Strange, milestones: string[]): string {
  if (place === 'plan/title') return t('release.place.title');
  const name = `${character?.before ?? ''}${character?.after ?? ''}`;
  return place.startsWith('people/') ? t('release.place.name', { name }) : `“${nameOf(place, milestones)}”`;
}

/** What is strange, where, and why that counts. */
export function strangely(strange: Strange, milestones: string[]): string {
  const { kind, place, said, character } = strange;
  if (!character) {
    return t(`release.strange.${kind}` as 'release.strange.part', {
      place: nameOf(place, milestones),
      said: seen(said),
    });
  }
  return t(character.count > 1 ? 'release.strange.characters' : 'release.strange.character', {
    place: placeOf(strange, milestones),
    said: character.name ? `${character.name} (${said})` : said,
    reason: t(`release.reason.${character.reason}`),
    count: character.count,
  });
}

/** Whether it is in the text, and not in a name or title beside it. */
export const isOfText = ({ place }: Strange) => !/^(plan|people)\//.test(place);

/** What to do about a finding outside the text. */
export function remedy(place: string): string {
  if (place === 'plan/title') return t('release.place.titleWhat');
  return place.startsWith('people/') ? t('release.place.nameWhat') : '';
}

/** The text in the editor that a place is in; nothing for what has none. */
export function anchorOf(place: string): string {
  if (place.includes('/due')) return 'milestones';
  const isText = /^milestones\/.*\/(what|outputs|who)$/.test(place) || has(`field.${place}`);
  return isText ? encodeURIComponent(place) : '';
}

/** Where the draft of one moment is compared with that of another. */
export const comparison = (document: string, from: number, to: number): string =>
  `/documents/${encodeURIComponent(document)}/history?from=${from}&to=${to}`;

/** Since when, or from when, a release is public. */
export function openedText({ opens, public: isPublic }: { opens?: number | null; public: boolean }): string {
  if (!opens) return t('release.notLaunched');
  return t(isPublic ? 'release.isPublic' : 'release.willBePublic', { when: exactly(opens) });
}
