// Stock clients, unmodified: yjs 13 and y-websocket's WebsocketProvider, 3.0 and 3.1.
import WebSocket from 'ws';
import { WebsocketProvider as Provider31 } from 'y-websocket';
import { WebsocketProvider as Provider30 } from 'y-websocket-3.0';
import * as Y from 'yjs';

export const providers = { '3.0': Provider30, '3.1': Provider31 };

/** Connects a document and waits until it has synced. */
export async function connect(address, ticket, document, { version = '3.1', doc = new Y.Doc() } = {}) {
  const provider = new providers[version](`ws://${address}/sync`, document, doc, {
    params: { ticket },
    WebSocketPolyfill: WebSocket,
    disableBc: true,
    maxBackoffTime: 500,
  });
  const closes = [];
  provider.on('connection-close', (event) => event && closes.push({ code: event.code, reason: event.reason }));
  await synced(provider);
  return { doc, provider, closes };
}

export function synced(provider) {
  if (provider.synced) return Promise.resolve();
  return within(20_000, 'sync', new Promise((resolve) => provider.on('sync', (is) => is && resolve())));
}

/** Waits until a condition holds. */
export async function until(what, condition, limit = 20_000) {
  const end = Date.now() + limit;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`${what}: not within ${limit} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function within(limit, what, promise) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`${what}: not within ${limit} ms`)), limit).unref());
  return Promise.race([promise, late]);
}

/** Signs a demo person in and gets a ticket. */
export async function ticketFor(address, demo, document) {
  const headers = { 'content-type': 'application/json' };
  const signIn = await fetch(`http://${address}/api/v1/session`, { method: 'POST', headers, body: JSON.stringify({ demo }) });
  const cookie = signIn.headers.get('set-cookie').split(';')[0];
  const answer = await fetch(`http://${address}/api/v1/documents/${document}/tickets`, { method: 'POST', headers: { cookie } });
  return (await answer.json()).ticket;
}
