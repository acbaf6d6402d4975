// One open document: what the page shows of it, and changes it by. What to send and what is saved, the client in
// WebAssembly decides; the connection and the device's store carry it out.

import type { DocumentView } from '../api/client';
import { REDACTED, RELEASE, SIGNED_OUT } from '../generated/protocol';
import { type Delta, endsLine } from '../text/delta';
import { milestoneText } from '../text/target';
import type { AccordClient } from '../wasm/accord_client';
import { Connection } from './connection';
import { type Milestone, withHeld } from './milestones';
import {
  type Change,
  type Check,
  type ClientStatus,
  loadModule,
  newClient,
  type Peer,
  subprotocol,
  type TextChange,
} from './module';
import { Persistence } from './persistence';
import { CalmStatus, type Status, statusOf } from './status';

export type { Check, Milestone, Peer, Status, TextChange };

/** Characters of a text, by their offset (UTF-16) and what they say. */
export interface Passage {
  target: string;
  from: number;
  text: string;
}

/** How often the server hears that somebody is still here. */
const RENEW_MS = 15_000;
/** How long after a change the checklist is made anew. */
const CHECK_MS = 400;

export class LiveDocument {
  status = $state<Status>({ state: 'opening' });
  peers = $state<Peer[]>([]);
  milestones = $state<Milestone[]>([]);
  facts = $state<Record<string, string>>({});
  checklist = $state<Check[]>([]);
  mayWrite = $state(true);
  canUndo = $state(false);
  canRedo = $state(false);
  /** Whether there is anything to show: from the device or from the server. */
  ready = $state(false);
  /** Grows when the document was started anew, and editors must be built again. */
  generation = $state(0);
  /** Whether this device can't keep what is typed offline. */
  deviceFailed = $state(false);

  /** Called when a step was taken on the path to a release. */
  onRelease: (() => void) | undefined;
  /** Called with each text that somebody else changed. */
  onOthers: ((target: string) => void) | undefined;

  private readonly listeners = new Map<string, (change: TextChange) => void>();
  private readonly pointers = new Map<string, () => void>();
  private readonly calm = new CalmStatus((status) => {
    this.status = status;
  });
  private readonly connection: Connection;
  private readonly renewTimer: ReturnType<typeof setInterval>;
  private checkTimer: ReturnType<typeof setTimeout> | undefined;
  /** The milestone in whose texts the caret is. */
  private caretIn: string | undefined;
  private closed = false;
  /** Whether the server and this page have compared what each has. */
  private linked = false;
  /** Whether a passage was redacted that this device may still keep. */
  private redacted = false;
  /** Whether there is anything here that is not known to be on the server. */
  private unsaved = false;

  private constructor(
    readonly id: string,
    private client: AccordClient,
    private readonly persistence: Persistence,
    /** Called when the server may have changed its mind about who may be here. */
    private readonly onDoubt: () => void,
  ) {
    this.connection = new Connection(id, subprotocol(), {
      opened: () => this.with((client) => client.opened()),
      frame: (frame) => this.receive(frame),
      closed: (code, reason) => this.disconnected(code, reason),
      failed: onDoubt,
    });
    this.renewTimer = setInterval(() => this.with((client) => client.renew()), RENEW_MS);
  }

  /** Opens a document with what this device has of it, and connects to the server. */
  static async open(id: string, person: string, onDoubt: () => void): Promise<LiveDocument> {
    await loadModule();
    const persistence = await Persistence.open(
      id,
      person,
      () => live.client,
      (worked) => {
        live.deviceFailed = !worked;
      },
    );
    const { client, any } = persistence.load();
    const live: LiveDocument = new LiveDocument(id, client, persistence, onDoubt);
    live.ready = any;
    live.refresh();
    live.connection.connect();
    return live;
  }

  /** The page's description of a document, as this device last kept it. */
  static storedView(id: string, person: string): Promise<unknown> {
    return Persistence.storedView(id, person);
  }

  /** Keeps the page's description of the document, for when the server can't be asked. */
  rememberView(view: DocumentView): void {
    const known = (this.persistence.view as DocumentView | undefined)?.redactions?.length ?? 0;
    if (view.redactions.length > known) this.redacted = true;
    this.persistence.rememberView(view);
  }

  close(): void {
    this.closed = true;
    this.persistence.end();
    clearTimeout(this.checkTimer);
    clearInterval(this.renewTimer);
    this.calm.stop();
    this.connection.end();
  }

  // ── Texts ─────────────────────────────────────────────────────────────────

  read(target: string): Delta {
    return JSON.parse(this.client.read(target)) as Delta;
  }

  /** Whether a text has anything but blanks. */
  says(target: string): boolean {
    return this.read(target).some((op) => 'insert' in op && /\S/.test(String(op.insert)));
  }

  /** The characters between two offsets of a text. */
  passage(target: string, from: number, to: number): Passage {
    const whole = this.read(target).map((op) =>
      'insert' in op && typeof op.insert === 'string' ? op.insert : '\ufffc',
    );
    return { target, from, text: whole.join('').slice(from, to) };
  }

  /** Whether a text ends in a newline of its own. */
  isEnded(target: string): boolean {
    return this.client.isEnded(target);
  }

  /** Remembers a passage that is copied or dragged: pasted here again, it stays its authors'. */
  copy(target: string, from: number, to: number): void {
    this.client.copy(target, from, to - from);
  }

  /** Changes a text, by typing or by what was `pasted`. */
  edit(target: string, delta: Delta, pasted = false): void {
    const ops = JSON.stringify(delta);
    const now = performance.now();
    this.with((client) => (pasted ? client.paste(now, target, ops) : client.edit(now, target, ops)));
    // A caret of somebody else at the end of a line stays there when the line is ended at that place.
    if (this.peers.length > 0 && endsLine(delta)) this.placePeers();
  }

  /** Changes a text from outside its editor: the editors are built again. */
  editOutside(target: string, delta: Delta): void {
    this.edit(target, delta, true);
    this.generation += 1;
  }

  /** Calls `listener` with what others, undo and redo change in a text. */
  listen(target: string, listener: (change: TextChange) => void, onPeers: () => void): () => void {
    this.listeners.set(target, listener);
    this.pointers.set(target, onPeers);
    if (this.peers.length > 0) this.placePeers();
    return () => {
      this.listeners.delete(target);
      this.pointers.delete(target);
    };
  }

  undo(): void {
    this.with((client) => client.undo(performance.now()), true);
  }

  redo(): void {
    this.with((client) => client.redo(performance.now()), true);
  }

  /** Says where one's own caret is; nowhere when no text has the focus. */
  point(target: string | null, anchor = 0, head = 0): void {
    const before = this.caretIn;
    this.caretIn = milestoneText(target ?? '')?.id;
    if (this.caretIn !== before && this.milestones.some(({ deleted }) => deleted)) this.readMilestones(false);
    this.with((client) => client.point(target ?? undefined, anchor, head));
  }

  // ── Milestones and dates ──────────────────────────────────────────────────

  addMilestone(after?: string): string {
    const id = crypto.randomUUID().replaceAll('-', '').slice(0, 16);
    this.with((client) => client.addMilestone(performance.now(), id, after));
    return id;
  }

  removeMilestone(id: string): void {
    this.with((client) => client.removeMilestone(performance.now(), id), true);
  }

  moveMilestone(id: string, before?: string): void {
    this.with((client) => client.moveMilestone(performance.now(), id, before));
  }

  setMilestone(id: string, key: 'due' | 'due_text', value: string): void {
    this.with((client) => client.setMilestone(performance.now(), id, key, value));
  }

  setFact(key: string, value: string): void {
    this.with((client) => client.setFact(performance.now(), key, value));
  }

  // ── What was set aside ────────────────────────────────────────────────────

  parked(): ReturnType<Persistence['parked']> {
    return this.persistence.parked();
  }

  discardParked(key: IDBValidKey): Promise<void> {
    return this.persistence.discardParked(key);
  }

  // ── The driver ────────────────────────────────────────────────────────────

  /**
   * Does something with the client, then carries out what follows from it. `removes`: a milestone that is not
   * shown afterwards was taken away here, so nobody is writing in it.
   */
  private with(action: (client: AccordClient) => void, removes = false): void {
    action(this.client);
    for (const frame of this.client.takeFrames() as Uint8Array<ArrayBuffer>[]) this.connection.send(frame);
    const changes = this.client.takeChanges();
    if (changes) this.report(JSON.parse(changes) as Change[], removes);
    const peers = this.client.takePeers();
    if (peers) this.setPeers(peers);
    this.readStatus();
    this.persistence.soon();
    this.checkTimer ??= setTimeout(() => {
      this.checkTimer = undefined;
      this.readChecklist();
    }, CHECK_MS);
  }

  /** Looks again where the carets of the others are. */
  private placePeers(): void {
    this.setPeers(this.client.peers());
  }

  private setPeers(json: string): void {
    this.peers = JSON.parse(json) as Peer[];
    for (const pointer of this.pointers.values()) pointer();
  }

  private report(changes: Change[], removes: boolean): void {
    for (const change of changes) {
      if (change.change === 'text') {
        this.listeners.get(change.target)?.(change);
        // What a first sync brings is the document, not news.
        if (!change.own && this.ready) this.onOthers?.(change.target);
      } else if (change.change === 'milestones') this.readMilestones(removes);
      else this.readFacts();
    }
  }

  private readMilestones(removes: boolean): void {
    const present = JSON.parse(this.client.milestones()) as Milestone[];
    this.milestones = removes ? present : withHeld(present, this.milestones, this.caretIn);
  }

  private readFacts(): void {
    this.facts = JSON.parse(this.client.facts()) as Record<string, string>;
  }

  private readChecklist(): void {
    this.checklist = JSON.parse(this.client.checklist()) as Check[];
  }

  private refresh(): void {
    this.readMilestones(true);
    this.readFacts();
    this.readChecklist();
  }

  private readStatus(): void {
    const json = this.client.takeStatus();
    if (!json) return;
    const now = JSON.parse(json) as ClientStatus;
    this.linked = now.link.link === 'live';
    this.unsaved = now.unsaved;
    this.calm.show(this.status, statusOf(now));
    this.canUndo = now.can_undo;
    this.canRedo = now.can_redo;
    this.mayWrite = now.may_write;
  }

  private receive(frame: Uint8Array): void {
    this.with((client) => {
      try {
        client.frame(frame);
      } catch {
        this.connection.reset();
      }
    });
    const news = this.client.takeNews();
    if (news & RELEASE) this.onRelease?.();
    if (news & REDACTED) {
      this.redacted = true;
      this.onDoubt();
    }
    if (!this.linked) return;
    this.connection.established();
    // Heard of live, or found out on opening by a device that was away: the updates kept here hold the passage still.
    if (this.redacted) {
      this.redacted = false;
      this.persistence.pack();
    }
    if (!this.ready) {
      this.ready = true;
      this.refresh();
    }
  }

  /** Says whether to connect again as after any other interruption. */
  private disconnected(code: number, reason: string): boolean {
    this.with((client) => client.closed(code, reason));
    if (this.closed || this.status.state !== 'denied') return true;
    void this.denied(this.status.code, this.status.reason);
    return false;
  }

  /**
   * What the server refused for good goes aside, readable, and the document starts anew from the server. After the
   * end of a session everything stays as it is until the person signs in again.
   */
  private async denied(code: number, reason: string): Promise<void> {
    if (code === SIGNED_OUT) {
      this.persistence.now();
      await this.persistence.settled();
      this.onDoubt();
      return;
    }
    await this.persistence.setAside(reason, () => this.unsaved);
    this.client = newClient(undefined);
    this.ready = false;
    this.generation += 1;
    this.connection.connect();
  }
}
