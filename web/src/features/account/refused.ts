import { has, t } from '../../messages';

/** The reason why signing in with a provider failed, if it did. It is given once. */
export function takeRefusal(): string {
  const refused = new URLSearchParams(location.search).get('refused');
  if (!refused) return '';
  history.replaceState(null, '', location.pathname);
  const key = `refused.${refused}`;
  return has(key) ? t(key) : t('refused.other');
}
