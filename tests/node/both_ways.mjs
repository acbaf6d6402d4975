// Connects two stock clients, one with y-websocket 3.0 and one with 3.1, and checks that text, formatting, awareness and
// reconnects work in both directions.
import assert from 'node:assert/strict';
import * as Y from 'yjs';
import { connect, sleep, synced, ticketFor, until } from './stock.mjs';

const [address, document] = process.argv.slice(2);
const a = await connect(address, await ticketFor(address, 'ana', document), document, { version: '3.0' });
const b = await connect(address, await ticketFor(address, 'ben', document), document, { version: '3.1' });
const text = (client) => client.doc.getText('problem').toString();
const same = () => text(a) === text(b);

a.doc.getText('problem').insert(0, 'from three-oh ');
b.doc.getText('problem').insert(0, '한글 😀 ');
await until('both see both', () => same() && text(a).includes('한글') && text(a).includes('three-oh'));

a.doc.getText('problem').format(0, 2, { bold: true });
b.doc.getMap('anything').set('nested', new Y.Map([['deep', 1]]));
await until('formats and other roots', () => a.doc.getMap('anything').get('nested')?.get('deep') === 1);
assert.deepEqual(a.doc.getText('problem').toDelta(), b.doc.getText('problem').toDelta());

// Awareness: Ben sees Ana under the name that the server knows, not under the one that her client claims.
a.provider.awareness.setLocalStateField('user', { name: 'Somebody else', color: '#000000' });
await until('names', () => {
  const states = [...b.provider.awareness.getStates().values()];
  return states.some((state) => state.user?.name === 'Ana Ferreira') && states.length === 2;
});

// States that a client sets while it connects cross with what the server sends about it. They come to rest: the last state
// stays, and clients do not answer each other without end.
const crossing = [];
for (let round = 0; round < 12; round += 1) {
  let moving;
  const c = await connect(address, await ticketFor(address, 'ana', document), document, {
    started: ({ awareness }) => (moving = setTimeout(() => awareness.setLocalStateField('cursor', { anchor: round }), round * 3)),
  });
  clearTimeout(moving);
  c.provider.awareness.setLocalStateField('cursor', { anchor: round });
  crossing.push(c);
}
await sleep(300);
let updates = 0;
b.provider.awareness.on('update', () => (updates += 1));
await sleep(500);
assert.ok(updates <= 3, `${updates} awareness updates in half a second, although nobody moves`);
for (const [round, { doc }] of crossing.entries())
  for (const { provider } of [b, crossing[round]])
    assert.equal(provider.awareness.getStates().get(doc.clientID)?.cursor?.anchor, round);
for (const { provider } of crossing) provider.destroy();
await until('they are gone', () => b.provider.awareness.getStates().size === 2);

// Content that was created and deleted offline arrives as garbage-collected structs. The server must accept them.
b.provider.disconnect();
const notes = b.doc.getMap('notes');
notes.set('draft', new Y.Map([['title', new Y.Text('to be deleted')]]));
notes.get('draft').get('title').insert(0, 'all of it ');
notes.set('draft', 'replaced');
b.doc.getText('problem').insert(0, 'typed and deleted');
b.doc.getText('problem').delete(0, 17);
b.doc.getArray('list').insert(0, [1, [2, { three: 3 }], 'four']);
b.doc.getArray('list').delete(1, 1);
b.doc.getXmlFragment('xml').insert(0, [new Y.XmlElement('p')]);
b.doc.getXmlFragment('xml').delete(0, 1);
b.provider.connect();
await synced(b.provider);
await until('what is left arrives', () => a.doc.getMap('notes').get('draft') === 'replaced' && a.doc.getArray('list').length === 2);

// Each of the twenty reconnects brings edits that one client made offline and the other made online.
for (let round = 0; round < 20; round += 1) {
  const [away, here] = round % 2 ? [a, b] : [b, a];
  away.provider.disconnect();
  away.doc.getText('problem').insert(0, `away${round} `);
  here.doc.getText('problem').insert(text(here).length, ` here${round}`);
  away.provider.connect();
  await synced(away.provider);
  await until(`round ${round}`, () => same() && text(a).includes(`away${round} `) && text(a).includes(` here${round}`));
}
await until('visible again', () => b.provider.awareness.getStates().size === 2 && a.provider.awareness.getStates().size === 2);
const final = [...a.closes, ...b.closes].filter(({ code }) => code >= 4400 && code < 4500);
assert.deepEqual(final, []);
process.exit(0);
