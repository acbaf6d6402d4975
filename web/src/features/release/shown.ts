// Makes text from a file safe to show on the page that verifies the file. The text becomes one line, in which line breaks,
// control characters, direction marks and every other invisible character appear as code points, like <U+202E>. The rules are
// those of `server/signing/src/shown.rs`; `tests/data/verify/shown.json` tests both.

/** Maximum number of characters that are shown of one text. The others are only counted. */
const MAX_SHOWN_CHARS = 300;
/** Maximum number of combining marks in a row that are shown unchanged. More would be drawn over other lines. */
const MAX_MARKS = 8;
/** Maximum number of spaces in a row that are shown unchanged. */
const MAX_SPACES = 2;

// The code points after the properties look blank although Unicode calls them neither space nor ignorable. U+FFFC stands for
// an embedded object.
const INVISIBLE =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{13441}\u{13442}\u{1d159}\u{1da7f}\u{1da80}]/u;
const SPACE_SEPARATOR = /\p{Zs}/u;
const COMBINING_MARK = /\p{M}/u;

/** Returns whether a character is invisible, or is a space other than U+0020. */
export const isHidden = (char: string) =>
  INVISIBLE.test(char) || (char !== ' ' && SPACE_SEPARATOR.test(char));

/** Returns the code point of a character, like `<U+202E>`. */
export const toCodePoint = (char: string) =>
  `<U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`;

/** Returns a text with its invisible characters replaced by their code points, and cut after `MAX_SHOWN_CHARS`. */
export function toSafeText(text: string): string {
  const characters = [...text];
  let [marks, spaces] = [MAX_MARKS, 0];
  const parts = characters.slice(0, MAX_SHOWN_CHARS).map((char) => {
    // `marks` begins at its maximum: a mark at the start would be drawn over the character before the text.
    marks = COMBINING_MARK.test(char) ? marks + 1 : 0;
    spaces = char === ' ' ? spaces + 1 : 0;
    return isHidden(char) || marks > MAX_MARKS || spaces > MAX_SPACES ? toCodePoint(char) : char;
  });
  const rest = characters.length - MAX_SHOWN_CHARS;
  return parts.join('') + (rest > 0 ? `… (and ${rest} more characters)` : '');
}
