//! What the form says around the texts of people: names of fields, sections and sides, sentences of public pages and of
//! files, and dates as people write them, in each language that public pages speak.
//!
//! - [`Words`] are the words of one language. The catalogues are in `catalogues/`, one file for each language.
//! - [`names`] has the English names that the application uses as well.
//! - [`styles`] has the styles of Word files that mark what the form says, as opposed to what people wrote.
//!
//! Pages, files and imports share this: a heading that a file was written with is recognised when the file comes back.

#![warn(missing_docs)]

pub mod names;
pub mod styles;
mod words;

pub use words::{Words, own_name};

use serde::Serialize;

/// How a value without content is written in JSON.
#[must_use]
pub fn wire(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}
