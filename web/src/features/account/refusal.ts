import { hasMessage, t } from '../../messages';

/** Returns the reason why signing in with a provider failed, or an empty string. Removes it from the address, to show it once. */
export function takeRefusal(): string {
  const refusal = new URLSearchParams(location.search).get('refused');
  if (!refusal) return '';
  history.replaceState(null, '', location.pathname);
  const key = `refused.${refusal}`;
  return hasMessage(key) ? t(key) : t('refused.other');
}
