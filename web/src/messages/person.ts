import type { Sector, Standing } from '../api/client';
import { t } from '.';

/** A person's name, or what they were once they are forgotten. */
export function nameOf({ name, sector }: { name: string; sector: Sector }): string {
  return name || t(`person.former.${sector}`);
}

/** A place in a plan in words. */
export function standingText({ seat, sector, signatory }: Standing): string {
  const parts: string[] = [t(`seat.${seat}`)];
  if (seat !== 'adviser') parts.push(t(`sector.${sector}`));
  if (signatory) parts.push(t('seat.signs'));
  return parts.join(' · ');
}
