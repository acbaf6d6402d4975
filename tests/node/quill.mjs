// Compares the binding with stock editors. Three people make random edits, which arrive in random order: some
// people use unmodified Quill 2 with y-quill 1, the others our editor over the WebAssembly client. All must end with
// the same Delta. Run the script as `quill.mjs RUNS [FIRST_SEED]`. It prints each seed that fails.
//
// The script compares the text of every replica, the lines that our editor shows, and the contents of a stock
// Quill that is opened on the final text. A Quill that was open during the edits can end with something else on its
// page than in its own text. That happens in about one run of seven, also without our editor (set ONLY_QUILL=1). So
// the script counts such runs, and does not call them failures.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { JSDOM } from 'jsdom';

const dom = new JSDOM('<!doctype html><body></body>', { pretendToBeVisual: true });
const { window } = dom;
const globals = ['document', 'navigator', 'Node', 'HTMLElement', 'MutationObserver', 'Text', 'Element', 'DOMParser', 'Range'];
for (const name of globals) Object.defineProperty(globalThis, name, { value: window[name], configurable: true });
globalThis.window = window;
document.getSelection = () => null;

const Y = await import('yjs');
const { default: Quill } = await import('quill');
const { QuillBinding } = await import('y-quill');
const ours = await import('../../target/editor.mjs');
ours.initSync({ module: readFileSync(new URL('../../web/src/wasm/accord_client_bg.wasm', import.meta.url)) });

const FIELD = 'problem';
const BLOCKS = ['header', 'list', 'blockquote', 'indent'];
const MARKS = ['bold', 'italic', 'link'];
const WORDS = ['a', 'word ', 'two words', '한글', '😀', '👩‍👩‍👧', 'é', 'ㅎ', '  ', 'Ω'];

/** Creates a seeded generator of random numbers (Mulberry32), which is good enough to choose edits. */
function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (limit) => Math.floor(next() * limit);
  return { below, pick: (list) => list[below(list.length)], chance: (p) => next() < p };
}

/** Returns a Delta in normal form, with the rules for attributes of `document/src/model/delta.rs`. */
function normal(delta) {
  const out = [];
  const push = (insert, attributes) => {
    const last = out.at(-1);
    if (last && typeof last.insert === 'string' && JSON.stringify(last.attributes) === JSON.stringify(attributes)) last.insert += insert;
    else out.push({ insert, attributes });
  };
  let ended = false;
  for (const { insert, attributes = {} } of delta) {
    const on = Object.entries(attributes).filter(([, value]) => value !== null && value !== false);
    for (const [index, part] of insert.split('\n').entries()) {
      if (index > 0) {
        const block = Object.fromEntries(on.filter(([key]) => BLOCKS.includes(key)).sort());
        const kinds = ['header', 'list', 'blockquote'].filter((kind) => kind in block);
        for (const kind of kinds.slice(1)) delete block[kind];
        push('\n', block);
        ended = true;
      }
      if (part) {
        // A split inside a surrogate pair leaves lone surrogates, which updates encode as U+FFFD.
        push(part.toWellFormed(), Object.fromEntries(on.filter(([key]) => MARKS.includes(key)).sort()));
        ended = false;
      }
    }
  }
  if (!ended) push('\n', {});
  return out;
}

class QuillPerson {
  constructor(id) {
    this.doc = new Y.Doc();
    this.doc.clientID = id;
    this.out = [];
    this.doc.on('update', (update, origin) => origin !== 'remote' && this.out.push(update));
    this.text = this.doc.getText(FIELD);
  }

  start(seed) {
    Y.applyUpdate(this.doc, seed, 'remote');
    this.open();
    this.undo = new Y.UndoManager(this.text, { trackedOrigins: new Set([this.binding]), captureTimeout: 0 });
  }

  open() {
    const host = document.createElement('div');
    document.body.append(host);
    this.quill = new Quill(host, { modules: { history: { userOnly: true } } });
    this.binding = new QuillBinding(this.text, this.quill);
  }

  receive(update) {
    Y.applyUpdate(this.doc, update, 'remote');
  }

  plain() {
    return this.quill.getText();
  }

  act(edit) {
    const { quill } = this;
    const [at, length] = [edit.at, edit.length];
    switch (edit.kind) {
      case 'type':
        return quill.insertText(at, edit.text, 'user');
      case 'split':
        return quill.insertText(at, '\n', 'user');
      case 'delete':
        return quill.deleteText(at, length, 'user');
      case 'mark':
        return quill.formatText(at, length, edit.name, edit.value ?? false, 'user');
      case 'block':
        for (const kind of ['header', 'list', 'blockquote']) {
          if (kind !== edit.name) quill.formatLine(at, length, kind, false, 'user');
        }
        return quill.formatLine(at, length, edit.name, edit.value ?? false, 'user');
      case 'indent':
        return quill.formatLine(at, length, 'indent', edit.value || false, 'user');
      case 'paste':
        return quill.insertText(at, edit.text, 'user');
      case 'undo':
        return this.undo.undo();
    }
  }

  said() {
    return normal(this.quill.getContents().ops);
  }

  replica() {
    return normal(this.text.toDelta());
  }

  /** Removes all but the first attribute of an exclusive group, because their order decides which of them Quill shows. */
  settle() {
    let at = 0;
    for (const { insert, attributes = {} } of this.text.toDelta()) {
      const kinds = ['header', 'list', 'blockquote'].filter((kind) => attributes[kind]);
      const weaker = Object.fromEntries(kinds.slice(1).map((kind) => [kind, null]));
      if (kinds.length > 1) this.text.format(at, insert.length, weaker);
      at += insert.length;
    }
  }

  /** Replaces the editor with a new one on the same text. */
  reopen() {
    this.binding.destroy();
    this.quill.container.remove();
    this.open();
  }

  stop() {
    this.binding.destroy();
    this.quill.container.remove();
    this.undo.destroy();
  }
}

/** The encoding of no claims, which is empty. */
const NOTHING = new Uint8Array();

class OurPerson {
  constructor(id) {
    this.client = new ours.AccordClient(id, undefined);
    this.out = [];
    this.now = 1;
  }

  start(seed) {
    this.client.load(seed, NOTHING);
    this.client.loaded(false);
    const read = () => JSON.parse(this.client.read(FIELD));
    this.follower = new ours.TextFollower({ read, hasLastNewline: () => this.client.isEnded(FIELD) });
    this.state = ours.EditorState.create({ doc: ours.docFromDelta(read()) });
  }

  /** Applies the client's pending changes to the editor. */
  follow() {
    const changes = this.client.takeChanges();
    for (const change of changes ? JSON.parse(changes) : []) {
      if (change.change !== 'text' || change.target !== FIELD) continue;
      const tr = this.state.tr;
      this.follower.follow(tr, change.delta);
      this.state = this.state.apply(tr);
    }
  }

  receive(update) {
    this.client.load(update, NOTHING);
    this.client.takeUpdates();
    this.follow();
  }

  plain() {
    return normal(this.delta()).map((op) => op.insert).join('');
  }

  delta() {
    const ops = [];
    this.state.doc.forEach((line) => {
      line.forEach((node) => {
        const attributes = {};
        for (const mark of node.marks) attributes[mark.type.name] = mark.type.name === 'link' ? mark.attrs.href : true;
        ops.push({ insert: node.text, attributes });
      });
      ops.push({ insert: '\n', attributes: ours.newlineAttributes(line) });
    });
    return ops;
  }

  dispatch = (tr) => {
    this.state = this.state.apply(tr);
    this.now += 10_000;
    const missing = this.follower.missingNewline(tr.before);
    for (const delta of [...(missing ? [missing] : []), ...ours.deltasOf(tr)]) {
      this.client.edit(this.now, FIELD, JSON.stringify(delta));
      this.follower.noteEdit();
    }
    this.out.push(...this.client.takeUpdates());
  };

  select(at, length) {
    const { doc } = this.state;
    const from = ours.findPlace(doc, at).position;
    const to = ours.findPlace(doc, Math.min(at + length, ours.flatLength(doc) - 1)).position;
    this.state = this.state.apply(this.state.tr.setSelection(ours.TextSelection.create(doc, from, to)));
  }

  act(edit) {
    const { commands, schema } = ours;
    this.now += 10_000;
    this.select(edit.at, edit.length ?? 0);
    const run = (command) => command(this.state, this.dispatch);
    switch (edit.kind) {
      case 'type':
        return this.dispatch(this.state.tr.insertText(edit.text, this.state.selection.from));
      case 'split':
        return run(commands.handleEnter);
      case 'delete':
        return this.state.selection.empty ? undefined : this.dispatch(this.state.tr.deleteSelection());
      case 'mark': {
        const { from, to, empty } = this.state.selection;
        if (empty) return undefined;
        if (edit.name === 'link') return run(commands.setLink(edit.value ?? ''));
        const type = schema.marks[edit.name];
        return this.dispatch(edit.value ? this.state.tr.addMark(from, to, type.create()) : this.state.tr.removeMark(from, to, type));
      }
      case 'block':
        return run(commands.toggleKind({ header: 'heading', blockquote: 'quote' }[edit.name] ?? edit.value ?? 'bullet'));
      case 'indent':
        return run(commands.indentBy(edit.value ? 1 : -1));
      case 'paste':
        return this.dispatch(this.state.tr.replaceSelection(ours.plainSlice(edit.text, false)));
      case 'undo':
        this.client.undo(this.now);
        this.out.push(...this.client.takeUpdates());
        return this.follow();
    }
  }

  said() {
    return normal(this.delta());
  }

  replica() {
    return normal(JSON.parse(this.client.read(FIELD)));
  }

  stop() {
    this.client.free();
  }
}

function choose(r, text) {
  const length = Math.max(text.length - 1, 0);
  // An edit never begins or ends inside a surrogate pair.
  const whole = (at) => (at > 0 && /[\uDC00-\uDFFF]/.test(text.charAt(at)) ? at - 1 : at);
  const at = whole(r.below(length + 1));
  const reach = whole(Math.min(length, at + r.below(8))) - at;
  const kind = r.pick(['type', 'type', 'type', 'split', 'split', 'delete', 'delete', 'mark', 'mark', 'block', 'indent', 'paste', 'undo']);
  switch (kind) {
    case 'type':
      return { kind, at, text: r.pick(WORDS) };
    case 'paste':
      return { kind, at, text: `${r.pick(WORDS)}\n${r.pick(WORDS)}\n${r.pick(WORDS)}` };
    case 'mark': {
      const name = r.pick(MARKS);
      const value = r.chance(0.7) ? (name === 'link' ? `https://example.org/${r.below(3)}` : true) : null;
      return { kind, at, length: Math.max(reach, 0), name, value };
    }
    case 'block': {
      const name = r.pick(['header', 'list', 'blockquote']);
      const on = { header: 1, list: r.pick(['bullet', 'ordered']), blockquote: true }[name];
      return { kind, at, length: reach, name, value: r.chance(0.75) ? on : null };
    }
    case 'indent':
      return { kind, at, length: reach, value: r.below(3) };
    default:
      return { kind, at, length: Math.max(reach, 0) };
  }
}

function run(seed) {
  const r = random(seed);
  const template = new Y.Doc();
  template.getText(FIELD).insert(0, '\n');
  const start = Y.encodeStateAsUpdate(template);
  const Ours = process.env.ONLY_QUILL ? QuillPerson : OurPerson;
  const people = [new QuillPerson(11), new Ours(12), r.chance(0.5) ? new Ours(13) : new QuillPerson(13)];
  for (const person of people) person.start(start);
  const inboxes = people.map(() => []);
  const log = [];
  const post = (from) => {
    for (const update of people[from].out.splice(0)) {
      inboxes.forEach((inbox, to) => to !== from && inbox.push(update));
    }
  };
  try {
    for (let step = 0; step < 40; step += 1) {
      const who = r.below(people.length);
      const edit = choose(r, people[who].plain());
      log.push(`${who} ${JSON.stringify(edit)}`);
      people[who].act(edit);
      post(who);
      for (let n = r.below(3); n > 0; n -= 1) {
        const to = r.below(people.length);
        for (const update of inboxes[to].splice(0, 1 + r.below(4))) people[to].receive(update);
      }
    }
    // A stock client that receives changes can answer with an update of its own, which removes redundant formatting. So
    // delivery continues until no update is left.
    for (let round = 0; inboxes.some((inbox) => inbox.length > 0); round += 1) {
      assert.ok(round < 20, 'updates never cease');
      people.forEach((person, to) => {
        for (const update of inboxes[to].splice(0)) person.receive(update);
      });
      people.forEach((_, from) => post(from));
    }
    const stock = people[0];
    const wanted = normal(stock.text.toDelta());
    const whole = !JSON.stringify(wanted).includes('\uFFFD');
    if (!whole) {
      // Stock replicas can then differ from each other, because each replica that splits a surrogate pair writes its
      // own U+FFFD. Our replica must still equal one of them.
      halved += 1;
      const stocks = people.filter((person) => person instanceof QuillPerson).map((person) => person.replica());
      torn += stocks.filter((said) => !isDeepStrictEqual(said, wanted)).length;
      for (const person of people.filter((person) => person instanceof OurPerson)) {
        assert.ok(stocks.some((said) => isDeepStrictEqual(said, person.replica())), 'no stock replica says what ours says');
      }
      return;
    }
    people.forEach((person, index) => {
      const name = `person ${index} (${person.constructor.name})`;
      assert.deepEqual(person.replica(), wanted, `${name}: the text`);
      if (person instanceof OurPerson) assert.deepEqual(person.said(), wanted, `${name}: what the editor shows`);
      else if (JSON.stringify(person.said()) !== JSON.stringify(wanted)) strayed += 1;
    });
    stock.settle();
    stock.reopen();
    assert.deepEqual(stock.said(), wanted, 'a Quill opened at the end');
  } catch (error) {
    // Quill's own diff can recurse endlessly on lone surrogates.
    if (error.stack?.includes('/node_modules/fast-diff/')) {
      crashed += 1;
      return;
    }
    console.error(`seed ${seed}:\n${log.join('\n')}`);
    throw error;
  } finally {
    for (const person of people) person.stop();
  }
}

const runs = Number(process.argv[2] ?? 50);
const first = Number(process.argv[3] ?? 1);
let failed = 0;
let strayed = 0;
let crashed = 0;
let halved = 0;
let torn = 0;
for (let seed = first; seed < first + runs; seed += 1) {
  try {
    run(seed);
  } catch (error) {
    failed += 1;
    console.error(error.message);
    if (failed >= Number(process.env.FAILURES ?? 1)) break;
  }
}
console.log(`${runs} runs from seed ${first}, ${failed} failed; ${strayed} open Quills strayed from their own text, ${crashed} crashed; ${halved} texts with half characters, of which ${torn} differ between stock replicas`);
process.exit(failed > 0 ? 1 : 0);
