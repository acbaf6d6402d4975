// What makes a release verifiable, in the browser: its digest (SHA-256 over canonical JSON, RFC 8785) and its
// signed note (https://c2sp.org/signed-note, Ed25519). The same judgement as `accord verify` makes.

import { hashes, verify as isSignedBy } from '@noble/ed25519';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import canonicalize from 'canonicalize';
import type { Sector } from '../api/client';
import type { Delta } from '../editor/delta';

hashes.sha512 = sha512;

export interface Released {
  format: string;
  document: string;
  number: number;
  language: string;
  template: string;
  supersedes?: string;
  gaps: string[];
  texts: Record<string, Delta>;
  milestones: { id: string; what: Delta; outputs: Delta; who: Delta; due: string; due_text: string }[];
  facts: Record<string, string>;
}

export interface Statement {
  digest: string;
  document: string;
  number: number;
  plan: string;
  plan_title: string;
  ledger: { lineage: string; seq: number; head: string };
  frozen: number;
  quorum: { government: number; civil_society: number };
  signatories: { person: string; name: string; sector: Sector; time: number }[];
}

const utf8 = new TextEncoder();
const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const unbase64 = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** The SHA-256 of a value's canonical JSON. */
export function digestOf(value: unknown): string {
  return hex(sha256(utf8.encode(canonicalize(value))));
}

/** Why a file is not believed: the key of a message, and its values. */
export interface Fault {
  fault: 'none' | 'text' | 'statement' | 'foreign' | 'number' | 'document' | 'side';
  values?: Record<string, string | number>;
}

export interface Verified {
  released: Released;
  statement: Statement;
  /** The name and id of the key that signed it. */
  key: string;
}

interface Key {
  name: string;
  id: string;
  bytes: Uint8Array;
}

const FIRST_LINE = 'accord-release/1\n';
const ED25519 = 1;

function readKey(text: string): Key | undefined {
  const [, name, id, base64] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  if (!name || !id || !base64) return undefined;
  try {
    const whole = unbase64(base64);
    const found = hex(sha256(new Uint8Array([...utf8.encode(name), 10, ...whole])).slice(0, 4));
    if (whole[0] !== ED25519 || whole.length !== 33 || found !== id) return undefined;
    return { name, id, bytes: whole.slice(1) };
  } catch {
    return undefined;
  }
}

/** The text of a note that a key has signed; `foreign` when it is signed with another. */
function open(note: string, key: Key): string | 'foreign' | 'forged' {
  const at = note.lastIndexOf('\n\n— ');
  if (at < 0 || !note.endsWith('\n')) return 'forged';
  const text = note.slice(0, at + 1);
  for (const line of note.slice(at + 2, -1).split('\n')) {
    const [, name, base64] = /^— (\S+) (\S+)$/.exec(line) ?? [];
    if (!name || !base64) return 'forged';
    const whole = unbase64(base64);
    if (name !== key.name || hex(whole.slice(0, 4)) !== key.id) continue;
    return isSignedBy(whole.slice(4), utf8.encode(text), key.bytes) ? text : 'forged';
  }
  return 'foreign';
}

/** Judges a file by the keys that this installation publishes. */
export function verify(file: string, published: string[]): Verified | Fault {
  let parsed: { release?: unknown; note?: unknown; key?: unknown };
  try {
    parsed = JSON.parse(file) as typeof parsed;
  } catch {
    return { fault: 'none' };
  }
  const { release, note, key } = parsed ?? {};
  const members = Object.keys(parsed ?? {})
    .sort()
    .join();
  if (members !== 'key,note,release' || typeof note !== 'string' || typeof key !== 'string')
    return { fault: 'none' };
  const own = readKey(key);
  if (!own || typeof release !== 'object' || release === null) return { fault: 'none' };
  try {
    return judge(release as Released, note, own, published);
  } catch {
    return { fault: 'statement' };
  }
}

function judge(released: Released, note: string, own: Key, published: string[]): Verified | Fault {
  let opened: string = 'foreign';
  let key = own;
  for (const trusted of published.map(readKey)) {
    if (opened === 'foreign' && trusted) {
      opened = open(note, trusted);
      key = trusted;
    }
  }
  if (opened === 'foreign') return { fault: 'foreign', values: { key: `${own.name}+${own.id}` } };
  if (!opened.startsWith(FIRST_LINE)) return { fault: 'statement' };
  const statement = JSON.parse(opened.slice(FIRST_LINE.length)) as Statement;
  if (released.number !== statement.number) {
    return { fault: 'number', values: { text: released.number, signed: statement.number } };
  }
  if (digestOf(released) !== statement.digest) return { fault: 'text' };
  if (released.document !== statement.document) return { fault: 'document' };
  for (const side of ['government', 'civil_society'] as const) {
    if (!statement.signatories.some(({ sector }) => sector === side)) return { fault: 'side' };
  }
  return { released, statement, key: `${key.name}+${key.id}` };
}
