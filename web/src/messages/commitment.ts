import type { DocumentSummary } from '../api/client';
import { t } from '.';

/** Returns the title of a commitment for a list, or a replacement if it has none yet or is too busy to be read. */
export function titleOf({ title, busy }: Pick<DocumentSummary, 'title' | 'busy'>): string {
  return busy ? t('plan.busyTitle') : title || t('plan.untitled');
}
