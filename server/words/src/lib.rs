//! The words of the form around authors' texts, in each language of the public pages: names of fields, sections and
//! sides, sentences of public pages and files, and dates as people write them.
//!
//! - [`Words`] are the words of one language. Their catalogues are in `catalogues/`, one file for each language.
//! - [`names`] has the English names, which the application uses as well.
//! - [`styles`] has the styles of Word files that distinguish the words of the form from authors' texts.
//!
//! Pages, files and imports share these words, so that an import recognises the headings of a file that Accord wrote.

#![warn(missing_docs)]

pub mod names;
pub mod styles;
mod words;

pub use words::{Words, own_name};

use serde::Serialize;

/// Returns the name that a value without content, such as a variant of an enum, has in JSON. Returns an empty string
/// for any other value.
#[must_use]
pub fn wire_name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}
