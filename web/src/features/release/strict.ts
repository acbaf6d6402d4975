// Reads the file of a release strictly, so that all readers find the same content: a name occurs once in an object, and a
// number can be written in one way only. The cost of a file is bounded before anything is built from it. The rules are those
// of `server/signing/src/strict.rs`.

/** Maximum size of a file, in bytes. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_VALUES = 500_000;
const MAX_DEPTH = 16;

/** The error for a file that breaks the rules. The fault is `twice` if a name occurs twice in one object. */
export class Unreadable extends Error {
  constructor(readonly fault: 'none' | 'twice') {
    super(fault);
  }
}

interface OpenValue {
  /** The names so far in an object, or `undefined` for a list. */
  names: Set<string> | undefined;
  name: string;
  expectsName: boolean;
}

/** Returns the JSON value of a file. Throws `Unreadable` if the file is too large, is not JSON, or breaks a rule. */
export function parseStrictly(file: Uint8Array): unknown {
  if (file.length > MAX_FILE_BYTES) throw new Unreadable('none');
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file);
    scan(text);
    return JSON.parse(text);
  } catch (error) {
    throw error instanceof Unreadable ? error : new Unreadable('none');
  }
}

/** Matches a punctuation mark, the quotation mark that begins a string, a number, or a word. */
const TOKEN = /["{}[\],]|[-0-9][-+.0-9eE]*|[a-z]+/g;
const SURROGATE = /\p{Surrogate}/u;

/**
 * Throws `Unreadable` for anything that JSON allows but a release must not contain. Text that is not JSON can pass, because
 * `JSON.parse` refuses it later.
 */
function scan(text: string): void {
  const open: OpenValue[] = [];
  const token = new RegExp(TOKEN);
  let values = 0;
  for (let found = token.exec(text); found; found = token.exec(text)) {
    const [mark] = found;
    const top = open.at(-1);
    if (mark === '{' || mark === '[') {
      open.push({ names: mark === '{' ? new Set() : undefined, name: '', expectsName: mark === '{' });
    } else if (mark === '}' || mark === ']') {
      open.pop();
      continue;
    } else if (mark === ',') {
      if (top?.names) top.expectsName = true;
      continue;
    } else if (mark === '"') {
      token.lastIndex = endOfString(text, token.lastIndex);
      // Names are decoded before they are compared, because one name can be written in several ways ("a", "\u0061").
      const decoded = JSON.parse(text.slice(found.index, token.lastIndex)) as string;
      if (SURROGATE.test(decoded)) throw new Unreadable('none');
      if (top?.expectsName) {
        if (top.names?.has(decoded)) throw new Unreadable('twice');
        top.names?.add(decoded);
        top.name = decoded;
        top.expectsName = false;
        continue;
      }
    } else if (/[-0-9]/.test(mark) && !isInteger(mark, top?.name ?? '')) {
      throw new Unreadable('none');
    }
    values += 1;
    if (open.length > MAX_DEPTH || values > MAX_VALUES) throw new Unreadable('none');
  }
}

/** Returns the offset behind the quotation mark that ends a string, or the end of the text if there is none. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text[at - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return at + 1;
  }
  return text.length;
}

/** Returns whether a number is an integer in its only valid form. Levels of headings and lists may end in `.0`. */
function isInteger(number: string, name: string): boolean {
  const digits = name === 'header' || name === 'indent' ? number.replace(/\.0$/, '') : number;
  return /^(0|-?[1-9]\d*)$/.test(digits) && Number.isSafeInteger(Number(digits));
}
