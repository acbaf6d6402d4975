// Finds the selected part of a text that is shown with its changes, as offsets in UTF-16 code units. The offsets count
// deleted passages as well.

export interface SelectedRange {
  target: string;
  from: number;
  to: number;
}

/**
 * Returns the selection, or `undefined` if it is empty or not within a single text. The attribute `data-at` of a line is the
 * offset at which the line begins.
 */
export function findSelectedRange(page: HTMLElement): SelectedRange | undefined {
  const selection = getSelection();
  if (!selection || selection.isCollapsed || selection.rangeCount === 0) return undefined;
  const range = selection.getRangeAt(0);
  const field = closestElement(range.commonAncestorContainer, '[data-target]');
  if (!field || !page.contains(field)) return undefined;
  const touchedLines = [...field.querySelectorAll<HTMLElement>('[data-at]')].filter((line) =>
    range.intersectsNode(line),
  );
  const [first, last] = [touchedLines[0], touchedLines.at(-1)];
  if (!first || !last) return undefined;
  const from = findOffset(first, range.startContainer, range.startOffset) ?? 0;
  const to =
    findOffset(last, range.endContainer, range.endOffset) ??
    countCharacters(last, last, last.childNodes.length);
  const selected = { from: Number(first.dataset.at) + from, to: Number(last.dataset.at) + to };
  return selected.from < selected.to ? { target: field.dataset.target ?? '', ...selected } : undefined;
}

const closestElement = (node: Node, selector: string) =>
  (node instanceof Element ? node : node.parentElement)?.closest<HTMLElement>(selector);

/** Returns the offset of a place in a line, or `undefined` if the place is not in that line. */
function findOffset(line: HTMLElement, node: Node, offset: number): number | undefined {
  return line.contains(node) ? countCharacters(line, node, offset) : undefined;
}

/** Counts the UTF-16 code units of a line before a place, without the sign that the page adds for a changed end of the line. */
function countCharacters(line: HTMLElement, node: Node, offset: number): number {
  const before = document.createRange();
  before.setStart(line, 0);
  before.setEnd(node, offset);
  const copy = before.cloneContents();
  for (const sign of copy.querySelectorAll('.end')) sign.remove();
  return copy.textContent?.length ?? 0;
}
