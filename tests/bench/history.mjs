// Measures the corresponding work of yjs with the same trace: loading the document, and comparing two snapshots.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as Y from 'yjs';

const file = new URL('../data/automerge-paper.json.gz', import.meta.url);
const { txns } = JSON.parse(gunzipSync(readFileSync(file)));

const doc = new Y.Doc({ gc: false });
const text = doc.getText('problem');
const snapshots = [];
txns.forEach(({ patches }, index) => {
  doc.transact(() => {
    for (const [at, removed, inserted] of patches) {
      if (removed) text.delete(at, removed);
      if (inserted) text.insert(at, inserted);
    }
  });
  if (index % 13_000 === 0) snapshots.push(Y.snapshot(doc));
});
const state = Y.encodeStateAsUpdate(doc);

const spread = (times) => {
  times.sort((a, b) => a - b);
  const at = (percent) => times[Math.floor(((times.length - 1) * percent) / 100)].toFixed(1);
  return `median ${at(50)} ms, 95th percentile ${at(95)} ms`;
};
const timed = (what) => {
  const started = performance.now();
  what();
  return performance.now() - started;
};

console.log(`history, yjs ${process.versions.node}: the document kept whole is ${(state.length / 1e6).toFixed(2)} MB`);
console.log(`  loaded: ${spread(Array.from({ length: 10 }, () => timed(() => Y.applyUpdate(new Y.Doc({ gc: false }), state))))}`);
const pairs = Array.from({ length: 100 }, (_, n) => [snapshots[(n * 7) % snapshots.length], snapshots[(n * 11 + 3) % snapshots.length]]);
console.log(`  two snapshots compared (toDelta): ${spread(pairs.map(([a, b]) => timed(() => JSON.stringify(text.toDelta(a, b)))))}`);
