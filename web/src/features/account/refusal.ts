// Finds out why signing in with a provider failed. The server says so in the address to which it sends the browser back.

import { hasMessage, t } from '../../messages';

/**
 * Returns a sentence that says why signing in with a provider failed, or an empty string if it did not fail. Removes
 * the reason from the address of the page, so that the sentence is shown only once.
 */
export function takeRefusal(): string {
  const refusal = new URLSearchParams(location.search).get('refused');
  if (!refusal) return '';
  history.replaceState(null, '', location.pathname);
  const key = `refused.${refusal}`;
  return hasMessage(key) ? t(key) : t('refused.other');
}
