// Keeps one open document on this device, shortly after each change.

import type { AccordClient } from '../wasm/accord_client';
import { DeviceCopy, type DocumentMetadata, type Edit } from './device';
import { newClient } from './module';

const PERSIST_MS = 100;
const NONE = new Uint8Array();

/** Returns the whole state of a client as one edit. */
const wholeOf = (client: AccordClient): Edit => ({ update: client.state(), claims: client.claims() });

export class Persistence {
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Resolves when all changes so far have been kept, or could not be kept. */
  private keeping: Promise<void> = Promise.resolve();
  /** The position of the server's ledger that was last kept, as JSON. */
  private remembered: string | undefined;

  private constructor(
    private readonly deviceCopy: DeviceCopy,
    private readonly updates: Edit[],
    private metadata: DocumentMetadata,
    /** Returns the current client, which is replaced when the document starts anew. */
    private readonly client: () => AccordClient,
    /** Called after each attempt to keep changes, with whether it succeeded. */
    private readonly kept: (worked: boolean) => void,
  ) {
    this.remembered = metadata.remembered;
    window.addEventListener('pagehide', this.now);
  }

  /** Opens a person's copy of a document, and reads what the device keeps of it. */
  static async open(
    document: string,
    person: string,
    client: () => AccordClient,
    kept: (worked: boolean) => void,
  ): Promise<Persistence> {
    const copy = new DeviceCopy(person, document);
    const [updates, metadata] = await Promise.all([copy.loadEdits(), copy.readMetadata()]);
    return new Persistence(copy, updates, metadata, client, kept);
  }

  /** Returns the description of a document that this device keeps, or `undefined` if it keeps none. */
  static async storedView(document: string, person: string): Promise<unknown> {
    return (await new DeviceCopy(person, document).readMetadata()).view;
  }

  /** The document's description, as it was last kept, or `undefined`. */
  get view(): unknown {
    return this.metadata.view;
  }

  /** Returns a client that has all updates from the device, and whether there were any. */
  load(): { client: AccordClient; any: boolean } {
    const client = newClient(this.remembered);
    const updates = this.updates.splice(0);
    for (const { update, claims } of updates) client.load(update, claims ?? NONE);
    client.loaded(updates.length > 0);
    return { client, any: updates.length > 0 };
  }

  /** Keeps the document's description, for times when the server can't be reached. */
  rememberView(view: unknown): void {
    this.metadata = { ...this.metadata, view };
    void this.deviceCopy.writeMetadata(this.metadata).catch(() => undefined);
  }

  /** Keeps the changes after `PERSIST_MS`. */
  soon(): void {
    this.timer ??= setTimeout(this.now, PERSIST_MS);
  }

  /** Begins to keep the changes now. */
  readonly now = (): void => {
    this.stop();
    const client = this.client();
    const edits: Edit[] = (client.takeUpdates() as Uint8Array[]).map((update) => ({ update }));
    const claims = client.claims();
    const last = edits.at(-1);
    if (last && claims.length > 0) last.claims = claims;
    const remembered = client.remembered() ?? undefined;
    const isNews = remembered !== this.remembered;
    if (!last && !isNews) return;
    this.remembered = remembered;
    if (isNews && remembered !== undefined) this.metadata = { ...this.metadata, remembered };
    this.keeping = this.keeping
      .then(async () => {
        if (last) await this.deviceCopy.storeEdits(edits, () => wholeOf(client));
        if (isNews) await this.deviceCopy.writeMetadata(this.metadata);
        this.kept(true);
      })
      .catch(() => this.kept(false));
  };

  /**
   * Resolves when every attempt so far to keep changes has succeeded or failed. It does not wait for changes that `soon` has
   * only scheduled: call `now` first.
   */
  settled(): Promise<void> {
    return this.keeping;
  }

  /** Replaces the updates on the device, which can contain a redacted passage, with the whole state of the client. */
  pack(): void {
    this.now();
    const client = this.client();
    this.keeping = this.keeping
      .then(() => this.deviceCopy.pack(() => wholeOf(client)))
      .catch(() => undefined);
  }

  /**
   * Removes the copy of the document, so that it can start anew. If any of it is `unsaved` once all changes are kept, the
   * readable text is parked first.
   */
  async setAside(reason: string, unsaved: () => boolean): Promise<void> {
    this.stop();
    await this.keeping;
    if (unsaved()) await this.deviceCopy.park(reason, this.client().content());
    else await this.deviceCopy.clear();
    this.metadata = { view: this.metadata.view };
    this.remembered = undefined;
  }

  /** Keeps the changes, and stops listening for the page to be hidden. */
  end(): void {
    this.now();
    window.removeEventListener('pagehide', this.now);
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
