// Shows the carets and selections of other people, with their names and in the shape and colour of their sector.

import { Plugin, PluginKey } from 'prosemirror-state';
import { Decoration, DecorationSet, type EditorView } from 'prosemirror-view';
import type { LiveDocument, Peer } from '../sync/live.svelte';
import { findPlace } from './positions';

const pluginKey = new PluginKey<DecorationSet>('carets');

/** Creates the plugin that shows the carets in `target`. Call `refreshCarets` when a caret has moved. */
export function caretsPlugin(live: LiveDocument, target: string): Plugin<DecorationSet> {
  return new Plugin<DecorationSet>({
    key: pluginKey,
    state: {
      init: (_, state) => DecorationSet.create(state.doc, []),
      apply(tr, set, _before, state) {
        if (!tr.getMeta(pluginKey)) return set.map(tr.mapping, tr.doc);
        const here = live.peers.filter((peer) => peer.cursor?.[0] === target);
        return DecorationSet.create(
          state.doc,
          here.flatMap((peer) => decorationsOf(state.doc, peer)),
        );
      },
    },
    props: { decorations: (state) => pluginKey.getState(state) },
  });
}

export function refreshCarets(view: EditorView, live: LiveDocument, target: string): void {
  const shown = pluginKey.getState(view.state)?.find().length ?? 0;
  const isHere = live.peers.some((peer) => peer.cursor?.[0] === target);
  if (isHere || shown > 0) view.dispatch(view.state.tr.setMeta(pluginKey, true));
}

function decorationsOf(doc: Parameters<typeof findPlace>[0], { client, user, cursor }: Peer): Decoration[] {
  if (!cursor) return [];
  const [, anchor, head] = cursor;
  const from = findPlace(doc, Math.min(anchor, head)).position;
  const to = findPlace(doc, Math.max(anchor, head)).position;
  const caret = Decoration.widget(findPlace(doc, head).position, () => createCaret(user), {
    key: `caret-${client}-${user.name}`,
    side: 10,
    ignoreSelection: true,
    stopEvent: () => true,
  });
  if (from === to) return [caret];
  return [Decoration.inline(from, to, { class: `selected-by sector-${user.sector}` }), caret];
}

function createCaret(user: Peer['user']): HTMLElement {
  const caret = document.createElement('span');
  caret.className = `caret sector-${user.sector}`;
  // Screen readers skip the carets of other people, so that names do not interrupt the text. The list of people names everybody.
  caret.setAttribute('aria-hidden', 'true');
  const name = document.createElement('span');
  name.className = 'caret-name';
  name.textContent = user.name;
  caret.append(name);
  return caret;
}
