// Binds one ProseMirror editor to one text of a live document. The person's own transactions become changes of
// the text, and changes of the text become steps in the editor. A remote change never causes a write.

import { Plugin, TextSelection, type Transaction } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import type { LiveDocument, TextChange } from '../sync/live.svelte';
import { type Delta, transform, transformOffset } from '../text/delta';
import { docFromDelta, TextFollower } from './fromDelta';
import { findPlace, flatOffsetOf, toFlatOffset } from './positions';
import { deltasOf } from './toDelta';

/** The metadata key of transactions that apply changes of the text to the editor. */
export const REMOTE_META = 'remote';

interface Composition {
  /**
   * The changes from outside this editor that wait until the input method has finished composing text. Applied in order,
   * they turn the text that the editor shows into the current one.
   */
  heldChanges: Delta[];
}

/** The ends of a selection, as flat offsets. */
interface Caret {
  anchor: number;
  head: number;
}

export class Binding {
  private view: EditorView | undefined;
  private composition: Composition | undefined;
  /** The caret that was last sent to other people, or `undefined` if none was sent or if the caret must be sent again. */
  private sentCaret: Caret | undefined;
  private readonly follower: TextFollower;

  constructor(
    private readonly live: LiveDocument,
    readonly target: string,
  ) {
    this.follower = new TextFollower({
      read: () => live.read(target),
      hasLastNewline: () => live.hasLastNewline(target),
    });
  }

  /** Returns the document with which the editor starts. */
  initialDoc() {
    return docFromDelta(this.live.read(this.target));
  }

  /**
   * Starts to apply changes of the text to `view`, and to call `oncaretsmove` when other people's carets have moved.
   * Returns a function that ends both.
   */
  attach(view: EditorView, oncaretsmove: () => void): () => void {
    this.view = view;
    const stop = this.live.listen(this.target, (change) => this.receive(change), oncaretsmove);
    return () => {
      stop();
      this.view = undefined;
    };
  }

  /** Writes the person's own changes to the text. Must be called with each transaction that the editor has applied. */
  handleTransaction(tr: Transaction): void {
    if (tr.docChanged && !tr.getMeta(REMOTE_META)) {
      const missing = this.composition?.heldChanges.length ? null : this.follower.missingNewline(tr.before);
      const pasted = isPaste(tr);
      if (missing) this.edit(missing, false);
      for (const delta of deltasOf(tr)) this.edit(delta, pasted);
    }
    if ((tr.docChanged || tr.selectionSet) && this.view?.hasFocus()) this.sendCaret();
  }

  /** Records the selection as copied, so that pasting it keeps its authors. Called for a copy, a cut, or a drag. */
  recordCopy(): void {
    if (!this.view || this.composition?.heldChanges.length) return;
    const { doc, selection } = this.view.state;
    if (!selection.empty)
      this.live.recordCopy(this.target, toFlatOffset(doc, selection.from), toFlatOffset(doc, selection.to));
  }

  private edit(delta: Delta, pasted: boolean): void {
    this.moveSentCaret(delta);
    const held = this.composition?.heldChanges ?? [];
    // The text already contains the held changes, and the editor does not. So the person's change and each held change
    // are transformed past each other.
    let own = delta;
    held.forEach((ahead, index) => {
      held[index] = transform(own, ahead, false);
      own = transform(ahead, own, true);
    });
    this.live.edit(this.target, own, pasted);
    if (held.length === 0) this.follower.noteEdit();
  }

  /** Applies the held changes. Must be called when the composition of an input method has ended. */
  endComposition(): void {
    const held = this.composition?.heldChanges ?? [];
    this.composition = undefined;
    for (const delta of held) if (this.apply(delta, false)) return;
  }

  private receive({ delta, own }: TextChange): void {
    const view = this.view;
    if (!view) return;
    if (view.composing && !own) {
      this.composition ??= { heldChanges: [] };
      const waits = this.composition.heldChanges.length > 0 || this.touchesComposition(view, delta);
      if (waits) {
        this.composition.heldChanges.push(delta);
        return;
      }
    }
    this.apply(delta, own);
  }

  /** Returns whether a change reaches the line in which the input method composes text. */
  private touchesComposition(view: EditorView, delta: Delta): boolean {
    const { doc, selection } = view.state;
    const start = toFlatOffset(doc, selection.$from.start(1));
    const end = toFlatOffset(doc, selection.$to.end(1));
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

  /**
   * Applies a change of the text to the editor. `own` says that it comes from the person's undo or redo. Returns whether the
   * editor now shows the current text, which already contains all later changes.
   */
  private apply(delta: Delta, own: boolean): boolean {
    const view = this.view;
    if (!view) return true;
    const tr = view.state.tr;
    const isCurrent = this.follower.follow(tr, delta);
    if (isCurrent) this.sentCaret = undefined;
    else this.moveSentCaret(delta);
    tr.setMeta(REMOTE_META, true).setMeta('addToHistory', false);
    if (own) {
      // Undo and redo move the caret to the text that they changed.
      const at = endOfChange(delta);
      const { position } = findPlace(tr.doc, at);
      tr.setSelection(TextSelection.create(tr.doc, position)).scrollIntoView();
    }
    view.dispatch(tr);
    return isCurrent;
  }

  /** Sends the caret to other people, unless it only moved along with the text. */
  sendCaret(): void {
    // While changes are held back, offsets in the editor differ from offsets in the text.
    if (!this.view || this.composition?.heldChanges.length) return;
    const { $anchor, $head } = this.view.state.selection;
    const anchor = flatOffsetOf($anchor);
    const head = flatOffsetOf($head);
    if (this.sentCaret?.anchor === anchor && this.sentCaret.head === head) return;
    this.sentCaret = { anchor, head };
    this.live.sendCaret(this.target, anchor, head);
  }

  /** Tells other people that the caret has left this text. */
  clearCaret(): void {
    this.sentCaret = undefined;
    this.live.sendCaret(null);
  }

  /** Moves `sentCaret` along with a change of the text, as the pages of other people do. */
  private moveSentCaret(delta: Delta): void {
    if (!this.sentCaret) return;
    this.sentCaret = {
      anchor: transformOffset(this.sentCaret.anchor, delta),
      head: transformOffset(this.sentCaret.head, delta),
    };
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

/** Creates the plugin that reports focus, loss of focus, ends of compositions, and copied selections to the binding. */
export function bindingPlugin(binding: Binding): Plugin {
  const copy = () => {
    binding.recordCopy();
    return false;
  };
  return new Plugin({
    props: {
      handleDOMEvents: {
        focus: () => {
          binding.sendCaret();
          return false;
        },
        blur: () => {
          binding.clearCaret();
          return false;
        },
        copy,
        cut: copy,
        dragstart: copy,
        compositionend: () => {
          // ProseMirror reads the composed text shortly after this event. The held changes must wait until it has done so.
          setTimeout(() => binding.endComposition(), 60);
          return false;
        },
      },
    },
  });
}
