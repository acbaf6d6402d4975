// Verifies a release in the browser: its digest (SHA-256 over canonical JSON, RFC 8785) and its signed note
// (https://c2sp.org/signed-note, Ed25519). The verdicts are those of `accord verify`: `tests/data/verify` contains files
// with the verdict that both must give.

import { hashes, Point, verify as verifyEd25519 } from '@noble/ed25519';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import canonicalize from 'canonicalize';
import { digestOf, toHex } from './digest';
import { isObject, isReleased, isStatement, isU32, type Released, type Statement } from './shape';
import { isHidden } from './shown';
import { parseStrictly, Unreadable } from './strict';

hashes.sha512 = sha512;

const utf8 = new TextEncoder();

/** Returns the bytes of a base64 text, or `undefined` if it is not in canonical form. `atob` alone accepts other forms. */
function decodeBase64(text: string): Uint8Array | undefined {
  try {
    const binary = atob(text);
    return btoa(binary) === text ? Uint8Array.from(binary, (c) => c.charCodeAt(0)) : undefined;
  } catch {
    return undefined;
  }
}

/** The reason why a file is not verified: the key of a message, and its values. String values are words from the file. */
export interface Fault {
  fault:
    | 'none'
    | 'twice'
    | 'text'
    | 'statement'
    | 'form'
    | 'foreign'
    | 'number'
    | 'document'
    | 'side'
    | 'quorum'
    | 'signatories';
  values?: Record<string, string | number>;
}

export interface Verified {
  released: Released;
  statement: Statement;
  /** The public key that verifies the note, in the form `name+id+base64`. */
  key: string;
  /** The name in `key`. */
  keyName: string;
  /** The key that the file names as its own, if the note is signed with another key. */
  otherKey: string | undefined;
}

interface PublicKey {
  name: string;
  id: string;
  bytes: Uint8Array;
  /** The key in the form `name+id+base64`. */
  text: string;
}

interface SignedNote {
  text: string;
  signatures: { name: string; id: string; signature: Uint8Array }[];
}

const NOTE_FIRST_LINE = 'accord-release/1\n';
const ED25519_ALGORITHM = 1;
/** Maximum number of signatures that a quorum can require from a side. */
const MAX_SIGNATORIES = 20;
/** The last moment with a year of four digits, in milliseconds since the Unix epoch. */
const MAX_TIME_MS = 253_402_300_799_999;

const isKeyName = (name: string) =>
  name !== '' && !name.includes('+') && ![...name].some((char) => char === ' ' || isHidden(char));

function readKey(text: string): PublicKey | undefined {
  const [, name, id, base64] = /^([^+]*)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? [];
  const decoded = base64 && decodeBase64(base64);
  if (name === undefined || id === undefined || !decoded || !isKeyName(name)) return undefined;
  const keyId = toHex(sha256(new Uint8Array([...utf8.encode(name), 10, ...decoded])).slice(0, 4));
  if (decoded[0] !== ED25519_ALGORITHM || decoded.length !== 33 || keyId !== id) return undefined;
  const bytes = decoded.slice(1);
  try {
    Point.fromBytes(bytes, true);
    return { name, id, bytes, text };
  } catch {
    return undefined;
  }
}

/** Splits a note into its text and signatures, or returns `undefined` if a line below the text is not a signature. */
function readNote(note: string): SignedNote | undefined {
  const at = note.lastIndexOf('\n\n— ');
  // The format allows no characters below U+0020 except the line break.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern looks for control characters.
  if (at < 0 || !note.endsWith('\n') || /[\0-\x09\x0b-\x1f]/.test(note)) return undefined;
  const signatures = [];
  for (const line of note.slice(at + 2, -1).split('\n')) {
    const [, name, base64] = /^— ([^ ]+) (\S+)$/.exec(line) ?? [];
    const decoded = base64 && decodeBase64(base64);
    if (!name || !isKeyName(name) || !decoded || decoded.length < 5) return undefined;
    signatures.push({ name, id: toHex(decoded.slice(0, 4)), signature: decoded.slice(4) });
  }
  return { text: note.slice(0, at + 1), signatures };
}

function isSignedWith({ text, signatures: [signature] }: SignedNote, key: PublicKey): boolean {
  return (
    signature?.signature.length === 64 &&
    verifyEd25519(signature.signature, utf8.encode(text), key.bytes, { zip215: false })
  );
}

/** Verifies a file with the keys that this installation publishes. */
export function verifyRelease(file: Uint8Array, published: string[]): Verified | Fault {
  let parsed: unknown;
  try {
    parsed = parseStrictly(file);
  } catch (error) {
    return { fault: error instanceof Unreadable ? error.fault : 'none' };
  }
  if (!isObject(parsed) || Object.keys(parsed).sort().join() !== 'key,note,release') return { fault: 'none' };
  const { release, note, key } = parsed;
  const fileKey = typeof key === 'string' ? readKey(key) : undefined;
  const signedNote = typeof note === 'string' ? readNote(note) : undefined;
  // Accord signs a note once. Further signatures, which nobody verifies, would only make a file look more trustworthy.
  const [signature] = signedNote?.signatures ?? [];
  if (!fileKey || !signedNote || !signature || signedNote.signatures.length !== 1) return { fault: 'none' };
  const keys = published.map((line) => readKey(line.trim()));
  const signedWith = keys.find((known) => known?.name === signature.name && known.id === signature.id);
  if (!signedWith) return { fault: 'foreign', values: { key: `${signature.name}+${signature.id}` } };
  if (!isSignedWith(signedNote, signedWith)) return { fault: 'statement' };
  const statement = readStatement(signedNote.text);
  if (!statement) return { fault: 'form' };
  const released = isReleased(release) ? release : undefined;
  const fault = faultOfText(release, statement) ?? (released ? undefined : { fault: 'none' as const });
  if (fault || !released) return fault ?? { fault: 'none' };
  if (released.document !== statement.document) return { fault: 'document' };
  const otherKey = fileKey.text === signedWith.text ? undefined : fileKey.text;
  return (
    faultOfSignatories(statement) ?? {
      released,
      statement,
      key: signedWith.text,
      keyName: signedWith.name,
      otherKey,
    }
  );
}

/** Returns the statement in the text of a note, or `undefined` if the text is not in its only valid form. */
function readStatement(text: string): Statement | undefined {
  if (!text.startsWith(NOTE_FIRST_LINE)) return undefined;
  const json = text.slice(NOTE_FIRST_LINE.length);
  try {
    const statement: unknown = JSON.parse(json);
    return isStatement(statement) && `${canonicalize(statement)}\n` === json ? statement : undefined;
  } catch {
    return undefined;
  }
}

function faultOfText(release: unknown, statement: Statement): Fault | undefined {
  const number = isObject(release) ? release.number : undefined;
  if (isU32(number) && number !== statement.number) {
    return { fault: 'number', values: { text: number, signed: statement.number } };
  }
  return digestOf(release) === statement.digest ? undefined : { fault: 'text' };
}

/** Checks the signatories: both sides must have their quorum, and nobody can count twice. Returns the fault, if any. */
function faultOfSignatories({ signatories, quorum, frozen }: Statement): Fault | undefined {
  const people = new Set<string>();
  for (const { person, name, sector } of signatories) {
    const isSide = sector === 'government' || sector === 'civil_society';
    if (!isSide || people.has(person)) return { fault: 'signatories', values: { name } };
    people.add(person);
  }
  for (const side of ['government', 'civil_society'] as const) {
    const found = signatories.filter(({ sector }) => sector === side).length;
    const needed = quorum[side];
    if (found === 0) return { fault: 'side' };
    if (needed < 1 || needed > MAX_SIGNATORIES || found < needed)
      return { fault: 'quorum', values: { needed, found } };
  }
  return [frozen, ...signatories.map(({ time }) => time)].every((time) => time <= MAX_TIME_MS)
    ? undefined
    : { fault: 'form' };
}
