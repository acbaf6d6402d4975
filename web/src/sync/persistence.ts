// Stores the changes of one open document on this device, shortly after each change.

import type { AccordClient } from '../wasm/accord_client';
import { DeviceCopy, type DocumentMetadata, type Edit } from './device';
import { createClient } from './module';

const PERSIST_DELAY_MS = 100;
const NO_CLAIMS = new Uint8Array();

/** Returns the whole state of a client as one edit. */
const wholeStateOf = (client: AccordClient): Edit => ({ update: client.state(), claims: client.claims() });

export class Persistence {
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Resolves when all changes so far have been kept, or could not be kept. */
  private pendingWrites: Promise<void> = Promise.resolve();
  /** The position of the server's ledger that was last kept, as JSON. */
  private ledgerPosition: string | undefined;

  private constructor(
    private readonly deviceCopy: DeviceCopy,
    private readonly loadedEdits: Edit[],
    private metadata: DocumentMetadata,
    /** Returns the current client. A new client replaces it after a final refusal by the server. */
    private readonly client: () => AccordClient,
    /** Called after each attempt to keep changes, with whether it succeeded. */
    private readonly onwritten: (succeeded: boolean) => void,
  ) {
    this.ledgerPosition = metadata.remembered;
    window.addEventListener('pagehide', this.persistNow);
  }

  /** Opens a person's copy of a document, and reads what the device keeps of it. */
  static async open(
    document: string,
    person: string,
    client: () => AccordClient,
    onwritten: (succeeded: boolean) => void,
  ): Promise<Persistence> {
    const copy = new DeviceCopy(person, document);
    const [edits, metadata] = await Promise.all([copy.loadEdits(), copy.readMetadata()]);
    return new Persistence(copy, edits, metadata, client, onwritten);
  }

  /** Returns the description of a document that this device keeps, or `undefined` if it keeps none. */
  static async readStoredView(document: string, person: string): Promise<unknown> {
    return (await new DeviceCopy(person, document).readMetadata()).view;
  }

  /** The document's description, as it was last kept, or `undefined`. */
  get view(): unknown {
    return this.metadata.view;
  }

  /** Returns a new client that has all edits from the device. `hasEdits` says whether there were any. */
  createClient(): { client: AccordClient; hasEdits: boolean } {
    const client = createClient(this.ledgerPosition);
    const edits = this.loadedEdits.splice(0);
    for (const { update, claims } of edits) client.load(update, claims ?? NO_CLAIMS);
    client.loaded(edits.length > 0);
    return { client, hasEdits: edits.length > 0 };
  }

  /** Keeps the document's description, for times when the server can't be reached. */
  storeView(view: unknown): void {
    this.metadata = { ...this.metadata, view };
    void this.deviceCopy.writeMetadata(this.metadata).catch(() => undefined);
  }

  /** Keeps the changes after `PERSIST_DELAY_MS`. */
  persistSoon(): void {
    this.timer ??= setTimeout(this.persistNow, PERSIST_DELAY_MS);
  }

  /** Starts to write the changes to IndexedDB now instead of later. Does not wait until they are written. */
  readonly persistNow = (): void => {
    this.stop();
    const client = this.client();
    const edits: Edit[] = (client.takeUpdates() as Uint8Array[]).map((update) => ({ update }));
    const claims = client.claims();
    const last = edits.at(-1);
    if (last && claims.length > 0) last.claims = claims;
    const position = client.remembered() ?? undefined;
    const hasNewPosition = position !== this.ledgerPosition;
    if (!last && !hasNewPosition) return;
    this.ledgerPosition = position;
    if (hasNewPosition && position !== undefined) {
      this.metadata = { ...this.metadata, remembered: position };
    }
    this.pendingWrites = this.pendingWrites
      .then(async () => {
        if (last) await this.deviceCopy.storeEdits(edits, () => wholeStateOf(client));
        if (hasNewPosition) await this.deviceCopy.writeMetadata(this.metadata);
        this.onwritten(true);
      })
      .catch(() => this.onwritten(false));
  };

  /**
   * Resolves when every attempt so far to keep changes has succeeded or failed. Does not wait for changes that are only
   * scheduled: call `persistNow` first.
   */
  waitForWrites(): Promise<void> {
    return this.pendingWrites;
  }

  /** Replaces the updates on the device, which can contain a redacted passage, with the whole state of the client. */
  pack(): void {
    this.persistNow();
    const client = this.client();
    this.pendingWrites = this.pendingWrites
      .then(() => this.deviceCopy.pack(() => wholeStateOf(client)))
      .catch(() => undefined);
  }

  /**
   * Removes this device's copy of the document, after a final refusal by the server. If `hasUnsaved` returns true once
   * all pending writes have ended, the readable text is parked first.
   */
  async parkOrClear(reason: string, hasUnsaved: () => boolean): Promise<void> {
    this.stop();
    await this.pendingWrites;
    if (hasUnsaved()) await this.deviceCopy.park(reason, this.client().content());
    else await this.deviceCopy.clear();
    this.metadata = { view: this.metadata.view };
    this.ledgerPosition = undefined;
  }

  /** Keeps the changes, and stops listening for the page to be hidden. */
  end(): void {
    this.persistNow();
    window.removeEventListener('pagehide', this.persistNow);
  }

  listParked(): ReturnType<DeviceCopy['listParked']> {
    return this.deviceCopy.listParked();
  }

  discardParked(key: IDBValidKey): Promise<void> {
    return this.deviceCopy.discardParked(key);
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
