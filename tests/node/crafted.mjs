// Reads the documents of a file with Yjs, and compares what they show with what the file says: crafted.mjs FILE
//
// Each line of the file is a document, as JSON: its updates, the whole document as one update, and what it shows.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import * as Y from 'yjs';

const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64'));
const reader = (value) => {
  if (value instanceof Y.Text) return runs(value);
  if (value instanceof Y.Map) return entries(value);
  return value instanceof Y.AbstractType ? 'something else' : value;
};

/** Returns the values of a map. A format mark under a key has no value: Yjs lists the key, and yrs does not. */
function entries(map) {
  const all = [...map.entries()].filter(([, value]) => value !== undefined);
  return Object.fromEntries(all.map(([key, value]) => [key, reader(value)]));
}

/** Returns the characters and embedded values of a text, each with its attributes. */
function runs(text) {
  return text.toDelta().flatMap(({ insert, attributes = {} }) => {
    const set = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null));
    return typeof insert === 'string' ? [...insert].map((char) => [char, set]) : [[reader(insert), set]];
  });
}

function shown(updates) {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, bytes(update));
  if (doc.store.pendingStructs || doc.store.pendingDs) throw new Error('Yjs waits for more');
  return {
    title: reader(doc.getText('title')),
    problem: reader(doc.getText('problem')),
    milestones: reader(doc.getMap('milestones')),
    facts: reader(doc.getMap('facts')),
    elsewhere: reader(doc.getMap('elsewhere')),
  };
}

/** Whether a document has, or `update` brings, everything that `update` refers to. */
function isReady(doc, { structs, ds }) {
  const known = (id) => !id?.client || id.clock < Y.getState(doc.store, id.client) || brings(structs, id);
  const follows = ({ id: { client, clock } }) => clock === 0 || known({ client, clock: clock - 1 });
  const deletes = [...ds.clients].flatMap(([client, ranges]) =>
    ranges.map(({ clock, len }) => ({ client, clock: clock + len - 1 })),
  );
  return (
    deletes.every(known) &&
    structs.every((item) => follows(item) && known(item.origin) && known(item.rightOrigin) && known(item.parent))
  );
}

const brings = (structs, { client, clock }) =>
  structs.some(({ id, length }) => id.client === client && id.clock <= clock && clock < id.clock + length);

/**
 * Returns updates in an order in which each comes after everything that it refers to. Which of the possible orders it is
 * depends on `seed` alone.
 */
function reordered(updates, seed) {
  const doc = new Y.Doc();
  const order = [];
  const left = updates.map((update) => ({ update, decoded: Y.decodeUpdate(bytes(update)) }));
  while (left.length > 0) {
    const hash = createHash('sha256').update(`${seed} ${order.length}`).digest().readUInt32LE();
    const ready = left.filter(({ decoded }) => isReady(doc, decoded));
    const next = ready[hash % ready.length];
    left.splice(left.indexOf(next), 1);
    Y.applyUpdate(doc, bytes(next.update));
    order.push(next.update);
  }
  return order;
}

let differ = 0;
for (const line of readFileSync(process.argv[2], 'utf8').trim().split('\n')) {
  const document = JSON.parse(line);
  const ways = [
    ['update by update', document.updates],
    ['in another order', reordered(document.updates, document.seed)],
    ['as a whole', [document.whole]],
  ];
  for (const [how, updates] of ways) {
    let seen;
    try {
      seen = shown(updates);
    } catch (error) {
      seen = { error: error.stack };
    }
    if (isDeepStrictEqual(seen, document.shown)) continue;
    differ += 1;
    console.log(`document ${document.seed}, ${how}:\nYjs    ${JSON.stringify(seen)}\nAccord ${JSON.stringify(document.shown)}`);
  }
}
process.exit(differ > 0 ? 1 : 0);
