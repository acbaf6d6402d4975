// An open document, as the page shows and changes it. The WebAssembly client decides what to send and what is saved; the
// connection and the persistence on this device carry that out.

import type { DocumentView } from '../api/client';
import { REDACTED, RELEASE, SIGNED_OUT } from '../generated/protocol';
import { type Delta, insertsNewline } from '../text/delta';
import { parseMilestoneTarget } from '../text/target';
import type { AccordClient } from '../wasm/accord_client';
import { Connection } from './connection';
import { type Milestone, milestonesToShow } from './milestones';
import {
  type ChecklistItem,
  type ClientStatus,
  createClient,
  loadModule,
  type Peer,
  type ReplicaChange,
  subprotocol,
  type TextChange,
} from './module';
import { Persistence } from './persistence';
import { type SaveStatus, StatusDebouncer, statusOf } from './status';

export type { ChecklistItem, Milestone, Peer, SaveStatus, TextChange };

/** A passage of a text: its offset in UTF-16 code units, and its characters. */
export interface Passage {
  target: string;
  from: number;
  text: string;
}

/** Interval between renewals of the person's awareness state, in milliseconds. */
const RENEW_INTERVAL_MS = 15_000;
/** Delay between a change and the next reading of the checklist, in milliseconds. */
const CHECKLIST_DELAY_MS = 400;

export class LiveDocument {
  status = $state<SaveStatus>({ state: 'opening' });
  peers = $state<Peer[]>([]);
  milestones = $state<Milestone[]>([]);
  facts = $state<Record<string, string>>({});
  checklist = $state<ChecklistItem[]>([]);
  mayWrite = $state(true);
  canUndo = $state(false);
  canRedo = $state(false);
  /** Whether there is anything to show, from the device or from the server. */
  isReady = $state(false);
  /** A counter that grows when all editors must be created again. */
  editorGeneration = $state(0);
  /** Whether this device failed to keep the last change, so that text typed offline could be lost. */
  deviceFailed = $state(false);

  /** Called when a step was taken on the path to a release. */
  onreleasestep: (() => void) | undefined;
  /** Called with each text that somebody else changed. */
  onremotechange: ((target: string) => void) | undefined;

  private readonly textListeners = new Map<string, (change: TextChange) => void>();
  private readonly caretListeners = new Map<string, () => void>();
  private readonly debouncer = new StatusDebouncer((status) => {
    this.status = status;
  });
  private readonly connection: Connection;
  private readonly renewTimer: ReturnType<typeof setInterval>;
  private checklistTimer: ReturnType<typeof setTimeout> | undefined;
  /** The id of the milestone that contains the caret. */
  private caretMilestone: string | undefined;
  private isClosed = false;
  /** Whether the server and this page have completed the handshake, and the connection still exists. */
  private isLinked = false;
  /** Whether a passage was redacted that the updates on this device can still contain. */
  private needsPacking = false;
  /** Whether this page has edits that are not known to be on the server. */
  private hasUnsaved = false;

  private constructor(
    readonly id: string,
    private client: AccordClient,
    private readonly persistence: Persistence,
    /** Called when the page must ask the server again for the document's view (`DocumentView`) and the person's access. */
    private readonly onviewoutdated: () => void,
  ) {
    this.connection = new Connection(id, subprotocol(), {
      onopen: () => this.run((client) => client.opened()),
      onframe: (frame) => this.receive(frame),
      onclose: (code, reason) => this.handleClose(code, reason),
      onfail: onviewoutdated,
    });
    this.renewTimer = setInterval(() => this.run((client) => client.renew()), RENEW_INTERVAL_MS);
  }

  /** Opens a document with the copy that this device keeps of it, and connects to the server. */
  static async open(id: string, person: string, onviewoutdated: () => void): Promise<LiveDocument> {
    await loadModule();
    const persistence = await Persistence.open(
      id,
      person,
      () => live.client,
      (succeeded) => {
        live.deviceFailed = !succeeded;
      },
    );
    const { client, hasEdits } = persistence.createClient();
    const live: LiveDocument = new LiveDocument(id, client, persistence, onviewoutdated);
    live.isReady = hasEdits;
    live.refresh();
    live.connection.connect();
    return live;
  }

  /** Returns the stored `DocumentView` (see `storeView`) of a document, or `undefined` if this device has none. */
  static readStoredView(id: string, person: string): Promise<unknown> {
    return Persistence.readStoredView(id, person);
  }

  /** Stores the document's view on this device, so that the page can show it while the server can't be reached. */
  storeView(view: DocumentView): void {
    const knownRedactions = (this.persistence.view as DocumentView | undefined)?.redactions?.length ?? 0;
    if (view.redactions.length > knownRedactions) this.needsPacking = true;
    this.persistence.storeView(view);
  }

  close(): void {
    this.isClosed = true;
    this.persistence.end();
    clearTimeout(this.checklistTimer);
    clearInterval(this.renewTimer);
    this.debouncer.stop();
    this.connection.end();
  }

  // ── Texts ─────────────────────────────────────────────────────────────────

  read(target: string): Delta {
    return JSON.parse(this.client.read(target)) as Delta;
  }

  /** Returns whether a text contains anything except white space. */
  hasText(target: string): boolean {
    return this.read(target).some((op) => 'insert' in op && /\S/.test(String(op.insert)));
  }

  /** Returns the passage between two offsets of a text, with U+FFFC in place of each embedded value. */
  readPassage(target: string, from: number, to: number): Passage {
    const characters = this.read(target).map((op) =>
      'insert' in op && typeof op.insert === 'string' ? op.insert : '\ufffc',
    );
    return { target, from, text: characters.join('').slice(from, to) };
  }

  /**
   * Returns whether the stored text ends with a newline. If concurrent deletions have removed it, the editor still shows one.
   */
  hasLastNewline(target: string): boolean {
    return this.client.isEnded(target);
  }

  /** Records a passage that is copied or dragged. If it is pasted into this document again, it keeps its authors. */
  recordCopy(target: string, from: number, to: number): void {
    this.client.copy(target, from, to - from);
  }

  /** Changes a text. `pasted` says that the inserted text was pasted or dropped, and can claim earlier authors. */
  edit(target: string, delta: Delta, pasted = false): void {
    const ops = JSON.stringify(delta);
    const now = performance.now();
    this.run((client) => (pasted ? client.paste(now, target, ops) : client.edit(now, target, ops)));
    // Place the carets of other people again: a caret at the end of a line must stay there when a newline is inserted.
    if (this.peers.length > 0 && insertsNewline(delta)) this.readPeers();
  }

  /** Changes a text from outside its editor. All editors are then created again. */
  editOutside(target: string, delta: Delta): void {
    this.edit(target, delta, true);
    this.editorGeneration += 1;
  }

  /**
   * Calls `listener` with each change that other people, undo or redo make to a text, and calls `oncaretsmove` when
   * other people's carets have moved. Returns a function that ends both.
   */
  listen(target: string, listener: (change: TextChange) => void, oncaretsmove: () => void): () => void {
    this.textListeners.set(target, listener);
    this.caretListeners.set(target, oncaretsmove);
    if (this.peers.length > 0) this.readPeers();
    return () => {
      this.textListeners.delete(target);
      this.caretListeners.delete(target);
    };
  }

  undo(): void {
    this.run((client) => client.undo(performance.now()), true);
  }

  redo(): void {
    this.run((client) => client.redo(performance.now()), true);
  }

  /** Sends the position of the person's own caret. `target` is `null` if no text has the focus. */
  sendCaret(target: string | null, anchor = 0, head = 0): void {
    const before = this.caretMilestone;
    this.caretMilestone = parseMilestoneTarget(target ?? '')?.id;
    if (this.caretMilestone !== before && this.milestones.some(({ deleted }) => deleted))
      this.readMilestones(false);
    this.run((client) => client.point(target ?? undefined, anchor, head));
  }

  // ── Milestones and dates ──────────────────────────────────────────────────

  addMilestone(after?: string): string {
    const id = crypto.randomUUID().replaceAll('-', '').slice(0, 16);
    this.run((client) => client.addMilestone(performance.now(), id, after));
    return id;
  }

  removeMilestone(id: string): void {
    this.run((client) => client.removeMilestone(performance.now(), id), true);
  }

  moveMilestone(id: string, before?: string): void {
    this.run((client) => client.moveMilestone(performance.now(), id, before));
  }

  setMilestone(id: string, key: 'due' | 'due_text', value: string): void {
    this.run((client) => client.setMilestone(performance.now(), id, key, value));
  }

  setFact(key: string, value: string): void {
    this.run((client) => client.setFact(performance.now(), key, value));
  }

  // ── Parked text ───────────────────────────────────────────────────────────

  listParked(): ReturnType<Persistence['listParked']> {
    return this.persistence.listParked();
  }

  discardParked(key: IDBValidKey): Promise<void> {
    return this.persistence.discardParked(key);
  }

  // ── The driver ────────────────────────────────────────────────────────────

  /**
   * Runs `action` with the client, then sends, shows and keeps what the client asks for. `removes` says that the action can
   * remove milestones, which then disappear from the page even if the caret is in them.
   */
  private run(action: (client: AccordClient) => void, removes = false): void {
    action(this.client);
    for (const frame of this.client.takeFrames() as Uint8Array<ArrayBuffer>[]) this.connection.send(frame);
    const changes = this.client.takeChanges();
    if (changes) this.applyChanges(JSON.parse(changes) as ReplicaChange[], removes);
    const peers = this.client.takePeers();
    if (peers) this.setPeers(peers);
    this.readStatus();
    this.persistence.persistSoon();
    this.checklistTimer ??= setTimeout(() => {
      this.checklistTimer = undefined;
      this.readChecklist();
    }, CHECKLIST_DELAY_MS);
  }

  /** Reads the positions of other people's carets again. */
  private readPeers(): void {
    this.setPeers(this.client.peers());
  }

  private setPeers(json: string): void {
    this.peers = JSON.parse(json) as Peer[];
    for (const listener of this.caretListeners.values()) listener();
  }

  private applyChanges(changes: ReplicaChange[], removes: boolean): void {
    for (const change of changes) {
      if (change.change === 'text') {
        this.textListeners.get(change.target)?.(change);
        // The first sync brings the document itself, which must not be announced as changes by other people.
        if (!change.own && this.isReady) this.onremotechange?.(change.target);
      } else if (change.change === 'milestones') this.readMilestones(removes);
      else this.readFacts();
    }
  }

  private readMilestones(removes: boolean): void {
    const present = JSON.parse(this.client.milestones()) as Milestone[];
    this.milestones = removes ? present : milestonesToShow(present, this.milestones, this.caretMilestone);
  }

  private readFacts(): void {
    this.facts = JSON.parse(this.client.facts()) as Record<string, string>;
  }

  private readChecklist(): void {
    this.checklist = JSON.parse(this.client.checklist()) as ChecklistItem[];
  }

  private refresh(): void {
    this.readMilestones(true);
    this.readFacts();
    this.readChecklist();
  }

  private readStatus(): void {
    const json = this.client.takeStatus();
    if (!json) return;
    const clientStatus = JSON.parse(json) as ClientStatus;
    this.isLinked = clientStatus.link.link === 'live';
    this.hasUnsaved = clientStatus.unsaved;
    this.debouncer.show(this.status, statusOf(clientStatus));
    this.canUndo = clientStatus.can_undo;
    this.canRedo = clientStatus.can_redo;
    this.mayWrite = clientStatus.may_write;
  }

  private receive(frame: Uint8Array): void {
    this.run((client) => {
      try {
        client.frame(frame);
      } catch {
        this.connection.reconnect();
      }
    });
    const events = this.client.takeNews();
    if (events & RELEASE) this.onreleasestep?.();
    if (events & REDACTED) {
      this.needsPacking = true;
      this.onviewoutdated();
    }
    if (!this.isLinked) return;
    this.connection.resetRetryDelay();
    // A passage was redacted, either now or while this device was away. The updates on this device can still contain
    // it.
    if (this.needsPacking) {
      this.needsPacking = false;
      this.persistence.pack();
    }
    if (!this.isReady) {
      this.isReady = true;
      this.refresh();
    }
  }

  /** Tells the client that the connection has ended. Returns whether to connect again. */
  private handleClose(code: number, reason: string): boolean {
    this.run((client) => client.closed(code, reason));
    if (this.isClosed || this.status.state !== 'denied') return true;
    void this.handleDenial(this.status.code, this.status.reason);
    return false;
  }

  /**
   * Handles a final refusal: parks the text if the server lacks some of it, and starts anew with the server's document.
   * If the session has ended, everything is kept as it is until the person signs in again.
   */
  private async handleDenial(code: number, reason: string): Promise<void> {
    if (code === SIGNED_OUT) {
      this.persistence.persistNow();
      await this.persistence.waitForWrites();
      this.onviewoutdated();
      return;
    }
    await this.persistence.parkOrClear(reason, () => this.hasUnsaved);
    this.client = createClient(undefined);
    this.isReady = false;
    this.editorGeneration += 1;
    this.connection.connect();
  }
}
