import { has, t } from '../../messages';

/** Why a sign-in provider's browser came back with nothing, if it did: told once. */
export function takeRefusal(): string {
  const refused = new URLSearchParams(location.search).get('refused');
  if (!refused) return '';
  history.replaceState(null, '', location.pathname);
  const key = `refused.${refused}`;
  return has(key) ? t(key) : t('refused.other');
}
