// Shows the carets and selections of other people, with their names and in the shape and colour of their sector, which
// `styles/people.css` has.

import type { Node } from 'prosemirror-model';
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
        const shown = set.map(tr.mapping, tr.doc);
        if (!tr.getMeta(pluginKey)) return shown;
        return DecorationSet.create(
          state.doc,
          peersIn(live, target).flatMap((peer) => decorationsOf(state.doc, peer, shown)),
        );
      },
    },
    props: { decorations: (state) => pluginKey.getState(state) },
  });
}

export function refreshCarets(view: EditorView, live: LiveDocument, target: string): void {
  const shown = pluginKey.getState(view.state)?.find();
  if (shown?.length || peersIn(live, target).length) view.dispatch(view.state.tr.setMeta(pluginKey, true));
}

const peersIn = (live: LiveDocument, target: string) =>
  live.peers.filter(({ cursor }) => cursor?.[0] === target);

/**
 * Returns the decorations of a person's caret and selection. `shown` are those that the page shows. A caret shows its name
 * after it was put there, for the time that `web/src/styles/people.css` sets. One that stays, or that only moves along with the
 * text, is still that caret.
 */
function decorationsOf(doc: Node, { client, user, cursor }: Peer, shown: DecorationSet): Decoration[] {
  if (!cursor) return [];
  const [, anchor, head] = cursor;
  const from = findPlace(doc, anchor).position;
  const place = findPlace(doc, head).position;
  const [same] = shown.find(place, place, (spec) => spec.client === client);
  const since = same?.spec.since ?? Date.now();
  const caret = Decoration.widget(place, () => createCaret(user, since), {
    key: `${client}-${user.name}-${since}`,
    client,
    since,
    side: 10,
  });
  if (from === place) return [caret];
  const selection = { class: `selected-by sector-${user.sector}` };
  return [Decoration.inline(Math.min(from, place), Math.max(from, place), selection), caret];
}

function createCaret(user: Peer['user'], since: number): HTMLElement {
  const caret = document.createElement('span');
  caret.className = `caret sector-${user.sector}`;
  // Screen readers skip the carets of other people, so that names do not interrupt the text. The list of people names everybody.
  caret.setAttribute('aria-hidden', 'true');
  const name = document.createElement('span');
  name.className = 'caret-name';
  name.textContent = user.name;
  // The editor can create the element again at any time. The animation of the new element then starts where that of the
  // old one was.
  name.style.animationDelay = `${since - Date.now()}ms`;
  caret.append(name);
  return caret;
}
