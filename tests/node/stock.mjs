// Connects unmodified stock clients: yjs 13 with the WebsocketProvider of y-websocket 3.0 or 3.1.
import WebSocket from 'ws';
import { WebsocketProvider as Provider31 } from 'y-websocket';
import { WebsocketProvider as Provider30 } from 'y-websocket-3.0';
import * as Y from 'yjs';

export const providers = { '3.0': Provider30, '3.1': Provider31 };

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Connects a Yjs document to `document` on the server, and waits until it has synced. `started` is given the provider before
 * that. `closes` collects the close codes.
 */
export async function connect(address, ticket, document, { version = '3.1', doc = new Y.Doc(), started } = {}) {
  const provider = new providers[version](`ws://${address}/sync`, document, doc, {
    params: { ticket },
    WebSocketPolyfill: WebSocket,
    disableBc: true,
    maxBackoffTime: 500,
  });
  started?.(provider);
  const closes = [];
  provider.on('connection-close', (event) => event && closes.push({ code: event.code, reason: event.reason }));
  await synced(provider);
  return { doc, provider, closes };
}

export function synced(provider) {
  if (provider.synced) return Promise.resolve();
  return within(20_000, 'sync', new Promise((resolve) => provider.on('sync', (is) => is && resolve())));
}

/** Waits until `condition` returns a true value, or throws an error after `limit` milliseconds. */
export async function until(what, condition, limit = 20_000) {
  const end = Date.now() + limit;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`${what}: not within ${limit} ms`);
    await sleep(10);
  }
}

function within(limit, what, promise) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`${what}: not within ${limit} ms`)), limit).unref());
  return Promise.race([promise, late]);
}

/** Signs a demo person in, and returns a ticket for a document. */
export async function ticketFor(address, demo, document) {
  const headers = { 'content-type': 'application/json' };
  const signIn = await fetch(`http://${address}/api/v1/session`, { method: 'POST', headers, body: JSON.stringify({ demo }) });
  const cookie = signIn.headers.get('set-cookie').split(';')[0];
  const answer = await fetch(`http://${address}/api/v1/documents/${document}/tickets`, { method: 'POST', headers: { cookie } });
  return (await answer.json()).ticket;
}
