import type { DocumentSummary } from '../api/client';
import { t } from '.';

/** What a commitment is called in a list: it may have no title yet, or be too busy to say it. */
export function titleOf({ title, busy }: Pick<DocumentSummary, 'title' | 'busy'>): string {
  return busy ? t('plan.busyTitle') : title || t('plan.untitled');
}
