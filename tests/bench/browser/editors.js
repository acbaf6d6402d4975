// Runs in the page. Opens the same text in three editors, and measures the script time that each editor
// spends on a keystroke and on a remote change, in milliseconds.

import { initProseMirrorDoc, prosemirrorToYXmlFragment, yCursorPlugin, ySyncPlugin, yUndoPlugin } from 'y-prosemirror';
import { applyAwarenessUpdate, Awareness, encodeAwarenessUpdate, modifyAwarenessUpdate } from 'y-protocols/awareness';
import { readSyncMessage, writeUpdate } from 'y-protocols/sync';
import * as encoding from 'lib0/encoding';
import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import {
  AccordClient,
  Binding,
  bindingPlugin,
  caretsPlugin,
  docFromDelta,
  EditorState,
  EditorView,
  findPlace,
  flatLength,
  initSync,
  refreshCarets,
  schema,
  TextSelection,
} from '../../node/editor';
import { textOf } from './text.mjs';

const FIELD = 'problem';
const BATCH = 50;
const BEN = { name: 'Ben', person: 'ben', sector: 'civil_society', color: '#993333' };

function viewOf(doc, plugins, dispatchTransaction) {
  const host = document.createElement('div');
  document.body.append(host);
  return new EditorView(host, {
    state: EditorState.create({ doc, plugins }),
    ...(dispatchTransaction && { dispatchTransaction }),
  });
}

/** An editor without collaboration. */
function plain(text) {
  const view = viewOf(docFromDelta([{ insert: text }]), []);
  return {
    view,
    remote: (at) => {
      const { position } = findPlace(view.state.doc, at);
      return () => view.dispatch(view.state.tr.insertText('b', position));
    },
    destroy: () => view.destroy(),
  };
}

/** Returns the message of the sync protocol that carries an update. */
function frameOf(update) {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, 0);
  writeUpdate(encoder, update);
  return encoding.toUint8Array(encoder);
}

/**
 * Sets Ben as the user in an awareness message. The server sets the user of a client in the same way before it
 * passes the message on.
 */
function named(frame) {
  const decoder = decoding.createDecoder(frame);
  const message = decoding.readVarUint(decoder);
  const update = modifyAwarenessUpdate(decoding.readVarUint8Array(decoder), (state) => ({ ...state, user: BEN }));
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, message);
  encoding.writeVarUint8Array(encoder, update);
  return encoding.toUint8Array(encoder);
}

/**
 * Accord's editor: the page's binding on top of the WebAssembly client. The code here does everything that the
 * page's driver of the client does, except sending.
 */
function accord(text) {
  const client = new AccordClient(7, undefined);
  const other = new AccordClient(8, undefined);
  client.edit(0, FIELD, JSON.stringify([{ insert: text }]));
  other.load(client.state(), client.claims());
  client.takeUpdates();
  client.takeChanges();
  other.takeUpdates();
  other.takeChanges();
  client.opened();
  // This frame is the server's sync step 1, with an empty state vector. From here on, the client sends edits at
  // once.
  client.frame(new Uint8Array([0, 0, 1, 0]));
  client.takeFrames();

  let listener = () => {};
  let peers = [];
  const act = (action) => {
    action();
    let sent = 0;
    for (const frame of client.takeFrames()) sent += frame.length;
    const changes = client.takeChanges();
    if (changes) for (const change of JSON.parse(changes)) listener(change);
    const moved = client.takePeers();
    if (moved) {
      peers = JSON.parse(moved);
      refreshCarets(view, live, FIELD);
    }
    const status = client.takeStatus();
    if (status) JSON.parse(status);
    return sent;
  };
  const live = {
    get peers() {
      return peers;
    },
    read: (target) => JSON.parse(client.read(target)),
    hasLastNewline: (target) => client.isEnded(target),
    edit: (target, delta) => act(() => client.edit(performance.now(), target, JSON.stringify(delta))),
    sendCaret: (target, anchor = 0, head = 0) => act(() => client.point(target ?? undefined, anchor, head)),
    listen: (_, tell) => {
      listener = tell;
      return () => {};
    },
  };
  const binding = new Binding(live, FIELD);
  const view = viewOf(binding.initialDoc(), [bindingPlugin(binding), caretsPlugin(live, FIELD)], (tr) => {
    view.updateState(view.state.apply(tr));
    binding.handleTransaction(tr);
  });
  binding.attach(view, () => {});
  // The other client puts its caret into the same text.
  other.opened();
  other.takeFrames();
  other.point(FIELD, 3, 3);
  for (const frame of other.takeFrames()) act(() => client.frame(named(frame)));
  return {
    view,
    between: () => {
      for (const update of client.takeUpdates()) other.load(update, client.claims());
      other.takeUpdates();
      other.takeChanges();
    },
    remote: (at) => {
      other.edit(0, FIELD, JSON.stringify([{ retain: at }, { insert: 'b' }]));
      const [update] = other.takeUpdates();
      other.takeChanges();
      const frame = frameOf(update);
      return () => act(() => client.frame(frame));
    },
    destroy: () => view.destroy(),
  };
}

/** An editor with Yjs and y-prosemirror, undo and carets. It also encodes the frames that y-websocket would send. */
function yProsemirror(text) {
  const ydoc = new Y.Doc();
  const fragment = ydoc.getXmlFragment(FIELD);
  prosemirrorToYXmlFragment(docFromDelta([{ insert: text }]), fragment);
  const other = new Y.Doc();
  Y.applyUpdate(other, Y.encodeStateAsUpdate(ydoc));
  const awareness = new Awareness(ydoc);
  awareness.setLocalStateField('user', { name: 'Ana', color: '#336699' });
  let sent = 0;
  ydoc.on('update', (update) => {
    sent += frameOf(update).length;
  });
  awareness.on('update', ({ added, updated, removed }) => {
    sent += encodeAwarenessUpdate(awareness, [...added, ...updated, ...removed]).length;
  });
  const { doc, mapping } = initProseMirrorDoc(fragment, schema);
  const view = viewOf(doc, [ySyncPlugin(fragment, { mapping }), yCursorPlugin(awareness), yUndoPlugin()]);
  const anchor = Y.createRelativePositionFromTypeIndex(other.getXmlFragment(FIELD).get(0).get(0), 3);
  const theirs = new Awareness(other);
  theirs.setLocalState({ user: BEN, cursor: { anchor, head: anchor } });
  applyAwarenessUpdate(awareness, encodeAwarenessUpdate(theirs, [other.clientID]), 'provider');
  return {
    view,
    between: () => Y.applyUpdate(other, Y.encodeStateAsUpdate(ydoc, Y.encodeStateVector(other))),
    remote: (at) => {
      const { line, position, start } = findPlace(view.state.doc, at);
      const before = Y.encodeStateVector(other);
      other.getXmlFragment(FIELD).get(line).get(0).insert(position - start - 1, 'b');
      const frame = frameOf(Y.encodeStateAsUpdate(other, before));
      return () => {
        const decoder = decoding.createDecoder(frame);
        decoding.readVarUint(decoder);
        readSyncMessage(decoder, encoding.createEncoder(), ydoc, 'provider');
      };
    },
    destroy: () => {
      view.destroy();
      awareness.destroy();
      theirs.destroy();
    },
  };
}

const EDITORS = { plain, accord, yProsemirror };

/** Opens a text in plain ProseMirror, ready for typing. */
export function open(text) {
  const { view } = plain(text);
  view.dispatch(view.state.tr.setSelection(TextSelection.create(view.state.doc, 10)));
  view.focus();
}

/** Returns the mean script time of a keystroke and of a remote change, in milliseconds, for each editor. */
export async function measure({ words, block, dispatches, names = Object.keys(EDITORS) }) {
  if (!crossOriginIsolated) throw new Error('not isolated: timers are too coarse');
  globalThis.loaded ??= initSync({ module: await (await fetch('/client.wasm')).arrayBuffer() });
  const text = textOf(words, block);
  const editors = names.map((name) => ({ name, typingMs: 0, remoteMs: 0, ...EDITORS[name](text) }));
  const middle = findPlace(editors[0].view.state.doc, Math.floor(text.length / 2)).position;
  for (const { view } of editors) {
    view.dispatch(view.state.tr.setSelection(TextSelection.create(view.state.doc, middle)));
  }
  const rest = () => new Promise((resolve) => setTimeout(resolve));

  // The editors take turns of one batch of keystrokes each. Each round begins with another editor.
  for (let done = 0, turn = 0; done < dispatches; done += BATCH, turn += 1) {
    for (let n = 0; n < editors.length; n += 1) {
      const editor = editors[(n + turn) % editors.length];
      const { view } = editor;
      view.focus();
      if (!view.hasFocus()) throw new Error('an editor without focus does less');
      await rest();
      const start = performance.now();
      for (let key = 0; key < BATCH; key += 1) view.dispatch(view.state.tr.insertText('a'));
      editor.typingMs += performance.now() - start;
      await rest();
    }
  }
  for (const { between } of editors) between?.();

  let seed = 1;
  const length = flatLength(editors[0].view.state.doc) - 1;
  for (let done = 0, turn = 0; done < dispatches; done += BATCH, turn += 1) {
    const places = Array.from({ length: BATCH }, () => {
      seed = (seed * 48271) % 2147483647;
      return seed % length;
    });
    for (let n = 0; n < editors.length; n += 1) {
      const editor = editors[(n + turn) % editors.length];
      for (const at of places) {
        const change = editor.remote(at);
        const start = performance.now();
        change();
        editor.remoteMs += performance.now() - start;
      }
      await rest();
    }
  }

  const [first, ...others] = editors;
  for (const other of others) {
    if (other.view.state.doc.textContent !== first.view.state.doc.textContent) throw new Error(`${other.name} shows another text`);
  }
  for (const { view, destroy } of editors) {
    const host = view.dom.parentElement;
    destroy();
    host.remove();
  }
  return Object.fromEntries(
    editors.map(({ name, typingMs, remoteMs }) => [name, { typing: typingMs / dispatches, remote: remoteMs / dispatches }]),
  );
}
