import { hasMessage, t } from '../../messages';

/** Returns the reason why signing in with a provider failed, or an empty string. Removes it from the address, to show it once. */
export function takeRefusal(): string {
  const refused = new URLSearchParams(location.search).get('refused');
  if (!refused) return '';
  history.replaceState(null, '', location.pathname);
  const key = `refused.${refused}`;
  return hasMessage(key) ? t(key) : t('refused.other');
}
