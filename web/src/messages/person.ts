// How pages name a person, also one who was erased, and describe a person's role and side in a plan.

import type { Sector, Standing } from '../api/client';
import { t } from '.';

/** Returns a person's name, or a description of their sector if the name is empty, because the person was erased. */
export function nameOfPerson({ name, sector }: { name: string; sector: Sector }): string {
  return name || t(`person.former.${sector}`);
}

/** Returns a person's standing in a plan in words. */
export function standingText({ seat, sector, signatory }: Standing): string {
  const parts: string[] = [t(`seat.${seat}`)];
  if (seat !== 'adviser') parts.push(t(`sector.${sector}`));
  if (signatory) parts.push(t('seat.signs'));
  return parts.join(' · ');
}
