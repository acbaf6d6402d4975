// The WebAssembly module: loading it, and what its answers are.

import type { Sector } from '../api/client';
import type { Delta } from '../text/delta';
import init, { AccordClient, subprotocol } from '../wasm/accord_client';
import wasmUrl from '../wasm/accord_client_bg.wasm?url';

export interface Peer {
  client: number;
  user: { name: string; person: string; sector: Sector };
  cursor: [target: string, anchor: number, head: number] | null;
}

export interface Milestone {
  id: string;
  order: string;
  due: string;
  due_text: string;
}

export interface Check {
  need: string;
  met: boolean;
}

export interface TextChange {
  target: string;
  delta: Delta;
  own: boolean;
}

export type Change = ({ change: 'text' } & TextChange) | { change: 'milestones' } | { change: 'facts' };

export type Link =
  | { link: 'offline'; reason: string | null }
  | { link: 'syncing' }
  | { link: 'live' }
  | { link: 'denied'; code: number; reason: string };

export interface ClientStatus {
  link: Link;
  unsaved: boolean;
  may_write: boolean;
  can_undo: boolean;
  can_redo: boolean;
}

export { subprotocol };

/** What `takeNews` gives, as bits: a passage was redacted, a step was taken on the path to a release. */
export const REDACTED = 1;
export const RELEASE = 2;
/** The close code of a session that has ended. */
export const SIGNED_OUT = 4401;

let loading: Promise<unknown> | undefined;

/** Loads the module once. */
export function loadModule(): Promise<unknown> {
  loading ??= init({ module_or_path: wasmUrl });
  return loading;
}

/** A client over nothing, with what the device remembers of the server's ledger. */
export function newClient(remembered: string | undefined): AccordClient {
  // 53 random bits: an id nobody writes under again.
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return new AccordClient((high & 0x1fffff) * 2 ** 32 + low, remembered);
}
