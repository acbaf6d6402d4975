// The messages of the pages on the way to a release, beside all others.

import { choose, fill, has as hasMessage, type MessageKey, t as tell } from './index';
import { release } from './release.en';

export { ago, exactly, list } from './index';

type ReleaseKey = keyof typeof release;
const messages = choose<Record<ReleaseKey, string>>({ en: release });

const isRelease = (key: string): key is ReleaseKey => key in messages;

export function t(key: MessageKey | ReleaseKey, values: Record<string, string | number> = {}): string {
  return isRelease(key) ? fill(messages[key], values) : tell(key, values);
}

/** Whether there is such a message. */
export function has(key: string): key is MessageKey | ReleaseKey {
  return isRelease(key) || hasMessage(key);
}
