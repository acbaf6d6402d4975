// Loads the WebAssembly module, and names the types of its answers, which are generated from its Rust code.

import type { components } from '../generated/module';
import type { Delta } from '../text/delta';
import init, { AccordClient, subprotocol } from '../wasm/accord_client';
import wasmUrl from '../wasm/accord_client_bg.wasm?url';

type Schemas = components['schemas'];
export type Peer = Schemas['Peer'];
/** A milestone without its texts: `LiveDocument.read` returns each text by its target. */
export type Milestone = Omit<Schemas['Milestone'], 'what' | 'outputs' | 'who'>;
export type ChecklistItem = Schemas['Check'];
export type ClientStatus = Schemas['ClientStatus'];
export type TextChange = Omit<Extract<Schemas['ReplicaChange'], { change: 'text' }>, 'delta'> & {
  delta: Delta;
};
export type ReplicaChange = Exclude<Schemas['ReplicaChange'], { change: 'text' }> | TextChange;

export { subprotocol };

let moduleLoading: Promise<unknown> | undefined;

/** Loads the module. Later calls return the same promise. */
export function loadModule(): Promise<unknown> {
  moduleLoading ??= init({ module_or_path: wasmUrl });
  return moduleLoading;
}

/** Creates a client with an empty document, and with the position of the server's ledger that this device remembers. */
export function createClient(ledgerPosition: string | undefined): AccordClient {
  // The client id has 53 random bits, so that no other client ever writes under the same id.
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return new AccordClient((high & 0x1fffff) * 2 ** 32 + low, ledgerPosition);
}
