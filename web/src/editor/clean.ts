// Removes invisible characters from pasted text: soft hyphens, direction marks, stray joiners. The server's rules
// (`document/src/readable`) use the properties of Unicode. The rules here are the same as far as regular expressions have
// those properties, and never stricter. The editor loads this module only for text with characters that can be invisible.

/** Scripts whose letters change shape beside a joiner, as the inside of a character class. Signs and digits match too. */
const JOINING_SCRIPTS = String.raw`\p{scx=Arab}\p{scx=Syrc}\p{scx=Nkoo}\p{scx=Mong}\p{scx=Mand}\p{scx=Adlm}\p{scx=Rohg}\p{scx=Mani}\p{scx=Phag}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}\p{scx=Java}\p{scx=Bali}\p{scx=Sund}\p{scx=Newa}\p{scx=Gran}\p{scx=Tirh}\p{scx=Sidd}\p{scx=Modi}\p{scx=Limb}\p{scx=Lepc}\p{scx=Cakm}\p{scx=Mtei}`;
/** Scripts that are written without spaces, in which a zero width space marks where a line can break. */
const UNSPACED_SCRIPTS = String.raw`\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}\p{sc=Tale}\p{sc=Talu}\p{sc=Lana}\p{sc=Tavt}\p{sc=Java}\p{sc=Bali}`;
/** Matches a letter or mark of a script in `JOINING_SCRIPTS`. */
const JOINING_LETTER = String.raw`(?=[\p{L}\p{M}])[${JOINING_SCRIPTS}]`;

/** Hidden characters that a text keeps for their visible effect, in the same contexts as in `joiners.rs` and `emoji.rs`. */
const NEEDED_HIDDEN = [
  String.raw`\u{1f3f4}\u{e0067}\u{e0062}(?:\u{e0065}\u{e006e}\u{e0067}|\u{e0073}\u{e0063}\u{e0074}|\u{e0077}\u{e006c}\u{e0073})\u{e007f}`,
  String.raw`[0-9#*]\ufe0f?\u20e3`,
  String.raw`(?<=(?![0-9#*\u{1f1e6}-\u{1f1ff}\u{1f3fb}-\u{1f3ff}])\p{Emoji})[\ufe0e\ufe0f]`,
  String.raw`(?<=\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?)\u200d(?=\p{Extended_Pictographic})`,
  `(?<=${JOINING_LETTER})[\\u200c\\u200d](?=[\\u200c\\u200d]*${JOINING_LETTER})`,
  String.raw`(?<=[\p{L}\p{M}\p{Nd}»”"’)])\u200c(?=[\u200c\u200d]*(?=\p{L})[\p{scx=Arab}\p{scx=Syrc}])`,
  `(?<=(?=\\p{M})[${JOINING_SCRIPTS}])[\\u200c\\u200d]`,
  String.raw`(?<=(?=\p{L})[\p{scx=Arab}\p{scx=Syrc}])\u200d(?![\u200c\u200d])`,
  `(?<=[${UNSPACED_SCRIPTS}])\\u200b|\\u200b(?=[${UNSPACED_SCRIPTS}])`,
  String.raw`(?<=(?=\p{L})\p{sc=Mong})[\u180b-\u180d\u180f]|(?<=\p{sc=Mong})\u180e(?=\p{sc=Mong})`,
  String.raw`(?<=(?=\p{M})\p{sc=Hebr})\u034f(?=(?=\p{M})\p{sc=Hebr})`,
  // These signs are visible, although Unicode counts them as format characters.
  String.raw`[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]`,
];
const BLANKS = String.raw`[\v\f\u0085\u2028\u2029\u2800\u3164\uffa0\u{13441}\u{13442}\u{1d159}\u{1da7f}\u{1da80}]`;
const HIDDEN = String.raw`[\p{Default_Ignorable_Code_Point}\p{Cf}\ufffc]|[^\P{Cc}\t\n\r]`;
const HIDDEN_OR_NEEDED = new RegExp(`(${NEEDED_HIDDEN.join('|')})|(${BLANKS})|${HIDDEN}`, 'gu');

/** The replacement of one character by a space or by nothing. Offset and length are UTF-16 code units. */
export interface Replacement {
  at: number;
  length: number;
  text: string;
}

/** Returns the replacements that clean a text, in the order of the text. */
export function findReplacements(text: string): Replacement[] {
  return [...text.matchAll(HIDDEN_OR_NEEDED)]
    .filter(([, needed]) => needed === undefined)
    .map((found) => ({ at: found.index, length: found[0].length, text: found[2] === undefined ? '' : ' ' }));
}

/** Returns a text without invisible characters. */
export function cleanText(text: string): string {
  return text.replace(
    HIDDEN_OR_NEEDED,
    (found, needed?: string, space?: string) => needed ?? (space ? ' ' : found.slice(found.length)),
  );
}

/**
 * Cleans the text nodes of a pasted document, and returns whether anything was removed. The nodes are read as one text,
 * because formatting can separate a joiner from its letters.
 */
export function cleanTree(body: HTMLElement): boolean {
  const found = findReplacements(body.textContent ?? '');
  const walker = body.ownerDocument.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  let start = 0;
  let next = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const data = node.nodeValue ?? '';
    let cleaned = '';
    let upto = 0;
    for (; next < found.length; next += 1) {
      const { at, length, text } = found[next] as Replacement;
      if (at >= start + data.length) break;
      cleaned += data.slice(upto, at - start) + text;
      upto = at - start + length;
    }
    if (upto > 0) node.nodeValue = cleaned + data.slice(upto);
    start += data.length;
  }
  return found.length > 0;
}
