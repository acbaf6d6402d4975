// How pages name a commitment.

import type { DocumentSummary } from '../api/client';
import { t } from '.';

/** Returns a commitment's title, or words in its place if the title is empty or the server is too busy to read it. */
export function titleOf({ title, busy }: Pick<DocumentSummary, 'title' | 'busy'>): string {
  return busy ? t('plan.busyTitle') : title || t('plan.untitled');
}
