// The messages of the pages for accounts, people, records and administration, beside all others.

import { choose, fill, has as hasMessage, type MessageKey, t as tell } from './index';
import { steering } from './steering.en';

export { ago, exactly } from './index';

type SteeringKey = keyof typeof steering;
const messages = choose<Record<SteeringKey, string>>({ en: steering });

const isSteering = (key: string): key is SteeringKey => key in messages;

export function t(key: MessageKey | SteeringKey, values: Record<string, string | number> = {}): string {
  return isSteering(key) ? fill(messages[key], values) : tell(key, values);
}

/** Whether there is such a message. */
export function has(key: string): key is MessageKey | SteeringKey {
  return isSteering(key) || hasMessage(key);
}
