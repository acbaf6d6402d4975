// Sentences about what can't be frozen.

import { has, t } from '../messages/release';

/** What a place of a document is called. */
function nameOf(place: string): string {
  const [, key = ''] = /([^/]+)$/.exec(place) ?? [];
  const name = `field.${key}`;
  return has(name) ? t(name) : place;
}

export function strangely({ kind, place, said }: { kind: string; place: string; said: string }): string {
  return t(`release.strange.${kind}` as 'release.strange.part', { place: nameOf(place), said });
}
