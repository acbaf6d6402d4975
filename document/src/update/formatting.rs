//! How much formatting a document may have: whoever reads a text gets each attribute with each of its pieces, so that
//! reading costs the product of the two.
//!
//! Rule U13.

use super::refusal::Refusal;
use super::scan::{ItemContent, Scan, StructBody};
use crate::limits;
use std::collections::BTreeMap;

/// The attributes that texts of a document ever had, and the longest value of each, in bytes.
#[derive(Debug, Default)]
pub(crate) struct Formatting {
    longest: BTreeMap<Box<str>, usize>,
}

impl Formatting {
    /// Takes in what an update brings.
    pub(crate) fn take(&mut self, scan: &Scan<'_>) {
        for (name, value) in formats(scan) {
            match self.longest.get_mut(name) {
                Some(longest) => *longest = (*longest).max(value.len()),
                None => drop(self.longest.insert(name.into(), value.len())),
            }
        }
    }

    /// Whether an update may come in, after which the document has at most so many items.
    ///
    /// # Errors
    /// When there would be too many attributes, one that is too long, or too much to be read altogether.
    pub(crate) fn check(&self, scan: &Scan<'_>, items: usize) -> Result<(), Refusal> {
        let mut new: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, value) in formats(scan) {
            if name.len() > limits::MAX_ATTRIBUTE_NAME_BYTES
                || value.len() > limits::MAX_ATTRIBUTE_VALUE_BYTES
            {
                return Err(Refusal::TooMuchFormatting);
            }
            let longest = new.entry(name).or_default();
            *longest = (*longest).max(value.len());
            if new.len() > limits::MAX_ATTRIBUTES {
                return Err(Refusal::TooMuchFormatting);
            }
        }
        if new.is_empty() && self.longest.is_empty() {
            return Ok(());
        }
        let known = self.longest.iter().map(|(name, &longest)| (&**name, longest));
        for (name, longest) in known {
            let both = new.entry(name).or_default();
            *both = (*both).max(longest);
        }
        let bytes: usize = new.iter().map(|(name, longest)| name.len() + longest).sum();
        let is_too_much = new.len() > limits::MAX_ATTRIBUTES
            || new.len().saturating_mul(items) > limits::MAX_ATTRIBUTES_TIMES_ITEMS
            || bytes.saturating_mul(items) > limits::MAX_FORMATTING_BYTES;
        if is_too_much { Err(Refusal::TooMuchFormatting) } else { Ok(()) }
    }
}

/// The attributes that an update sets, with their values.
fn formats<'s>(scan: &'s Scan<'_>) -> impl Iterator<Item = (&'s str, &'s str)> {
    let structs = scan.runs.iter().flat_map(|run| &run.structs);
    structs.filter_map(|item| match item.body {
        StructBody::Item { content: ItemContent::Format(name, value), .. } => Some((name, value)),
        _ => None,
    })
}
