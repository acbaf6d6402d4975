// Verifies the signed file of a release without Accord and without any package: Node.js is enough.
//
//   node verify-release.mjs FILE KEY
//
// KEY is a line of the installation's /keys.txt, from a place that you trust. The key inside the file proves nothing.
// The exit status is 0 if the release is unchanged and signed with KEY, otherwise 1.
//
// The script checks that
// - the note is signed with KEY (Ed25519, https://c2sp.org/signed-note);
// - the digest in the note is the SHA-256 of the text's canonical JSON (RFC 8785);
// - the note and the text name the same document and release;
// - each side has as many signatures as the quorum requires.
// `accord verify` also refuses files that two readers could read in two ways (see docs/protocol.md, section 10).

import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [path, trusted] = process.argv.slice(2);

function fail(reason) {
  console.error(`NOT VERIFIED: ${reason}`);
  process.exit(1);
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

/** Returns canonical JSON (RFC 8785): names sorted, no spaces. `JSON.stringify` already writes strings and numbers in this form. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${members.join(',')}}`;
}

/** Reads a key `name+id+base64`. The base64 part is a byte 1 (Ed25519) and the public key; the id is a hash of name and bytes. */
function readKey(line) {
  const [, name, id, base64] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(line?.trim() ?? '') ?? fail('this is not a key');
  const bytes = Buffer.from(base64, 'base64');
  const hash = sha256(Buffer.concat([Buffer.from(`${name}\n`), bytes])).subarray(0, 4).toString('hex');
  if (bytes[0] !== 1 || bytes.length !== 33 || hash !== id) fail('this is not a key');
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.subarray(1).toString('base64url') };
  return { name, id, key: createPublicKey({ key: jwk, format: 'jwk' }) };
}

/** Reads a note: a text, an empty line, and a line `— name base64`. The base64 part is 4 bytes of key id and the signature. */
function readNote(note) {
  const [, text, name, base64] = /^([^]*\n)\n— (\S+) (\S+)\n$/.exec(note) ?? fail('its note is not signed as a note is');
  const bytes = Buffer.from(base64, 'base64');
  return { text, name, id: bytes.subarray(0, 4).toString('hex'), signature: bytes.subarray(4) };
}

let file;
try {
  file = JSON.parse(readFileSync(path, 'utf8'));
} catch (error) {
  fail(`the file can't be read: ${error.message}`);
}
const key = readKey(trusted);
const note = readNote(String(file.note));
if (note.name !== key.name || note.id !== key.id) fail('it is signed with another key than the one you trust');
if (!verify(null, Buffer.from(note.text), key.key, note.signature)) fail('its signature is not genuine');

const [format, json, ...rest] = note.text.split('\n');
const statement = JSON.parse(json);
if (format !== 'accord-release/1' || rest.join() !== '' || canonical(statement) !== json) fail('its statement has another form');
if (sha256(canonical(file.release)).toString('hex') !== statement.digest) fail('its text is not the one that was signed');
const { document, number } = file.release;
if (document !== statement.document || number !== statement.number) fail('text and signatures are of two releases');

const people = new Set(statement.signatories.map(({ person }) => person));
if (people.size !== statement.signatories.length) fail('somebody is counted twice');
for (const side of ['government', 'civil_society']) {
  const signed = statement.signatories.filter(({ sector }) => sector === side).length;
  if (signed < Math.max(1, statement.quorum[side])) fail(`too few signatures of ${side.replace('_', ' ')}`);
}

console.log(`VERIFIED: release ${number} of ${document}, frozen ${new Date(statement.frozen).toISOString()}`);
for (const { name, sector } of statement.signatories) console.log(`signed by ${JSON.stringify(name)}, ${sector.replace('_', ' ')}`);
