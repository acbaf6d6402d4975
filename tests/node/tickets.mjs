// Tries several tickets in a stock client. The server must refuse all but the last, and must then receive the text that
// was typed before.
// `tickets.mjs ADDRESS DOCUMENT VERSION TICKET…`
import assert from 'node:assert/strict';
import WebSocket from 'ws';
import * as Y from 'yjs';
import { providers, synced, until } from './stock.mjs';

const [address, document, version, ...tickets] = process.argv.slice(2);
const doc = new Y.Doc();
const errors = [];
const statuses = [];
const provider = new providers[version](`ws://${address}/sync`, document, doc, {
  params: { ticket: tickets[0] },
  WebSocketPolyfill: WebSocket,
  disableBc: true,
  maxBackoffTime: 200,
});
provider.on('connection-error', ({ message }) => errors.push(message));
provider.on('status', ({ status }) => statuses.push(status));
doc.getText('problem').insert(0, 'typed meanwhile ');
for (const next of tickets.slice(1)) {
  const before = errors.length;
  await until('refused', () => errors.length > before + 1);
  assert.match(errors.at(-1), /401/);
  assert.ok(!provider.synced && !statuses.includes('connected'), 'not let in');
  provider.params = { ticket: next };
}
await synced(provider);
const state = Y.encodeStateVector(doc);
// When a second client receives the typed text, that text is on the server's disk.
const second = new Y.Doc();
const other = new providers[version](`ws://${address}/sync`, document, second, {
  params: { ticket: tickets.at(-1) },
  WebSocketPolyfill: WebSocket,
  disableBc: true,
});
await until('a second client has it', () => Buffer.compare(Y.encodeStateVector(second), state) === 0);
provider.destroy();
other.destroy();
process.exit(0);
