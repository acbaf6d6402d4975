import type { DocumentSummary } from '../api/client';
import { t } from '.';

/** Returns the title of a commitment, or words to show in its place if it is empty or the server is too busy to read it. */
export function titleOf({ title, busy }: Pick<DocumentSummary, 'title' | 'busy'>): string {
  return busy ? t('plan.busyTitle') : title || t('plan.untitled');
}
