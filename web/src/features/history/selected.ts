// Finds the selected part of a text that is shown with its changes, as offsets in UTF-16 code units. They count deleted
// passages as well.

export interface Selected {
  target: string;
  from: number;
  to: number;
}

/**
 * Returns the selection, or `undefined` if it is empty or not within a single text. The attribute `data-at` of a line is the
 * offset at which the line begins.
 */
export function selectedIn(page: HTMLElement): Selected | undefined {
  const selection = getSelection();
  if (!selection || selection.isCollapsed || selection.rangeCount === 0) return undefined;
  const range = selection.getRangeAt(0);
  const field = closest(range.commonAncestorContainer, '[data-target]');
  if (!field || !page.contains(field)) return undefined;
  const touched = [...field.querySelectorAll<HTMLElement>('[data-at]')].filter((line) =>
    range.intersectsNode(line),
  );
  const [first, last] = [touched[0], touched.at(-1)];
  if (!first || !last) return undefined;
  const from = offsetIn(first, range.startContainer, range.startOffset) ?? 0;
  const to =
    offsetIn(last, range.endContainer, range.endOffset) ?? charactersOf(last, last, last.childNodes.length);
  const selected = { from: Number(first.dataset.at) + from, to: Number(last.dataset.at) + to };
  return selected.from < selected.to ? { target: field.dataset.target ?? '', ...selected } : undefined;
}

const closest = (node: Node, selector: string) =>
  (node instanceof Element ? node : node.parentElement)?.closest<HTMLElement>(selector);

/** Returns the offset of a place in a line, or `undefined` if the place is not in that line. */
function offsetIn(line: HTMLElement, node: Node, offset: number): number | undefined {
  return line.contains(node) ? charactersOf(line, node, offset) : undefined;
}

/** Counts the UTF-16 code units of a line before a place, without the sign that the page adds for a changed end of the line. */
function charactersOf(line: HTMLElement, node: Node, offset: number): number {
  const before = document.createRange();
  before.setStart(line, 0);
  before.setEnd(node, offset);
  const copy = before.cloneContents();
  for (const sign of copy.querySelectorAll('.end')) sign.remove();
  return copy.textContent?.length ?? 0;
}
