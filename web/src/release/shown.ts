// How text that comes from a file is shown where one judges the file: one line, in which line breaks, control
// characters, direction marks and every other character that is not seen stand as their code points, like <U+202E>.
// The same rules as `server/src/seal/shown.rs`; `tests/data/verify/shown.json` holds both to them.

/** The most characters of one text that are shown. The rest is counted. */
const MAX_SHOWN_CHARS = 300;
/** The longest run of combining marks that is shown as it is: more are drawn over other lines. */
const MAX_MARKS = 8;
/** The longest run of spaces that is shown as it is. */
const MAX_SPACES = 2;

const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;
const SPACE = /\p{Zs}/u;
const MARK = /\p{M}/u;

/** Whether a character is not seen as itself. */
export const isHidden = (char: string) => HIDDEN.test(char) || (char !== ' ' && SPACE.test(char));

const code = (char: string) =>
  `<U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`;

/** Text as it is, but for the characters that are not seen. */
export function shown(text: string): string {
  const all = [...text];
  let [marks, spaces] = [MAX_MARKS, 0];
  const parts = all.slice(0, MAX_SHOWN_CHARS).map((char) => {
    // A mark at the beginning would be drawn over what stands before the text.
    marks = MARK.test(char) ? marks + 1 : 0;
    spaces = char === ' ' ? spaces + 1 : 0;
    return isHidden(char) || marks > MAX_MARKS || spaces > MAX_SPACES ? code(char) : char;
  });
  const rest = all.length - MAX_SHOWN_CHARS;
  return parts.join('') + (rest > 0 ? `… (and ${rest} more characters)` : '');
}
