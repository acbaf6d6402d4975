//! Bounds the cost of setting a line. A typesetter's work grows with the square of the length of a run without a line
//! break: marks on one letter, characters that nobody sees, or a word without an end.
//!
//! No text of any language reaches these bounds. If a text exceeds them, all its visible characters are still shown.
//! Marks and unseen characters beyond their bound are shown as code points, like characters that no font has. A long
//! word gets places at which a line can break, and loses surplus soft hyphens.

use accord_document::model::blocks::Span;
use accord_document::readable::{CodePoint, is_hidden, is_mark};
use std::fmt::Write;

/// Maximum number of consecutive marks and unseen characters. No language needs as many (UAX #15, Stream-Safe Text
/// Format).
const MAX_MARKS_IN_A_ROW: usize = 30;
/// Maximum number of characters of a word before a line can break in it. Long web addresses are shorter.
const MAX_UNBROKEN_CHARACTERS: usize = 1_000;
/// Maximum number of soft hyphens in a word. A soft hyphen shows only where a line breaks, so further ones are left
/// out.
const MAX_SOFT_HYPHENS: usize = 100;
const SOFT_HYPHEN: char = '\u{ad}';
/// An invisible character at which a line can break (zero-width space).
const BREAK: char = '\u{200b}';

/// Applies the bounds to a line, and returns the number of characters that are now shown as code points. The spans are
/// counted as one text, because a typesetter sets neighbouring spans together.
pub(super) fn bound(line: &mut [Span]) -> usize {
    let mut state = State::default();
    for span in line {
        if state.takes_unchanged(&span.text) {
            continue;
        }
        let mut out = String::with_capacity(span.text.len());
        for c in span.text.chars() {
            state.take(c, &mut out);
        }
        state.write_pending(&mut out);
        span.text = out;
    }
    state.as_code_points
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct State {
    marks: usize,
    unbroken: usize,
    soft_hyphens: usize,
    last: Option<char>,
    /// A mark or unseen character beyond [`MAX_MARKS_IN_A_ROW`] that is not written to the output yet, and how often it
    /// occurs in a row.
    pending: Option<(char, usize)>,
    as_code_points: usize,
}

impl State {
    /// Counts the characters of a text, if all are within the bounds. Otherwise changes nothing and returns `false`.
    fn takes_unchanged(&mut self, text: &str) -> bool {
        let mut ahead = *self;
        for c in text.chars() {
            if !ahead.step(c) {
                return false;
            }
        }
        *self = ahead;
        true
    }

    /// Counts a character, and returns whether it is within the bounds.
    fn step(&mut self, c: char) -> bool {
        let joins = is_mark(c) || is_hidden(c);
        self.marks = if joins { self.marks + 1 } else { 0 };
        if self.may_break_at(c) {
            (self.unbroken, self.soft_hyphens) = (0, 0);
        } else {
            self.unbroken += 1;
            self.soft_hyphens += usize::from(c == SOFT_HYPHEN);
        }
        self.last = Some(c);
        self.marks <= MAX_MARKS_IN_A_ROW
            && !self.is_surplus_hyphen(c)
            && (joins || self.unbroken <= MAX_UNBROKEN_CHARACTERS)
    }

    /// Whether a character is a soft hyphen beyond [`MAX_SOFT_HYPHENS`].
    fn is_surplus_hyphen(&self, c: char) -> bool {
        c == SOFT_HYPHEN && self.soft_hyphens > MAX_SOFT_HYPHENS
    }

    fn take(&mut self, c: char, out: &mut String) {
        if self.step(c) {
            self.write_pending(out);
            return out.push(c);
        }
        if self.marks <= MAX_MARKS_IN_A_ROW {
            self.write_pending(out);
            if self.is_surplus_hyphen(c) {
                return;
            }
            self.unbroken = 1;
            out.extend([BREAK, c]);
            return;
        }
        match &mut self.pending {
            Some((known, times)) if *known == c => *times += 1,
            _ => {
                self.write_pending(out);
                self.pending = Some((c, 1));
            }
        }
    }

    /// Writes the pending character to the output as a code point with its number of repetitions: `[U+0301 ×19970]`.
    fn write_pending(&mut self, out: &mut String) {
        let Some((c, times)) = self.pending.take() else { return };
        let _ = write!(out, "[{}", CodePoint(c));
        if times > 1 {
            let _ = write!(out, " ×{times}");
        }
        out.push(']');
        self.as_code_points += times;
        // A line can break between two code points in brackets.
        self.unbroken = 0;
    }

    /// Whether a line can break before or after a character, whatever its neighbours are (UAX #14). A line can break at
    /// spaces, and between characters of scripts without spaces between words, unless a joining character is between
    /// them.
    fn may_break_at(&self, c: char) -> bool {
        let parts_no_words = |c: char| {
            matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
                | '\u{2e80}'..='\u{303f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'
                | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        };
        let is_space = c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}');
        is_space || c == BREAK || (parts_no_words(c) && self.last.is_some_and(parts_no_words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_document::model::attributes::Attributes;
    use accord_document::model::blocks::span;

    fn line(texts: &[&str]) -> Vec<Span> {
        texts.iter().map(|text| span(text, &Attributes::new())).collect()
    }

    fn check(texts: &[&str], expect: &[&str]) {
        let mut line = line(texts);
        bound(&mut line);
        let got: Vec<&str> = line.iter().map(|span| span.text.as_str()).collect();
        assert_eq!(got, expect);
    }

    #[test]
    fn marks_above_the_bound_are_shown_by_their_numbers() {
        let mark = |times: usize| "\u{301}".repeat(times);
        check(&[&format!("e{} x", mark(30))], &[&format!("e{} x", mark(30))]);
        check(&[&format!("e{} x", mark(31))], &[&format!("e{}[U+0301] x", mark(30))]);
        check(
            &[&format!("e{}{} x", mark(20_000), "\u{308}".repeat(2))],
            &[&format!("e{}[U+0301 ×19970][U+0308 ×2] x", mark(30))],
        );
        let mut counted = line(&[&format!("e{}", mark(100))]);
        assert_eq!(bound(&mut counted), 70);
    }

    #[test]
    fn a_run_is_one_across_formatting() {
        let marks = "\u{301}".repeat(20);
        check(
            &["e", &marks, &marks, "x"],
            &["e", &marks, &format!("{}[U+0301 ×10]", &marks[..20]), "x"],
        );
    }

    #[test]
    fn characters_that_nobody_sees_are_bounded_alike() {
        let unseen = |times: usize| "\u{202e}\u{2060}".repeat(times);
        check(&[&format!("a{}b", unseen(16))], &[&format!("a{}[U+202E][U+2060]b", unseen(15))]);
    }

    #[test]
    fn an_endless_word_may_break_and_keeps_its_letters() {
        let mut endless = line(&[&"a".repeat(390_000)]);
        bound(&mut endless);
        let words: Vec<&str> = endless[0].text.split(BREAK).collect();
        assert_eq!(words.concat().len(), 390_000);
        assert!(words.iter().all(|word| word.len() <= MAX_UNBROKEN_CHARACTERS));
        let glued = "가\u{2060}".repeat(1_000);
        let mut glued = line(&[&glued]);
        bound(&mut glued);
        assert!(glued[0].text.contains(BREAK));
    }

    #[test]
    fn soft_hyphens_without_end_are_left_out_and_letters_are_not() {
        let mut hyphened = line(&[&format!("{} com\u{ad}mit", "a\u{ad}".repeat(190_000))]);
        bound(&mut hyphened);
        let text = &hyphened[0].text;
        assert_eq!(text.matches('a').count(), 190_000);
        assert_eq!(text.matches(SOFT_HYPHEN).count(), MAX_SOFT_HYPHENS + 1);
        assert!(text.ends_with(" com\u{ad}mit"));
    }

    #[test]
    fn no_honest_text_is_touched() {
        for text in [
            "👨‍👩‍👧‍👦 👩🏽‍❤️‍💋‍👨🏻 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇬🇪",
            "བསྒྲུབས་པའི་རྒྱ",
            "می‌خواهم کتاب‌ها",
            "क्ष्म्य श्रीमान्",
            "Donau\u{ad}dampf\u{ad}schiff\u{ad}fahrts\u{ad}gesell\u{ad}schaft",
            &"우리는예산의절반을주민이정하도록한다".repeat(500),
            &"ประชาชนมีส่วนร่วม".repeat(500),
            &format!("https://example.org/{}", "a/b?c=d&".repeat(100)),
        ] {
            check(&[text], &[text]);
        }
    }
}
