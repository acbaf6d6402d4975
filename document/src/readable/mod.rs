//! The check that readers see what a text says: characters can be hidden, blank, undefined, or drawn over others.
//!
//! Signatories must see everything that they sign. [`findings`] therefore reports each character that readers can't see,
//! or that changes what other characters seem to say. [`clean`] removes the ones that can be removed without changing what
//! people read. Both decide by Unicode properties, not by a list of bad characters. The few characters for which Unicode
//! has no property are listed in [`properties`](self::properties) with the reason.
//!
//! Hidden characters are allowed where a script or an emoji needs them: joiners in Persian or Hindi, zero width spaces in
//! Thai or Khmer, variation selectors and joiners inside emoji (`joiners`, `emoji`).
//!
//! [`is_unseen`] judges a single character without its context, for names of keys, names of files and terminals.
//!
//! No other module judges characters. Every module that needs a judgement calls this one, and writes the character as a
//! [`CodePoint`].
//!
//! This module must not use documents, ledgers or names: its input is one string at a time.

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

/// Returns whether readers see every character of a text as it is, and every number in its written order.
#[must_use]
pub fn is_readable(text: &str) -> bool {
    findings(text).next().is_none() && turned_numbers(text).is_empty()
}

/// Returns whether a text is readable and consists of one line without tabs, as a name or a title must.
#[must_use]
pub fn is_readable_line(text: &str) -> bool {
    !text.contains(['\n', '\t']) && is_readable(text)
}

/// Returns the text without any of the characters that [`findings`] reports, even those that cleaning would keep.
///
/// ```
/// assert_eq!(accord_document::readable::visible_part("a\u{202e}b\u{e000}"), "ab");
/// ```
#[must_use]
pub fn visible_part(text: &str) -> Cow<'_, str> {
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
