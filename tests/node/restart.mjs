// Checks that two stock clients lose no word when the server is killed and started again while they type.
import assert from 'node:assert/strict';
import { connect, ticketFor, until } from './stock.mjs';

const [address, document] = process.argv.slice(2);
const clients = [
  await connect(address, await ticketFor(address, 'ana', document), document, { version: '3.0' }),
  await connect(address, await ticketFor(address, 'ben', document), document, { version: '3.1' }),
];
const text = (client) => client.doc.getText('problem').toString();
const words = [];
for (let n = 0; n < 80; n += 1) {
  const client = clients[n % 2];
  const word = `w${n};`;
  words.push(word);
  client.doc.getText('problem').insert(n % 3 ? 0 : text(client).length, word);
  await new Promise((resolve) => setTimeout(resolve, 100));
}
await until('both agree', () => clients.every((c) => c.provider.synced) && text(clients[0]) === text(clients[1]), 40_000);
for (const word of words) assert.equal(text(clients[0]).split(word).length, 2, word);
// The clients reconnected with their old tickets: a ticket is valid as long as its session, also after a restart.
assert.ok(clients.some((client) => client.closes.length > 0), 'the server did go away');
process.exit(0);
