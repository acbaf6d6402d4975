// What this device keeps: every document's updates, by person, so that one person's unsaved words
// never reach another who signs in on the same laptop.

const NAME = 'accord';
const UPDATES = 'updates';
const FACTS = 'facts';
const PARKED = 'parked';

/** More updates than this are packed into one. */
const PACK_AT = 200;

export interface Parked {
  person: string;
  document: string;
  at: number;
  reason: string;
  content: string;
}

let opening: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      // One record for each update, under [person, document, n].
      request.result.createObjectStore(UPDATES, { keyPath: ['person', 'document', 'n'] });
      request.result.createObjectStore(FACTS, { keyPath: ['person', 'document'] });
      request.result.createObjectStore(PARKED, { autoIncrement: true });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** An update, and what it or others kept beside it claim to repeat. */
export interface Edit {
  update: Uint8Array;
  claims?: Uint8Array;
}

interface Kept extends Edit {
  person: string;
  document: string;
  n: number;
}

/** What is remembered about a document beside its updates. */
export interface Facts {
  /** Where the server's ledger stood (JSON), as the client last knew it. */
  remembered?: string;
  /** The document's description as the server last gave it. */
  view?: unknown;
}

/** One person's copy of one document on this device. */
export class Shelf {
  private next = 0;
  /** The updates on this shelf that this tab's replica contains: only these may be packed. */
  private held: IDBValidKey[] = [];

  constructor(
    private readonly person: string,
    private readonly document: string,
  ) {}

  private get range(): IDBKeyRange {
    const { person, document } = this;
    return IDBKeyRange.bound([person, document, 0], [person, document, Number.MAX_SAFE_INTEGER]);
  }

  async load(): Promise<Edit[]> {
    const db = await open();
    const kept: Kept[] = await done(db.transaction(UPDATES).objectStore(UPDATES).getAll(this.range));
    this.held = kept.map(({ person, document, n }) => [person, document, n]);
    return kept;
  }

  /** Keeps edits; packs those of this tab into `whole()` when they have become many. */
  async keep(edits: Edit[], whole: () => Edit): Promise<void> {
    const db = await open();
    const transaction = db.transaction(UPDATES, 'readwrite');
    const store = transaction.objectStore(UPDATES);
    if (this.held.length + edits.length > PACK_AT) this.replace(store, whole());
    else for (const edit of edits) this.put(store, edit);
    await finished(transaction);
  }

  /** Puts one update in the place of all that this tab knows. */
  async pack(whole: () => Edit): Promise<void> {
    const db = await open();
    const transaction = db.transaction(UPDATES, 'readwrite');
    this.replace(transaction.objectStore(UPDATES), whole());
    await finished(transaction);
  }

  private replace(store: IDBObjectStore, whole: Edit): void {
    for (const key of this.held.splice(0)) store.delete(key);
    this.put(store, whole);
  }

  private put(store: IDBObjectStore, edit: Edit): void {
    // Other tabs of the same person number from here too: time and chance keep them apart.
    this.next = Math.max(this.next + 1, Date.now() * 1000 + Math.floor(Math.random() * 1000));
    store.put({ person: this.person, document: this.document, n: this.next, ...edit } satisfies Kept);
    this.held.push([this.person, this.document, this.next]);
  }

  async facts(): Promise<Facts> {
    const db = await open();
    const found = await done(db.transaction(FACTS).objectStore(FACTS).get([this.person, this.document]));
    return (found as Facts | undefined) ?? {};
  }

  async setFacts(facts: Facts): Promise<void> {
    const db = await open();
    const transaction = db.transaction(FACTS, 'readwrite');
    transaction.objectStore(FACTS).put({ person: this.person, document: this.document, ...facts });
    await finished(transaction);
  }

  /** Sets the whole copy aside, readable, and starts anew. */
  async park(reason: string, content: string): Promise<void> {
    const db = await open();
    const transaction = db.transaction([UPDATES, FACTS, PARKED], 'readwrite');
    const { person, document } = this;
    transaction
      .objectStore(PARKED)
      .add({ person, document, at: Date.now(), reason, content } satisfies Parked);
    this.wipe(transaction);
    await finished(transaction);
  }

  /** Forgets the copy: the server has all of it, or nobody here may have it any more. */
  async clear(): Promise<void> {
    const db = await open();
    const transaction = db.transaction([UPDATES, FACTS], 'readwrite');
    this.wipe(transaction);
    await finished(transaction);
  }

  private wipe(transaction: IDBTransaction): void {
    transaction.objectStore(UPDATES).delete(this.range);
    transaction.objectStore(FACTS).delete([this.person, this.document]);
    this.held = [];
  }

  async parked(): Promise<{ key: IDBValidKey; parked: Parked }[]> {
    const db = await open();
    const store = db.transaction(PARKED).objectStore(PARKED);
    const [keys, all] = await Promise.all([
      done(store.getAllKeys()),
      done(store.getAll() as IDBRequest<Parked[]>),
    ]);
    return all
      .map((parked, index) => ({ key: keys[index] as IDBValidKey, parked }))
      .filter(({ parked }) => parked.person === this.person && parked.document === this.document);
  }

  async discardParked(key: IDBValidKey): Promise<void> {
    const db = await open();
    const transaction = db.transaction(PARKED, 'readwrite');
    transaction.objectStore(PARKED).delete(key);
    await finished(transaction);
  }
}
