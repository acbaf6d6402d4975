// How text that comes from a file is shown where one judges the file: one line, in which line breaks, control
// characters, direction marks and every other character that is not seen are shown as their code points, like <U+202E>.
// The same rules as `server/signing/src/shown.rs`; `tests/data/verify/shown.json` holds both to them.

/** The most characters of one text that are shown. The rest is counted. */
const MAX_SHOWN_CHARS = 300;
/** The longest run of combining marks that is shown as it is: more are drawn over other lines. */
const MAX_MARKS = 8;
/** The longest run of spaces that is shown as it is. */
const MAX_SPACES = 2;

// Behind the properties: what looks blank and is called neither a space nor ignorable, and the stand-in for an object.
const HIDDEN =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{13441}\u{13442}\u{1d159}\u{1da7f}\u{1da80}]/u;
const SPACE = /\p{Zs}/u;
const MARK = /\p{M}/u;

/** Whether a character is not seen as itself. */
export const isHidden = (char: string) => HIDDEN.test(char) || (char !== ' ' && SPACE.test(char));

/** A character by its code point. */
export const code = (char: string) =>
  `<U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`;

/** Text as it is, but for the characters that are not seen. */
export function shown(text: string): string {
  const all = [...text];
  let [marks, spaces] = [MAX_MARKS, 0];
  const parts = all.slice(0, MAX_SHOWN_CHARS).map((char) => {
    // A mark at the beginning would be drawn over the character before the text.
    marks = MARK.test(char) ? marks + 1 : 0;
    spaces = char === ' ' ? spaces + 1 : 0;
    return isHidden(char) || marks > MAX_MARKS || spaces > MAX_SPACES ? code(char) : char;
  });
  const rest = all.length - MAX_SHOWN_CHARS;
  return parts.join('') + (rest > 0 ? `… (and ${rest} more characters)` : '');
}
