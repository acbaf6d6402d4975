//! Numbers that are shown in another order than they are written.
//!
//! In a line that is read from left to right, an Arabic or Hebrew letter, or numbers in Arabic digits, can turn the
//! numbers beside it around (Unicode Standard Annex 9): “90 / 10” behind a tatweel, which looks like a dash, is shown
//! as “10 / 90”. Nothing hidden is needed for that, so it is found by the algorithm that browsers use.

use super::properties::{bidi_class, category, is_letter};
use icu_properties::props::{BidiClass, GeneralCategory};
use unicode_bidi::BidiInfo;

/// The numbers that are shown before one that is written before them, with nothing but signs and spaces between: where
/// each begins, in bytes. Lines that are read from right to left, and such as have no letter that says how they are read,
/// are left to their readers.
#[must_use]
pub fn turned_numbers(text: &str) -> Vec<usize> {
    let mut all = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        if line.chars().any(may_turn) && line.chars().any(is_left_to_right) {
            all.extend(turned_in_line(line).into_iter().map(|at| start + at));
        }
        start += line.len() + 1;
    }
    all
}

fn is_left_to_right(c: char) -> bool {
    bidi_class(c) == BidiClass::LeftToRight
}

fn may_turn(c: char) -> bool {
    !c.is_ascii()
        && matches!(
            bidi_class(c),
            BidiClass::RightToLeft | BidiClass::ArabicLetter | BidiClass::ArabicNumber
        )
}

fn turned_in_line(line: &str) -> Vec<usize> {
    let bidi = BidiInfo::new(line, None);
    let mut turned = Vec::new();
    for paragraph in bidi.paragraphs.iter().filter(|paragraph| paragraph.level.is_ltr()) {
        let levels = bidi.reordered_levels_per_char(paragraph, paragraph.range.clone());
        let mut shown_at = vec![0; levels.len()];
        for (shown, written) in BidiInfo::reorder_visual(&levels).into_iter().enumerate() {
            shown_at[written] = shown;
        }
        let mut before: Option<usize> = None;
        let mut in_number = false;
        for (index, (at, c)) in line[paragraph.range.clone()].char_indices().enumerate() {
            let is_digit = category(c) == GeneralCategory::DecimalNumber;
            if is_digit && !in_number {
                let shown = shown_at.get(index).copied().unwrap_or_default();
                if before.is_some_and(|before| shown < before) {
                    turned.push(paragraph.range.start + at);
                }
                before = Some(shown);
            } else if is_letter(c) && category(c) != GeneralCategory::ModifierLetter {
                // Words between them say which is meant.
                before = None;
            }
            in_number = is_digit;
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let found: Vec<&str> = turned_numbers(text)
            .into_iter()
            .map(|at| text[at..].split(' ').next().unwrap())
            .collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn numbers_that_are_shown_in_another_order_are_found() {
        check("share of the cost \u{640} 90 / 10", &["10"]);
        check("share of the cost \u{5df} 90 / 10", &["10"]);
        check("share of the cost \u{7fa} 90 / 10", &["10"]);
        check("State / city share: \u{669}\u{660} / \u{661}\u{660}", &["\u{661}\u{660}"]);
        check(
            "Between \u{662}\u{660}\u{662}\u{660} - \u{662}\u{660}\u{663}\u{660}",
            &["\u{662}\u{660}\u{663}\u{660}"],
        );
        check("first line\nthe law \u{642}\u{627}\u{646}\u{648}\u{646} 90 / 10", &["10"]);
    }

    #[test]
    fn numbers_that_are_read_as_they_are_written_are_not() {
        check("pays 90 / 10 in 2027, 1,000.50 each", &[]);
        // Arabic, from right to left: its readers read 90 first.
        check("\u{627}\u{644}\u{646}\u{633}\u{628}\u{629} 90 / 10", &[]);
        check("\u{5d4}\u{5d7}\u{5dc}\u{5e7} 90 / 10", &[]);
        // Arabic digits by themselves.
        check("\u{600}\u{661}\u{662} \u{6dd}\u{662}\u{665}", &[]);
        // A law of another country, with words between its numbers.
        let law = "\u{642}\u{627}\u{646}\u{648}\u{646} \u{631}\u{642}\u{645} 12 \u{644}\u{633}\u{646}\u{629} 2020";
        check(&format!("the law ({law}) says"), &[]);
        check("on \u{661}\u{662}/\u{663}/\u{662}\u{660}\u{662}\u{660} we met", &[]);
    }
}
