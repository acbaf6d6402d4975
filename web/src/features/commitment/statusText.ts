// Chooses the words for the save status (`web/src/sync/status.ts`), which the page shows and screen readers announce.

import { t } from '../../messages';
import type { SaveStatus } from '../../sync/live.svelte';

/** Returns the save status in words. `deviceFailed` says that this device can't keep unsaved edits. */
export function statusText(status: SaveStatus, deviceFailed: boolean): string {
  if (status.state !== 'offline') return t(`status.${status.state}`);
  if (!status.unsaved) return t('status.offline');
  return deviceFailed ? t('status.deviceFailed') : t('status.offlineUnsaved');
}
