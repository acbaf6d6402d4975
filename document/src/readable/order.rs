//! The search for numbers that are shown in another order than the one in which they are written.
//!
//! In a line that is read from left to right, an Arabic or Hebrew letter, or numbers in Arabic digits, can reverse the
//! numbers beside it (Unicode Standard Annex 9). For example, “90 / 10” after a tatweel, which looks like a dash, is shown
//! as “10 / 90”. No hidden character is involved, so the search runs the same algorithm that browsers run.
//!
//! The first letter of a line decides its direction (rules P2 and P3 of the annex). A line without letters is read from
//! left to right. Pages and files set the direction of each line in this way (`dir="auto"`, `w:bidi`, the direction of a
//! text in a PDF).

use super::properties::{bidi_class, category, is_letter};
use icu_properties::CodePointSetData;
use icu_properties::props::{BidiClass, GeneralCategory, PrependedConcatenationMark};
use unicode_bidi::BidiInfo;

/// Returns the start of each turned number, as a byte offset. A number is turned if it is shown before another number that
/// precedes it in the text, with only signs and spaces between the two. It is also turned if its minus or other leading
/// sign is shown after it. Lines that are read from right to left are not searched, because their readers read such
/// numbers in the order in which they are written.
#[must_use]
pub fn turned_numbers(text: &str) -> Vec<usize> {
    let mut all = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        if line.chars().any(may_turn) {
            all.extend(turned_in_line(line).into_iter().map(|at| start + at));
        }
        start += line.len() + 1;
    }
    all
}

/// Returns whether a line is read from right to left, because its first letter is.
///
/// ```
/// use accord_document::readable::is_right_to_left_line;
///
/// assert!(is_right_to_left_line("90 \u{642}\u{627}\u{646}\u{648}\u{646}"));
/// assert!(!is_right_to_left_line("\u{669}\u{660} / \u{661}\u{660}"));
/// ```
#[must_use]
pub fn is_right_to_left_line(line: &str) -> bool {
    line.chars().any(may_turn)
        && BidiInfo::new(line, None).paragraphs.first().is_some_and(|first| first.level.is_rtl())
}

fn may_turn(c: char) -> bool {
    !c.is_ascii()
        && matches!(
            bidi_class(c),
            BidiClass::RightToLeft | BidiClass::ArabicLetter | BidiClass::ArabicNumber
        )
}

/// Returns whether `c` is a sign that changes the meaning of the number after it, such as a minus.
fn is_leading_sign(c: char) -> bool {
    matches!(category(c), GeneralCategory::DashPunctuation | GeneralCategory::MathSymbol)
}

/// Returns whether `c` is a letter, or a sign that belongs to the number after it, such as the Arabic year sign.
fn names_number(c: char) -> bool {
    (is_letter(c) && category(c) != GeneralCategory::ModifierLetter)
        || CodePointSetData::new::<PrependedConcatenationMark>().contains(c)
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
        // The last two characters; the most recent one is at index 1. `last_shown` is the position at which this most
        // recent character is shown.
        let mut last: [Option<char>; 2] = [None; 2];
        let mut last_shown = 0;
        for (index, (at, c)) in line[paragraph.range.clone()].char_indices().enumerate() {
            let shown = shown_at.get(index).copied().unwrap_or_default();
            let is_digit = |c: char| category(c) == GeneralCategory::DecimalNumber;
            if is_digit(c) && !last[1].is_some_and(is_digit) {
                let is_signed = last[1].is_some_and(is_leading_sign)
                    && !last[0].is_some_and(|c| c.is_alphanumeric());
                if before.is_some_and(|before| shown < before) || (is_signed && shown < last_shown)
                {
                    turned.push(paragraph.range.start + at);
                }
                before = Some(shown);
            } else if names_number(c) {
                // Words between two numbers, and Arabic signs such as the year sign, tell the reader which number is meant.
                before = None;
            }
            (last, last_shown) = ([last[1], Some(c)], shown);
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line, its direction, and the numbers in it that browsers show out of order. `tests/node/order.mjs` compares these
    /// expectations with a real browser.
    #[derive(serde::Deserialize)]
    struct Line {
        line: String,
        turned: Vec<String>,
        right_to_left: bool,
    }

    fn number_at(text: &str, at: usize) -> &str {
        let rest = &text[at..];
        let end = rest.find(|c| category(c) != GeneralCategory::DecimalNumber);
        &rest[..end.unwrap_or(rest.len())]
    }

    #[test]
    fn numbers_that_are_shown_in_another_order_are_found_and_no_others() {
        let all: Vec<Line> =
            serde_json::from_str(include_str!("../../../tests/data/readable/order.json")).unwrap();
        assert!(all.len() > 30);
        for Line { line, turned, right_to_left } in all {
            let found: Vec<&str> =
                turned_numbers(&line).into_iter().map(|at| number_at(&line, at)).collect();
            assert_eq!(found, turned, "{line}");
            assert_eq!(is_right_to_left_line(&line), right_to_left, "{line}");
        }
    }

    #[test]
    fn each_line_of_a_text_is_judged_by_itself() {
        let text =
            "first line\nthe law \u{642}\u{627}\u{646}\u{648}\u{646} 90 / 10\n\u{669} / \u{661}";
        let found: Vec<&str> =
            turned_numbers(text).into_iter().map(|at| number_at(text, at)).collect();
        assert_eq!(found, ["10", "\u{661}"]);
    }
}
