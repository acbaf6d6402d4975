//! How text that comes from a file, or from somebody's name, is printed in a terminal.
//!
//! This is the only way from such text to a terminal. What it gives is one line: line breaks, control sequences,
//! direction marks and every other character that is not seen stand there as their code points, like `<U+202E>`.
//! Which characters these are, `readable` decides. `web/src/features/release/shown.ts` follows the same rules, and
//! `tests/data/verify/shown.json` holds both to them.

use accord_document::readable::{CodePoint, is_letter, is_mark, is_unseen};
use std::fmt::{self, Write as _};

/// The most characters of one text that are printed. The rest is counted.
pub const MAX_SHOWN_CHARS: usize = 300;

/// The longest run of combining marks that is printed as it is. Tibetan and Hebrew need up to seven on a letter; more of
/// them are drawn over other lines.
const MAX_MARKS: usize = 8;

/// The longest run of spaces that is printed as it is. Hundreds would push what follows to the start of the next
/// line of a terminal.
const MAX_SPACES: usize = 2;

/// Text that is safe to print. There is no other way to make one than to have each character judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    /// Text as it is, but for the characters that are not seen.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::except(text, is_unseen)
    }

    /// Text between quotation marks. A closing one inside is shown as its code point, so the end of the
    /// quotation is its end.
    #[must_use]
    pub fn quoted(text: &str) -> Self {
        let Self(inside) = Self::except(text, |c| c == '”' || is_unseen(c));
        Self(format!("“{inside}”"))
    }

    /// A name: as it is while it consists of letters, and quoted otherwise. A name with a comma, digits or a full
    /// stop in it could go on like the sentence that it stands in.
    #[must_use]
    pub fn name(name: &str) -> Self {
        let is_plain =
            |c: char| " -'’".contains(c) || ((is_letter(c) || is_mark(c)) && !is_unseen(c));
        let fits = !name.trim().is_empty() && name.chars().all(is_plain);
        if fits { Self::of(name) } else { Self::quoted(name) }
    }

    fn except(text: &str, is_coded: impl Fn(char) -> bool) -> Self {
        let mut out = String::new();
        let (mut marks, mut spaces) = (MAX_MARKS, 0);
        for c in text.chars().take(MAX_SHOWN_CHARS) {
            // A mark at the beginning would be drawn over what stands before the text.
            marks = if is_mark(c) { marks + 1 } else { 0 };
            spaces = if c == ' ' { spaces + 1 } else { 0 };
            let is_seen = !is_coded(c) && marks <= MAX_MARKS && spaces <= MAX_SPACES;
            let _ = if is_seen { out.write_char(c) } else { write!(out, "<{}>", CodePoint(c)) };
        }
        let rest = text.chars().count().saturating_sub(MAX_SHOWN_CHARS);
        if rest > 0 {
            let _ = write!(out, "… (and {rest} more characters)");
        }
        Self(out)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(Shown::of(text).to_string(), expect);
    }

    #[test]
    fn what_is_not_seen_is_shown_as_its_code_point() {
        check("Open contracts", "Open contracts");
        check("a\nSigned for government by Mal", "a<U+000A>Signed for government by Mal");
        check("\u{1b}[2J\u{9b}31m", "<U+001B>[2J<U+009B>31m");
        check("pays \u{202d}10 / 90\u{202c}", "pays <U+202D>10 / 90<U+202C>");
        check(
            "a\u{200b}\u{ad}\u{3164}\u{2800}\u{e000}\u{fffff}",
            "a<U+200B><U+00AD><U+3164><U+2800><U+E000><U+FFFFF>",
        );
        check("열린 정부 — ღია 😀 سلام", "열린 정부 — ღია 😀 سلام");
    }

    #[test]
    fn a_text_stays_in_its_line_and_over_its_own_letters() {
        check(&"x".repeat(400), &format!("{}… (and 100 more characters)", "x".repeat(300)));
        check("a    b", "a  <U+0020><U+0020>b");
        check("\u{301}a", "<U+0301>a");
        let marks = "\u{301}".repeat(9);
        check(&format!("a{marks}"), &format!("a{}<U+0301>", "\u{301}".repeat(8)));
    }

    #[test]
    fn a_name_or_quotation_ends_where_it_ends() {
        assert_eq!(Shown::quoted("a” b").to_string(), "“a<U+201D> b”");
        assert_eq!(Shown::name("Zoë O’Neill-Kim").to_string(), "Zoë O’Neill-Kim");
        assert_eq!(Shown::name("Ben, 3 May.").to_string(), "“Ben, 3 May.”");
        assert_eq!(Shown::name(" ").to_string(), "“ ”");
    }
}
