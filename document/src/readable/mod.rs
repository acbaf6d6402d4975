//! What readers see of a text, and what they don't: characters that are hidden, blank, undefined or drawn over others.
//!
//! Signatories must see all that they sign. So [`findings`] names each character that nobody sees or that changes
//! what others seem to say, and [`clean`] takes out those that can go without a change to what is read. Both decide by
//! Unicode properties, never by a list of bad characters; the few characters that Unicode has no property for are
//! listed in [`properties`](self::properties) with the reason.
//!
//! Hidden characters stay where a script or an emoji needs them: joiners in Persian or Hindi, zero width spaces in
//! Thai or Khmer, variation selectors and joiners inside emoji (`joiners`, `emoji`).
//!
//! [`is_unseen`] judges a character by itself, for names of keys, names of files and terminals.
//!
//! No other module judges characters: they all ask this one, and name a character by [`CodePoint`].
//!
//! This module must not touch documents, ledgers or names: it sees one string at a time.

pub mod address;
mod clean;
mod emoji;
mod findings;
mod joiners;
mod names;
mod order;
mod properties;
mod scripts;

use std::borrow::Cow;

pub use clean::clean;
pub use findings::{Finding, Findings, MAX_MARKS_ON_A_BASE, Reason, findings};
pub use names::{CodePoint, name};
pub use order::{is_right_to_left_line, turned_numbers};
pub use properties::{is_hidden, is_letter, is_mark, is_private_use, is_unseen};
pub use scripts::mixes_scripts;

/// Whether everything in a text is seen as it is.
#[must_use]
pub fn is_readable(text: &str) -> bool {
    findings(text).next().is_none() && turned_numbers(text).is_empty()
}

/// Whether a text is one line without tabs, in which everything is seen as it is: a name or a title.
#[must_use]
pub fn is_readable_line(text: &str) -> bool {
    !text.contains(['\n', '\t']) && is_readable(text)
}

/// What is seen of a text: without the characters that [`findings`] names, whether or not they can be cleaned.
///
/// ```
/// assert_eq!(accord_document::readable::seen_of("a\u{202e}b\u{e000}"), "ab");
/// ```
#[must_use]
pub fn seen_of(text: &str) -> Cow<'_, str> {
    let mut seen = String::new();
    let mut upto = 0;
    for finding in findings(text) {
        seen.push_str(&text[upto..finding.at]);
        upto = finding.at + finding.character.len_utf8();
    }
    if upto == 0 {
        return Cow::Borrowed(text);
    }
    seen.push_str(&text[upto..]);
    Cow::Owned(seen)
}

#[cfg(test)]
mod tests;
