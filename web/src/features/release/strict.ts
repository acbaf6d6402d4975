// Reading a release's file so that every reader reads the same: a name occurs once in an object, a number has one way
// to be written, and what a file can cost is bounded before anything is built from it. The same rules as
// `server/signing/src/strict.rs`.

/** The largest file that is read, in bytes. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_VALUES = 500_000;
const MAX_DEPTH = 16;

/** Why a file is not read: `twice` when a name occurs twice in one object. */
export class Unreadable extends Error {
  constructor(readonly fault: 'none' | 'twice') {
    super(fault);
  }
}

interface Open {
  /** The names of an object; a list has none. */
  names: Set<string> | undefined;
  name: string;
  expectsName: boolean;
}

/** Reads a file, or throws `Unreadable`. */
export function read(file: Uint8Array): unknown {
  if (file.length > MAX_FILE_BYTES) throw new Unreadable('none');
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file);
    scan(text);
    return JSON.parse(text);
  } catch (error) {
    throw error instanceof Unreadable ? error : new Unreadable('none');
  }
}

/** A mark, the beginning of a string, a number, or a word. */
const TOKEN = /["{}[\],]|[-0-9][-+.0-9eE]*|[a-z]+/g;
const SURROGATE = /\p{Surrogate}/u;

/** Looks for what JSON permits and a release may not have. Text that is no JSON may pass: `JSON.parse` finds that. */
function scan(text: string): void {
  const open: Open[] = [];
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
      // One name can be written in several ways ("a", "\u0061"): what it says counts.
      const said = JSON.parse(text.slice(found.index, token.lastIndex)) as string;
      if (SURROGATE.test(said)) throw new Unreadable('none');
      if (top?.expectsName) {
        if (top.names?.has(said)) throw new Unreadable('twice');
        top.names?.add(said);
        top.name = said;
        top.expectsName = false;
        continue;
      }
    } else if (/[-0-9]/.test(mark) && !isWhole(mark, top?.name ?? '')) {
      throw new Unreadable('none');
    }
    values += 1;
    if (open.length > MAX_DEPTH || values > MAX_VALUES) throw new Unreadable('none');
  }
}

/** The place behind the quotation mark that ends a string, or behind the text. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text[at - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return at + 1;
  }
  return text.length;
}

/** Whether a number is a whole one in the one way there is. Levels of headings and lists may end in `.0`. */
function isWhole(number: string, name: string): boolean {
  const digits = name === 'header' || name === 'indent' ? number.replace(/\.0$/, '') : number;
  return /^(0|-?[1-9]\d*)$/.test(digits) && Number.isSafeInteger(Number(digits));
}
