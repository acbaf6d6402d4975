// What this device keeps of one open document, a little after each change.

import type { AccordClient } from '../wasm/accord_client';
import { type Edit, type Facts, Shelf } from './device';
import { newClient } from './module';

const PERSIST_MS = 100;
const NONE = new Uint8Array();

/** All that a client has, as one edit. */
const wholeOf = (client: AccordClient): Edit => ({ update: client.state(), claims: client.claims() });

export class Persistence {
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Ends when all that was to be kept is kept, or has failed. */
  private keeping: Promise<void> = Promise.resolve();
  /** What the client remembered of the server's ledger when it was last kept. */
  private remembered: string | undefined;

  private constructor(
    private readonly shelf: Shelf,
    private readonly updates: Edit[],
    private facts: Facts,
    /** The client as it is now: another one after a fresh start. */
    private readonly client: () => AccordClient,
    /** Called with whether this device could keep the last change. */
    private readonly kept: (worked: boolean) => void,
  ) {
    this.remembered = facts.remembered;
    window.addEventListener('pagehide', this.now);
  }

  /** Reads what the device keeps of a document for a person. */
  static async open(
    document: string,
    person: string,
    client: () => AccordClient,
    kept: (worked: boolean) => void,
  ): Promise<Persistence> {
    const shelf = new Shelf(person, document);
    const [updates, facts] = await Promise.all([shelf.load(), shelf.facts()]);
    return new Persistence(shelf, updates, facts, client, kept);
  }

  /** The page's description of a document, as the server last gave it. */
  static async storedView(document: string, person: string): Promise<unknown> {
    return (await new Shelf(person, document).facts()).view;
  }

  /** The page's description of the document, as it was last kept. */
  get view(): unknown {
    return this.facts.view;
  }

  /** A client with all that the device kept, and whether that is anything. */
  load(): { client: AccordClient; any: boolean } {
    const client = newClient(this.remembered);
    const updates = this.updates.splice(0);
    for (const { update, claims } of updates) client.load(update, claims ?? NONE);
    client.loaded(updates.length > 0);
    return { client, any: updates.length > 0 };
  }

  /** Keeps the page's description of the document, for when the server can't be asked. */
  rememberView(view: unknown): void {
    this.facts = { ...this.facts, view };
    void this.shelf.setFacts(this.facts).catch(() => undefined);
  }

  /** Keeps what changed, once it has been a moment. */
  soon(): void {
    this.timer ??= setTimeout(this.now, PERSIST_MS);
  }

  /** Keeps what changed. */
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
    if (isNews && remembered !== undefined) this.facts = { ...this.facts, remembered };
    this.keeping = this.keeping
      .then(async () => {
        if (last) await this.shelf.keep(edits, () => wholeOf(client));
        if (isNews) await this.shelf.setFacts(this.facts);
        this.kept(true);
      })
      .catch(() => this.kept(false));
  };

  /** Ends when all that was to be kept so far is kept. */
  settled(): Promise<void> {
    return this.keeping;
  }

  /** Replaces the updates that the device keeps by what the client has: they may hold a redacted passage. */
  pack(): void {
    this.now();
    const client = this.client();
    this.keeping = this.keeping.then(() => this.shelf.pack(() => wholeOf(client))).catch(() => undefined);
  }

  /**
   * Starts anew: sets aside what the device has, readable, if any of it is `unsaved` by then; else forgets it, since
   * the server has all of it.
   */
  async setAside(reason: string, unsaved: () => boolean): Promise<void> {
    this.stop();
    await this.keeping;
    if (unsaved()) await this.shelf.park(reason, this.client().content());
    else await this.shelf.clear();
    this.facts = { view: this.facts.view };
    this.remembered = undefined;
  }

  /** Keeps what changed, and listens no longer. */
  end(): void {
    this.now();
    window.removeEventListener('pagehide', this.now);
  }

  parked(): ReturnType<Shelf['parked']> {
    return this.shelf.parked();
  }

  discardParked(key: IDBValidKey): Promise<void> {
    return this.shelf.discardParked(key);
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
