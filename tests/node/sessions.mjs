// Runs many sessions of correct stock clients. People open a new page or an old one, write, lose their connection,
// continue to write, reconnect, and leave. The server must refuse nobody, and at the end all documents must agree.
import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import * as Y from 'yjs';
import { connect, synced, ticketFor, until } from './stock.mjs';

const [address, count, seed, ...documents] = process.argv.slice(2);
const AT_ONCE = 16;
// Each provider adds a listener for the exit of the process. Raise the number from which on Node warns of a leak.
setMaxListeners(200, process);

/** Creates a seeded generator of random numbers (Mulberry32), so that a run can be repeated. */
function generator(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const random = generator(Number(seed));
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];

const tickets = new Map();
const ticket = async (person, document) => {
  const key = `${person} ${document}`;
  if (!tickets.has(key)) tickets.set(key, await ticketFor(address, person, document));
  return tickets.get(key);
};

/** Pages that people kept from earlier sessions. A session that resumes a page removes it from this list. */
const kept = [];
const refusals = [];
let reconnects = 0;
let edits = 0;

/** Returns the offsets between whole characters: like an editor, the script never edits inside an emoji's surrogate pair. */
function places(text) {
  const all = [0];
  for (const character of text.toString()) all.push(all.at(-1) + character.length);
  return all;
}

const TEXTS = ['problem', 'causes', 'solution', 'notes of ours'];
const undos = new WeakMap();

/** Returns the undo manager of a document. A resumed page keeps its manager, and so can undo edits of its earlier sessions. */
function undoOf(doc) {
  if (!undos.has(doc)) {
    const scope = [...TEXTS.map((root) => doc.getText(root)), doc.getMap('facts')];
    undos.set(doc, new Y.UndoManager(scope, { captureTimeout: 0 }));
  }
  return undos.get(doc);
}

function edit(doc, word) {
  edits += 1;
  const undo = undoOf(doc);
  const text = doc.getText(pick(TEXTS));
  const all = places(text);
  const n = below(all.length);
  const at = all[n];
  const length = (all[n + 1] ?? at) - at;
  switch (below(9)) {
    case 0:
      if (length > 0) text.delete(at, length);
      break;
    case 1:
      if (length > 0) text.format(at, length, { bold: random() < 0.5 || null });
      break;
    case 2:
      doc.getMap('facts').set('period_from', `2027-01-${String(1 + below(28)).padStart(2, '0')}`);
      break;
    case 3:
      undo.undo();
      break;
    case 4:
      undo.redo();
      break;
    default:
      text.insert(at, pick([word, '한글', '😀', '\n', 'é']));
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, below(30)));

async function session(number) {
  const person = pick(['ana', 'ben', 'fay']);
  const old = kept.findIndex((one) => one.person === person);
  const [resumed] = old >= 0 && random() < 0.5 ? kept.splice(old, 1) : [];
  const document = resumed?.document ?? pick(documents);
  const options = { version: pick(['3.0', '3.1']), ...(resumed ? { doc: resumed.doc } : {}) };
  // Before a resumed page connects, its person makes some edits offline.
  if (resumed) for (let n = below(6); n > 0; n -= 1) edit(resumed.doc, `o${number} `);
  const { doc, provider, closes } = await connect(address, await ticket(person, document), document, options);
  for (let spell = 1 + below(3); spell > 0; spell -= 1) {
    for (let n = below(8); n > 0; n -= 1) {
      edit(doc, `s${number} `);
      if (random() < 0.3) provider.awareness.setLocalStateField('cursor', { anchor: n, head: n });
      if (random() < 0.3) await pause();
    }
    if (random() < 0.6) {
      reconnects += 1;
      provider.disconnect();
      for (let n = below(6); n > 0; n -= 1) edit(doc, `a${number} `);
      if (random() < 0.5) await pause();
      provider.connect();
      await synced(provider);
    }
  }
  // Half of the people leave without a pause. Their unsent edits stay in the page that they keep.
  if (random() < 0.5) await pause();
  refusals.push(...closes.filter(({ code }) => code >= 4400 && code < 4500));
  provider.destroy();
  kept.push({ person, document, doc });
}

let next = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (next < Number(count)) {
      next += 1;
      await session(next);
    }
  }),
);

// The kept pages connect once more, and must all show the same text.
for (const document of documents) {
  const all = [];
  // Only the last 12 pages of a document connect, to bound the number of connections.
  for (const one of kept.filter((page) => page.document === document).slice(-12)) {
    all.push(await connect(address, await ticket(one.person, document), document, { doc: one.doc }));
  }
  const last = await connect(address, await ticket('ben', document), document);
  const saying = ({ doc }) => JSON.stringify(TEXTS.map((root) => doc.getText(root).toDelta()));
  await until(`all agree on ${document}`, () => all.every((one) => saying(one) === saying(last)));
  for (const { provider, closes } of [...all, last]) {
    refusals.push(...closes.filter(({ code }) => code >= 4400 && code < 4500));
    provider.destroy();
  }
}
assert.deepEqual(refusals, []);
console.log(`${count} sessions, ${reconnects} reconnects, ${edits} edits, none refused`);
process.exit(0);
