// Writes in a commitment with a stock Yjs client: sign in, get a ticket, connect, type.
//
//   npm install
//   node stock-client.mjs http://127.0.0.1:4040 ana demo "A sentence to add."
//
// The arguments are the server's address, a demo person, a document and a text. Without a text, the client only reads.

import WebSocket from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

const [address, person, document, sentence] = process.argv.slice(2);
const json = { 'content-type': 'application/json' };

/** Calls the API. An answer that is not a success has a code for programs (`error`) and a sentence for people (`message`). */
async function call(path, { method = 'GET', headers = {}, body } = {}) {
  const answer = await fetch(`${address}/api/v1${path}`, { method, headers, body });
  if (!answer.ok) {
    const { error, message } = await answer.json();
    throw new Error(`${path}: ${answer.status} ${error}: ${message}`);
  }
  return answer;
}

// 1. Sign in. A real installation takes { email, password } in place of { demo }.
const session = await call('/session', { method: 'POST', headers: json, body: JSON.stringify({ demo: person }) });
const cookie = session.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');

// 2. Get a ticket for one document. A WebSocket client outside a browser can't send the cookie, and sends the ticket instead.
const tickets = await call(`/documents/${document}/tickets`, { method: 'POST', headers: { cookie } });
const { ticket } = await tickets.json();

// 3. Connect. y-websocket opens ws://…/sync/{document}?ticket=…
const doc = new Y.Doc();
const provider = new WebsocketProvider(`${address.replace(/^http/, 'ws')}/sync`, document, doc, {
  params: { ticket },
  WebSocketPolyfill: WebSocket,
});
provider.on('connection-close', (event) => {
  // Close codes from 4400 to 4499 are final: the server would refuse another attempt in the same way.
  if (event?.code >= 4400 && event.code < 4500) {
    console.error(`refused: ${event.code} ${event.reason}`);
    process.exit(1);
  }
});
await new Promise((resolve) => provider.once('sync', resolve));
console.log(`${document}: ${doc.getText('title').toString().trim()}`);

if (sentence) {
  // 4. Type. Each field of the template is a Y.Text of its own, which ends in a newline.
  const results = doc.getText('results');
  results.insert(Math.max(results.length - 1, 0), sentence);

  // 5. Wait until the text is saved. The server sends stock clients no message about that, but everything that the API
  // returns is on the server's disk.
  for (;;) {
    const content = await (await call(`/documents/${document}/content`, { headers: { cookie } })).json();
    const saved = content.results.map(({ insert }) => insert).join('');
    if (saved === results.toString()) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  console.log('saved');
}
provider.destroy();
doc.destroy();
