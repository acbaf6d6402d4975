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
//! This module must not touch documents, ledgers or names: it sees one string at a time.

pub mod address;
mod clean;
mod emoji;
mod findings;
mod joiners;
mod names;
mod order;
mod properties;

pub use clean::clean;
pub use findings::{Finding, Findings, MAX_MARKS_ON_A_BASE, Reason, findings};
pub use names::name;
pub use order::turned_numbers;

/// Whether everything in a text is seen as it is.
#[must_use]
pub fn is_readable(text: &str) -> bool {
    findings(text).next().is_none() && turned_numbers(text).is_empty()
}

#[cfg(test)]
mod tests;
