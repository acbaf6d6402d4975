// Makes the sentences of the release page: about unreleasable content, with links to it, and since when a release is public.

import type { Unreleasable } from '../../api/client';
import { formatDateTime, hasMessage, t } from '../../messages/release';
import { isHidden, toCodePoint } from './shown';

/** Returns the name of a text field, with the number of its milestone if it belongs to one. */
export function nameOfPlace(place: string, milestones: string[]): string {
  const [, id, key] = /^milestones\/(.*)\/([^/]+)$/.exec(place) ?? [];
  const number = id === undefined ? 0 : milestones.indexOf(id) + 1;
  const name = `field.${key ?? place}`;
  const field = hasMessage(name) ? t(name) : revealHidden(place);
  return number > 0 ? t('release.place.milestone', { number, field }) : field;
}

/** Returns a text with its invisible characters replaced by code points, so that they can't affect this page. */
export function revealHidden(text: string): string {
  return [...text].map((char) => (isHidden(char) ? toCodePoint(char) : char)).join('');
}

function placeText({ place, character }: Unreleasable, milestones: string[]): string {
  if (place === 'plan/title') return t('release.place.title');
  const name = `${character?.before ?? ''}${character?.after ?? ''}`;
  return place.startsWith('people/')
    ? t('release.place.name', { name })
    : `“${nameOfPlace(place, milestones)}”`;
}

/** Returns a sentence about unreleasable content: what it is, where it is, and why it can't be released. */
export function describeUnreleasable(unreleasable: Unreleasable, milestones: string[]): string {
  const { kind, place, said, character } = unreleasable;
  if (!character) {
    return t(`release.strange.${kind}` as 'release.strange.part', {
      place: nameOfPlace(place, milestones),
      said: revealHidden(said),
    });
  }
  return t(character.count > 1 ? 'release.strange.characters' : 'release.strange.character', {
    place: placeText(unreleasable, milestones),
    said: character.name ? `${character.name} (${said})` : said,
    reason: t(`release.reason.${character.reason}`),
    count: character.count,
  });
}

/** Returns whether unreleasable content is in the text of the commitment, and not in the plan's title or a person's name. */
export const isInText = ({ place }: Unreleasable) => !/^(plan|people)\//.test(place);

/** Returns a sentence that says what to do about a finding outside the text, or an empty string for one in the text. */
export function remedyText(place: string): string {
  if (place === 'plan/title') return t('release.place.titleWhat');
  return place.startsWith('people/') ? t('release.place.nameWhat') : '';
}

/** Returns the anchor of a place on the editor's page, or an empty string if it has none. */
export function anchorOf(place: string): string {
  if (place.includes('/due')) return 'milestones';
  const isText = /^milestones\/.*\/(what|outputs|who)$/.test(place) || hasMessage(`field.${place}`);
  return isText ? encodeURIComponent(place) : '';
}

/** Returns the address of the page that compares the draft of a moment with the draft at the time of opening the page. */
export const comparisonUrl = (document: string, from: number): string =>
  `/documents/${encodeURIComponent(document)}/history?from=${from}`;

/** Returns a sentence that says since when a release is public, when it will be, or that it is not launched. */
export function publicationText({
  opens,
  public: isPublic,
}: {
  opens?: number | null;
  public: boolean;
}): string {
  if (!opens) return t('release.notLaunched');
  return t(isPublic ? 'release.isPublic' : 'release.willBePublic', { when: formatDateTime(opens) });
}
