// The messages about files, beside all others.

import { files } from './files.en';
import { choose, fill, type MessageKey, t as tell } from './index';

export { exactly, list } from './index';

type FilesKey = keyof typeof files;
const messages = choose<Record<FilesKey, string>>({ en: files });

export function t(key: MessageKey | FilesKey, values: Record<string, string | number> = {}): string {
  return key in messages ? fill(messages[key as FilesKey], values) : tell(key as MessageKey, values);
}
