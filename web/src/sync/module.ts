// The WebAssembly module: loading it, and the types of its answers, which are made from its Rust code.

import type { components } from '../generated/module';
import type { Delta } from '../text/delta';
import init, { AccordClient, subprotocol } from '../wasm/accord_client';
import wasmUrl from '../wasm/accord_client_bg.wasm?url';

type Schemas = components['schemas'];
export type Peer = Schemas['Peer'];
/** A milestone as lists have it: its texts are read by their targets. */
export type Milestone = Omit<Schemas['Milestone'], 'what' | 'outputs' | 'who'>;
export type Check = Schemas['Check'];
export type ClientStatus = Schemas['ClientStatus'];
export type TextChange = Omit<Extract<Schemas['ReplicaChange'], { change: 'text' }>, 'delta'> & {
  delta: Delta;
};
export type Change = Exclude<Schemas['ReplicaChange'], { change: 'text' }> | TextChange;

export { subprotocol };

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
