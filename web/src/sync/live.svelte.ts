// One open document: the driver of the pure client. It owns the socket, the timers and the
// device's store; what to send and what is saved, the client decides.

import type { DocumentView, Sector } from '../api/client';
import { type Delta, endsLine } from '../text/delta';
import init, { AccordClient, subprotocol } from '../wasm/accord_client';
import wasmUrl from '../wasm/accord_client_bg.wasm?url';
import { type Edit, type Facts, Shelf } from './device';

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
  /** Whether somebody else deleted it, and it is shown only because the caret is in it. */
  deleted?: true;
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

/** Characters of a text, by where they stand (UTF-16) and what they say. */
export interface Passage {
  target: string;
  from: number;
  text: string;
}

type Change = ({ change: 'text' } & TextChange) | { change: 'milestones' } | { change: 'facts' };

type Link =
  | { link: 'offline'; reason: string | null }
  | { link: 'syncing' }
  | { link: 'live' }
  | { link: 'denied'; code: number; reason: string };

/** The one honest status. */
export type Status =
  | { state: 'opening' }
  | { state: 'saved' }
  | { state: 'saving' }
  | { state: 'offline'; unsaved: boolean; reason: string | null }
  | { state: 'denied'; code: number; reason: string };

/** What the client tells of itself. */
interface Told {
  link: Link;
  unsaved: boolean;
  may_write: boolean;
  can_undo: boolean;
  can_redo: boolean;
}

function statusOf({ link, unsaved }: Told): Status {
  switch (link.link) {
    case 'live':
      return unsaved ? { state: 'saving' } : { state: 'saved' };
    case 'syncing':
      return unsaved ? { state: 'saving' } : { state: 'opening' };
    case 'offline':
      return { state: 'offline', unsaved, reason: link.reason };
    case 'denied':
      return { state: 'denied', code: link.code, reason: link.reason };
  }
}

/** What the client has to tell, as bits. */
const REDACTED = 1;
const RELEASE = 2;
/** The close code of a session that has ended. */
const SIGNED_OUT = 4401;
const RENEW_MS = 15_000;
const PERSIST_MS = 100;
const CHECK_MS = 400;
const CALM_MS = 600;
const FIRST_RETRY_MS = 300;
const LAST_RETRY_MS = 5_000;

let loading: Promise<unknown> | undefined;

/** Loads the WebAssembly once. */
export function loadCore(): Promise<unknown> {
  loading ??= init({ module_or_path: wasmUrl });
  return loading;
}

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

  /** Told when a step was taken on the path to a release. */
  onRelease: (() => void) | undefined;

  /** Told of each text that somebody else changed. */
  onOthers: ((target: string) => void) | undefined;

  private readonly listeners = new Map<string, (change: TextChange) => void>();
  private readonly pointers = new Map<string, () => void>();
  /** The milestone in whose texts the caret is. */
  private caretIn: string | undefined;
  private socket: WebSocket | undefined;
  private retry = FIRST_RETRY_MS;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private persistTimer: ReturnType<typeof setTimeout> | undefined;
  private checkTimer: ReturnType<typeof setTimeout> | undefined;
  private calmTimer: ReturnType<typeof setTimeout> | undefined;
  private renewTimer: ReturnType<typeof setInterval> | undefined;
  private keeping: Promise<void> = Promise.resolve();
  private remembered: string | undefined;
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
    private readonly shelf: Shelf,
    private deviceFacts: Facts,
    /** Called when the server may have changed its mind about who may be here. */
    private readonly onDoubt: () => void,
  ) {}

  static async open(id: string, person: string, onDoubt: () => void): Promise<LiveDocument> {
    await loadCore();
    const shelf = new Shelf(person, id);
    const [updates, facts] = await Promise.all([shelf.load(), shelf.facts()]);
    const client = newClient(facts.remembered);
    for (const { update, claims } of updates) client.load(update, claims ?? NONE);
    client.loaded(updates.length > 0);
    const live = new LiveDocument(id, client, shelf, facts, onDoubt);
    live.remembered = facts.remembered;
    live.ready = updates.length > 0;
    live.refresh();
    live.connect();
    live.renewTimer = setInterval(() => live.with((c) => c.renew()), RENEW_MS);
    window.addEventListener('online', live.reconnect);
    window.addEventListener('offline', live.goOffline);
    window.addEventListener('pagehide', live.persistNow);
    return live;
  }

  /** Keeps the page's description of the document, for when the server can't be asked. */
  rememberView(view: DocumentView): void {
    const known = (this.deviceFacts.view as DocumentView | undefined)?.redactions?.length ?? 0;
    if (view.redactions.length > known) this.redacted = true;
    this.deviceFacts = { ...this.deviceFacts, view };
    void this.shelf.setFacts(this.deviceFacts).catch(() => undefined);
  }

  static async storedView(id: string, person: string): Promise<unknown> {
    return (await new Shelf(person, id).facts()).view;
  }

  close(): void {
    this.closed = true;
    this.persistNow();
    clearTimeout(this.retryTimer);
    clearTimeout(this.checkTimer);
    clearTimeout(this.calmTimer);
    clearInterval(this.renewTimer);
    window.removeEventListener('online', this.reconnect);
    window.removeEventListener('offline', this.goOffline);
    window.removeEventListener('pagehide', this.persistNow);
    this.socket?.close();
  }

  // ── Texts ─────────────────────────────────────────────────────────────────

  read(target: string): Delta {
    return JSON.parse(this.client.read(target)) as Delta;
  }

  /** Whether a text has anything but blanks. */
  says(target: string): boolean {
    return this.read(target).some((op) => 'insert' in op && /\S/.test(String(op.insert)));
  }

  /** What stands between two offsets of a text. */
  passage(target: string, from: number, to: number): Passage {
    const whole = this.read(target).map((op) =>
      'insert' in op && typeof op.insert === 'string' ? op.insert : '\ufffc',
    );
    return { target, from, text: whole.join('').slice(from, to) };
  }

  /** The whole visible content, as JSON. */
  content(): string {
    return this.client.content();
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
    // Where somebody's caret stands at the end of a line, a line ended there leaves it behind.
    if (this.peers.length > 0 && endsLine(delta)) this.placePeers();
  }

  /** Changes a text from outside its editor: the editors are built again. */
  bring(target: string, delta: Delta): void {
    this.edit(target, delta, true);
    this.generation += 1;
  }

  /** Tells `listener` what others, undo and redo change in a text. */
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

  point(target: string | null, anchor = 0, head = 0): void {
    const before = this.caretIn;
    this.caretIn = milestoneOf(target);
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

  parked(): ReturnType<Shelf['parked']> {
    return this.shelf.parked();
  }

  discardParked(key: IDBValidKey): Promise<void> {
    return this.shelf.discardParked(key);
  }

  // ── The driver ────────────────────────────────────────────────────────────

  /**
   * Does something with the client, then carries out what follows from it. `removes`: a milestone that is not
   * shown afterwards was taken away here, so nobody is writing in it.
   */
  private with(action: (client: AccordClient) => void, removes = false): void {
    action(this.client);
    for (const frame of this.client.takeFrames() as Uint8Array<ArrayBuffer>[]) {
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(frame);
    }
    const changes = this.client.takeChanges();
    if (changes) this.tell(JSON.parse(changes) as Change[], removes);
    const peers = this.client.takePeers();
    if (peers) this.setPeers(peers);
    this.setStatus();
    this.persistSoon();
  }

  /** Looks again where the carets of the others are. */
  private placePeers(): void {
    this.setPeers(this.client.peers());
  }

  private setPeers(json: string): void {
    this.peers = JSON.parse(json) as Peer[];
    for (const tell of this.pointers.values()) tell();
  }

  private tell(changes: Change[], removes: boolean): void {
    for (const change of changes) {
      if (change.change === 'text') {
        this.listeners.get(change.target)?.(change);
        // What a first sync brings is the document, not news.
        if (!change.own && this.ready) this.onOthers?.(change.target);
      } else if (change.change === 'milestones') this.readMilestones(removes);
      else this.facts = JSON.parse(this.client.facts()) as Record<string, string>;
    }
  }

  /**
   * A milestone that others deleted stays on the page while the caret is in it: else what is typed next would go
   * nowhere. What is typed there shows it again, for everybody.
   */
  private readMilestones(removes: boolean): void {
    const all = JSON.parse(this.client.milestones()) as Milestone[];
    const at = this.milestones.findIndex(({ id }) => id === this.caretIn);
    const held = this.milestones[at];
    if (held && !removes && !all.some(({ id }) => id === held.id))
      all.splice(at, 0, { ...held, deleted: true });
    this.milestones = all;
  }

  private refresh(): void {
    this.readMilestones(true);
    this.facts = JSON.parse(this.client.facts()) as Record<string, string>;
    this.checklist = JSON.parse(this.client.checklist()) as Check[];
  }

  private setStatus(): void {
    const told = this.client.takeStatus();
    if (!told) return;
    const now = JSON.parse(told) as Told;
    this.linked = now.link.link === 'live';
    this.unsaved = now.unsaved;
    this.show(statusOf(now));
    this.canUndo = now.can_undo;
    this.canRedo = now.can_redo;
    this.mayWrite = now.may_write;
  }

  /**
   * Between two keystrokes the page goes on saying “Saving”, and on opening it does not say so for the
   * handshake alone: what flickers is not read.
   */
  private show(next: Status): void {
    clearTimeout(this.calmTimer);
    const step = `${this.status.state} ${next.state}`;
    if (step === 'saving saved' || step === 'opening saving') {
      this.calmTimer = setTimeout(() => {
        this.status = next;
      }, CALM_MS);
      return;
    }
    if (JSON.stringify(next) !== JSON.stringify(this.status)) this.status = next;
  }

  private connect(): void {
    if (this.closed || this.socket) return;
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(
      `${scheme}://${location.host}/sync/${encodeURIComponent(this.id)}`,
      subprotocol(),
    );
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      if (this.socket === socket) this.with((client) => client.opened());
    };
    socket.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      if (this.socket === socket) this.receive(new Uint8Array(event.data));
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.disconnected(event.code, event.reason);
      // A browser does not say why a connection did not open.
      if (!opened && !this.closed) this.onDoubt();
    };
  }

  /**
   * After a redaction the updates that this device keeps still hold what was taken out: they are
   * replaced by what is left. Told live, or found out on opening, by a device that was away.
   */
  private dropRedacted(): void {
    this.redacted = false;
    this.persistNow();
    const client = this.client;
    this.keeping = this.keeping.then(() => this.shelf.pack(() => wholeOf(client))).catch(() => undefined);
  }

  private receive(frame: Uint8Array): void {
    this.with((client) => {
      try {
        client.frame(frame);
      } catch {
        this.socket?.close();
      }
    });
    const news = this.client.takeNews();
    if (news & RELEASE) this.onRelease?.();
    if (news & REDACTED) {
      this.redacted = true;
      this.onDoubt();
    }
    if (this.linked) {
      if (this.redacted) this.dropRedacted();
      this.retry = FIRST_RETRY_MS;
      if (!this.ready) {
        this.ready = true;
        this.refresh();
      }
    }
  }

  private disconnected(code: number, reason: string): void {
    this.socket = undefined;
    this.with((client) => client.closed(code, reason));
    if (this.closed) return;
    if (this.status.state === 'denied') {
      void this.setAside(this.status.code, this.status.reason);
      return;
    }
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.connect(), this.retry * (0.75 + Math.random() / 2));
    this.retry = Math.min(this.retry * 2, LAST_RETRY_MS);
  }

  /**
   * What the server refused for good goes aside, readable; the document starts anew from the server.
   * Whose session has ended keeps everything as it is, until they sign in again.
   */
  private async setAside(code: number, reason: string): Promise<void> {
    if (code === SIGNED_OUT) {
      this.persistNow();
      await this.keeping;
      this.onDoubt();
      return;
    }
    clearTimeout(this.persistTimer);
    this.persistTimer = undefined;
    await this.keeping;
    if (this.unsaved) await this.shelf.park(reason, this.client.content());
    else await this.shelf.clear();
    this.deviceFacts = { view: this.deviceFacts.view };
    this.remembered = undefined;
    this.client = newClient(undefined);
    this.dispatchReset();
    this.connect();
  }

  /** Tells the page to build its editors again. */
  private dispatchReset(): void {
    this.ready = false;
    this.generation += 1;
  }

  /** Grows when the document was started anew, and editors must be too. */
  generation = $state(0);

  private readonly reconnect = () => {
    clearTimeout(this.retryTimer);
    this.retry = FIRST_RETRY_MS;
    this.connect();
  };

  private readonly goOffline = () => {
    const socket = this.socket;
    if (!socket) return;
    socket.onclose = null;
    socket.close();
    this.disconnected(1006, '');
  };

  private persistSoon(): void {
    this.persistTimer ??= setTimeout(this.persistNow, PERSIST_MS);
    this.checkTimer ??= setTimeout(() => {
      this.checkTimer = undefined;
      this.checklist = JSON.parse(this.client.checklist()) as Check[];
    }, CHECK_MS);
  }

  private readonly persistNow = () => {
    clearTimeout(this.persistTimer);
    this.persistTimer = undefined;
    const edits: Edit[] = (this.client.takeUpdates() as Uint8Array[]).map((update) => ({ update }));
    const claims = this.client.claims();
    const last = edits.at(-1);
    if (last && claims.length > 0) last.claims = claims;
    const remembered = this.client.remembered() ?? undefined;
    const client = this.client;
    const factsChanged = remembered !== this.remembered;
    if (!last && !factsChanged) return;
    this.remembered = remembered;
    if (factsChanged) this.deviceFacts = { ...this.deviceFacts, ...(remembered ? { remembered } : {}) };
    this.keeping = this.keeping
      .then(async () => {
        if (last) await this.shelf.keep(edits, () => wholeOf(client));
        if (factsChanged) await this.shelf.setFacts(this.deviceFacts);
        this.deviceFailed = false;
      })
      .catch(() => {
        this.deviceFailed = true;
      });
  };

  /** Whether this device can't keep what is typed offline. */
  deviceFailed = $state(false);
}

const NONE = new Uint8Array();

const milestoneOf = (target: string | null) => /^milestones\/([^/]+)/.exec(target ?? '')?.[1];

/** All that a client has, as one edit. */
function wholeOf(client: AccordClient): Edit {
  return { update: client.state(), claims: client.claims() };
}

function newClient(remembered: string | undefined): AccordClient {
  // 53 random bits: an id nobody writes under again.
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return new AccordClient((high & 0x1fffff) * 2 ** 32 + low, remembered);
}
