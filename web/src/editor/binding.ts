// Ties one ProseMirror editor to one text of a live document: own transactions become changes of
// the text, changes of the text become steps. Nothing is ever written because of a remote change.

import { Plugin, TextSelection, type Transaction } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import type { LiveDocument, TextChange } from '../sync/live.svelte';
import { type Delta, moved, transform } from '../text/delta';
import { documentOf, Follower } from './fromDelta';
import { flatOf, toFlat, toPlace } from './positions';
import { deltasOf } from './toDelta';

/** Marks transactions that bring in changes of the text. */
export const REMOTE = 'remote';

interface Composition {
  /** Changes of the text that wait for the composition to end, relative to what the editor shows. */
  held: Delta[];
}

/** The ends of a selection, as flat offsets. */
interface Caret {
  anchor: number;
  head: number;
}

export class Binding {
  private view: EditorView | undefined;
  private composition: Composition | undefined;
  /** Where the others know the caret to be. */
  private told: Caret | undefined;
  private readonly follower: Follower;

  constructor(
    private readonly live: LiveDocument,
    readonly target: string,
  ) {
    this.follower = new Follower({ read: () => live.read(target), isEnded: () => live.isEnded(target) });
  }

  /** The document to start the editor with. */
  initial() {
    return documentOf(this.live.read(this.target));
  }

  /** Follows the text from now on; gives what ends it. */
  attach(view: EditorView, onPeers: () => void): () => void {
    this.view = view;
    const stop = this.live.listen(this.target, (change) => this.receive(change), onPeers);
    return () => {
      stop();
      this.view = undefined;
    };
  }

  /** Call with each transaction of the editor, once its state is applied. */
  sent(tr: Transaction): void {
    if (tr.docChanged && !tr.getMeta(REMOTE)) {
      const missing = this.composition?.held.length ? null : this.follower.missing(tr.before);
      const pasted = isPaste(tr);
      if (missing) this.edit(missing, false);
      for (const delta of deltasOf(tr)) this.edit(delta, pasted);
    }
    if ((tr.docChanged || tr.selectionSet) && this.view?.hasFocus()) this.point();
  }

  /** Remembers what is selected: it is copied, or dragged away. */
  copy(): void {
    if (!this.view || this.composition?.held.length) return;
    const { doc, selection } = this.view.state;
    if (!selection.empty) this.live.copy(this.target, toFlat(doc, selection.from), toFlat(doc, selection.to));
  }

  private edit(delta: Delta, pasted: boolean): void {
    this.move(delta);
    const held = this.composition?.held ?? [];
    // The text is ahead of the editor by what is held: each is moved past the other.
    let own = delta;
    held.forEach((ahead, index) => {
      held[index] = transform(own, ahead, false);
      own = transform(ahead, own, true);
    });
    this.live.edit(this.target, own, pasted);
    if (held.length === 0) this.follower.edited();
  }

  /** Call when a composition (an input method at work) has ended. */
  composed(): void {
    const held = this.composition?.held ?? [];
    this.composition = undefined;
    for (const delta of held) if (this.apply(delta, false)) return;
  }

  private receive({ delta, own }: TextChange): void {
    const view = this.view;
    if (!view) return;
    if (view.composing && !own) {
      this.composition ??= { held: [] };
      const waits = this.composition.held.length > 0 || this.touchesComposition(view, delta);
      if (waits) {
        this.composition.held.push(delta);
        return;
      }
    }
    this.apply(delta, own);
  }

  /** Whether a change reaches the line in which the input method is at work. */
  private touchesComposition(view: EditorView, delta: Delta): boolean {
    const { doc, selection } = view.state;
    const start = toFlat(doc, selection.$from.start(1));
    const end = toFlat(doc, selection.$to.end(1));
    let offset = 0;
    for (const op of delta) {
      if ('insert' in op) {
        if (offset >= start && offset <= end) return true;
      } else {
        const size = 'retain' in op ? op.retain : op.delete;
        const changes = 'delete' in op || op.attributes !== undefined;
        if (changes && offset <= end && offset + size >= start) return true;
        offset += size;
      }
    }
    return false;
  }

  /** Gives whether the editor now shows the whole text. */
  private apply(delta: Delta, own: boolean): boolean {
    const view = this.view;
    if (!view) return true;
    const tr = view.state.tr;
    const whole = this.follower.follow(tr, delta);
    if (whole) this.told = undefined;
    else this.move(delta);
    tr.setMeta(REMOTE, true).setMeta('addToHistory', false);
    if (own) {
      // Undo and redo put the caret where they changed something.
      const at = endOfChange(delta);
      const { position } = toPlace(tr.doc, at);
      tr.setSelection(TextSelection.create(tr.doc, position)).scrollIntoView();
    }
    view.dispatch(tr);
    return whole;
  }

  /** Tells the others where the caret is, unless it only moved along with the text. */
  point(): void {
    // While changes are held back the editor's offsets are not the text's.
    if (!this.view || this.composition?.held.length) return;
    const { $anchor, $head } = this.view.state.selection;
    const anchor = flatOf($anchor);
    const head = flatOf($head);
    if (this.told?.anchor === anchor && this.told.head === head) return;
    this.told = { anchor, head };
    this.live.point(this.target, anchor, head);
  }

  /** Tells the others that the caret is not in this text. */
  leave(): void {
    this.told = undefined;
    this.live.point(null);
  }

  /** The caret that the others know of moves along with the text after it. */
  private move(delta: Delta): void {
    if (!this.told) return;
    this.told = { anchor: moved(this.told.anchor, delta), head: moved(this.told.head, delta) };
  }
}

function endOfChange(delta: Delta): number {
  let offset = 0;
  let end = 0;
  for (const op of delta) {
    if ('insert' in op) offset += typeof op.insert === 'string' ? op.insert.length : 1;
    else if ('retain' in op) {
      offset += op.retain;
      if (!op.attributes) continue;
    }
    end = offset;
  }
  return end;
}

const isPaste = (tr: Transaction) => tr.getMeta('paste') === true || tr.getMeta('uiEvent') === 'drop';

/** Reports the coming and going of the caret, the ends of compositions, and what is copied. */
export function bindingPlugin(binding: Binding): Plugin {
  const copy = () => {
    binding.copy();
    return false;
  };
  return new Plugin({
    props: {
      handleDOMEvents: {
        focus: () => {
          binding.point();
          return false;
        },
        blur: () => {
          binding.leave();
          return false;
        },
        copy,
        cut: copy,
        dragstart: copy,
        compositionend: () => {
          // ProseMirror reads what was composed a little later; only then is it safe to go on.
          setTimeout(() => binding.composed(), 60);
          return false;
        },
      },
    },
  });
}
