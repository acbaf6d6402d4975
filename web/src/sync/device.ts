// Keeps documents on this device, in IndexedDB. Each person's copies are separate, so that one person's unsaved
// words never reach another person who signs in on the same laptop.

const DATABASE_NAME = 'accord';
const UPDATE_STORE = 'updates';
const METADATA_STORE = 'facts';
const PARKED_STORE = 'parked';

/** Number of updates of one document above which they are packed into one. */
const MAX_UNPACKED_UPDATES = 200;

export interface ParkedText {
  person: string;
  document: string;
  at: number;
  reason: string;
  content: string;
}

let database: Promise<IDBDatabase> | undefined;

function openDatabase(): Promise<IDBDatabase> {
  database ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE_NAME, 1);
    request.onupgradeneeded = () => {
      // Each update is a record of its own, under the key [person, document, n].
      request.result.createObjectStore(UPDATE_STORE, { keyPath: ['person', 'document', 'n'] });
      request.result.createObjectStore(METADATA_STORE, { keyPath: ['person', 'document'] });
      request.result.createObjectStore(PARKED_STORE, { autoIncrement: true });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return database;
}

function awaitRequest<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function awaitTransaction(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** An update, with claims about its elements or about elements of the document's other updates on this device. */
export interface Edit {
  update: Uint8Array;
  claims?: Uint8Array;
}

interface StoredEdit extends Edit {
  person: string;
  document: string;
  n: number;
}

/** The data about a document that a device keeps beside the document's updates, in the IndexedDB store `facts`. */
export interface DocumentMetadata {
  /** The position of the server's ledger that the client last knew, as JSON. */
  remembered?: string;
  /** The document's description, as the server last gave it. */
  view?: unknown;
}

/** One person's copy of one document on this device. */
export class DeviceCopy {
  private lastNumber = 0;
  /** The keys of the updates that this tab's replica contains. Only these updates may be packed. */
  private heldKeys: IDBValidKey[] = [];

  constructor(
    private readonly person: string,
    private readonly document: string,
  ) {}

  private get range(): IDBKeyRange {
    const { person, document } = this;
    return IDBKeyRange.bound([person, document, 0], [person, document, Number.MAX_SAFE_INTEGER]);
  }

  async loadEdits(): Promise<Edit[]> {
    const db = await openDatabase();
    const stored: StoredEdit[] = await awaitRequest(
      db.transaction(UPDATE_STORE).objectStore(UPDATE_STORE).getAll(this.range),
    );
    this.heldKeys = stored.map(({ person, document, n }) => [person, document, n]);
    return stored;
  }

  /**
   * Stores edits. If this tab would then have more than `MAX_UNPACKED_UPDATES` updates, `wholeState()` replaces all of
   * them instead.
   */
  async storeEdits(edits: Edit[], wholeState: () => Edit): Promise<void> {
    const db = await openDatabase();
    const transaction = db.transaction(UPDATE_STORE, 'readwrite');
    const store = transaction.objectStore(UPDATE_STORE);
    if (this.heldKeys.length + edits.length > MAX_UNPACKED_UPDATES) this.replace(store, wholeState());
    else for (const edit of edits) this.put(store, edit);
    await awaitTransaction(transaction);
  }

  /** Replaces all updates that this tab's replica contains with `wholeState()`. */
  async pack(wholeState: () => Edit): Promise<void> {
    const db = await openDatabase();
    const transaction = db.transaction(UPDATE_STORE, 'readwrite');
    this.replace(transaction.objectStore(UPDATE_STORE), wholeState());
    await awaitTransaction(transaction);
  }

  private replace(store: IDBObjectStore, wholeState: Edit): void {
    for (const key of this.heldKeys.splice(0)) store.delete(key);
    this.put(store, wholeState);
  }

  private put(store: IDBObjectStore, edit: Edit): void {
    // Other tabs of the same person number their updates in the same range. Time and a random number keep the keys apart.
    this.lastNumber = Math.max(this.lastNumber + 1, Date.now() * 1000 + Math.floor(Math.random() * 1000));
    store.put({
      person: this.person,
      document: this.document,
      n: this.lastNumber,
      ...edit,
    } satisfies StoredEdit);
    this.heldKeys.push([this.person, this.document, this.lastNumber]);
  }

  async readMetadata(): Promise<DocumentMetadata> {
    const db = await openDatabase();
    const found = await awaitRequest(
      db.transaction(METADATA_STORE).objectStore(METADATA_STORE).get([this.person, this.document]),
    );
    return (found as DocumentMetadata | undefined) ?? {};
  }

  async writeMetadata(metadata: DocumentMetadata): Promise<void> {
    const db = await openDatabase();
    const transaction = db.transaction(METADATA_STORE, 'readwrite');
    transaction
      .objectStore(METADATA_STORE)
      .put({ person: this.person, document: this.document, ...metadata });
    await awaitTransaction(transaction);
  }

  /** Parks `content`, the readable copy of the document, and removes the updates and the metadata. */
  async park(reason: string, content: string): Promise<void> {
    const db = await openDatabase();
    const transaction = db.transaction([UPDATE_STORE, METADATA_STORE, PARKED_STORE], 'readwrite');
    const { person, document } = this;
    transaction
      .objectStore(PARKED_STORE)
      .add({ person, document, at: Date.now(), reason, content } satisfies ParkedText);
    this.deleteIn(transaction);
    await awaitTransaction(transaction);
  }

  /** Removes the updates and the metadata, because the server has all of them or this person may no longer have them. */
  async clear(): Promise<void> {
    const db = await openDatabase();
    const transaction = db.transaction([UPDATE_STORE, METADATA_STORE], 'readwrite');
    this.deleteIn(transaction);
    await awaitTransaction(transaction);
  }

  private deleteIn(transaction: IDBTransaction): void {
    transaction.objectStore(UPDATE_STORE).delete(this.range);
    transaction.objectStore(METADATA_STORE).delete([this.person, this.document]);
    this.heldKeys = [];
  }

  async listParked(): Promise<{ key: IDBValidKey; parked: ParkedText }[]> {
    const db = await openDatabase();
    const store = db.transaction(PARKED_STORE).objectStore(PARKED_STORE);
    const [keys, all] = await Promise.all([
      awaitRequest(store.getAllKeys()),
      awaitRequest(store.getAll() as IDBRequest<ParkedText[]>),
    ]);
    return all
      .map((parked, index) => ({ key: keys[index] as IDBValidKey, parked }))
      .filter(({ parked }) => parked.person === this.person && parked.document === this.document);
  }

  async discardParked(key: IDBValidKey): Promise<void> {
    const db = await openDatabase();
    const transaction = db.transaction(PARKED_STORE, 'readwrite');
    transaction.objectStore(PARKED_STORE).delete(key);
    await awaitTransaction(transaction);
  }
}
