//! Makes text that comes from a file, or from a person's name, safe to print in a terminal.
//!
//! Such text must reach a terminal only through this module. A [`Shown`] text is one line. Line breaks, control
//! sequences, direction marks and all other characters that are not seen become code points, like `<U+202E>`. The
//! module `readable` decides which characters these are. `web/src/features/release/shown.ts` follows the same rules,
//! and `tests/data/verify/shown.json` tests both.

use accord_document::readable::{CodePoint, is_letter, is_mark, is_unseen};
use std::fmt::{self, Write as _};

/// Maximum number of characters that are printed of a text. For a longer text, the number of remaining characters is
/// printed.
pub const MAX_SHOWN_CHARS: usize = 300;

/// Maximum number of consecutive combining marks that are printed unchanged. Tibetan and Hebrew need up to seven on a
/// letter. Longer runs are drawn over other lines.
const MAX_MARKS: usize = 8;

/// Maximum number of consecutive spaces that are printed unchanged. Hundreds of spaces would push the text after them
/// to the next line of a terminal, as if it began there.
const MAX_SPACES: usize = 2;

/// Text that is safe to print. Every way to make one checks each character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    /// Returns the text with code points in place of characters that are not seen.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::except(text, is_unseen)
    }

    /// Returns the text between quotation marks. A closing quotation mark inside becomes a code point, so that nobody
    /// can end the quotation early.
    #[must_use]
    pub fn quoted(text: &str) -> Self {
        let Self(inside) = Self::except(text, |c| c == '”' || is_unseen(c));
        Self(format!("“{inside}”"))
    }

    /// Returns a name without quotation marks if it consists of letters, spaces, hyphens and apostrophes, and quoted
    /// otherwise. A name with a comma, digits or a full stop could read like the rest of the sentence that contains it.
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
            // `marks` starts at its maximum, because a mark at the beginning of the text would be drawn over what is
            // before the text.
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
