//! Limits the formatting of a document. Reading a text returns each attribute with each piece of the text, and each
//! line is shown with its own attributes. So the cost of reading is the number of attributes times the number of
//! pieces and lines.
//!
//! Rule U13.

use super::refusal::Refusal;
use super::scan::{ItemContent, Scan, StructBody};
use crate::limits;
use std::collections::BTreeMap;

/// A count of a document's formatting: the length in bytes of each attribute's longest value, and upper bounds of two
/// numbers, that of the lines and that of the pieces (stretches of text with the same attributes). Deleted content
/// stays in the count until the document is counted again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Formatting {
    longest: BTreeMap<Box<str>, usize>,
    pieces: usize,
    lines: usize,
}

impl Formatting {
    /// Counts the formatting of a whole document in its encoded form.
    pub(crate) fn of(document: &Scan<'_>) -> Self {
        let mut formatting = Self::default();
        formatting.take(document);
        formatting
    }

    /// Adds the formatting of an update to the count. Returns the number of pieces and lines that this adds.
    pub(crate) fn take(&mut self, scan: &Scan<'_>) -> usize {
        for (name, value) in formats(scan) {
            match self.longest.get_mut(name) {
                Some(longest) => *longest = (*longest).max(value.len()),
                None => drop(self.longest.insert(name.into(), value.len())),
            }
        }
        let (pieces, lines) = breaks(scan);
        self.pieces += pieces;
        self.lines += lines;
        pieces + lines
    }

    /// Returns the maximum number of attributes that reading all texts can return.
    pub(crate) fn attributes_times_pieces(&self) -> usize {
        self.longest.len().saturating_mul(self.pieces)
    }

    /// Checks whether an update may be integrated, given the formatting that it adds.
    ///
    /// # Errors
    /// Returns an error if there would be too many attributes, an attribute that is too long, or too much formatting in
    /// total.
    pub(crate) fn check(&self, scan: &Scan<'_>) -> Result<(), Refusal> {
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
        let (pieces, lines) = breaks(scan);
        // A document can exceed the limits if it was written when they were higher. An update that adds no attribute,
        // piece or line is accepted nevertheless.
        let adds_nothing = new.is_empty() && pieces == 0 && lines == 0;
        if adds_nothing || new.is_empty() && self.longest.is_empty() {
            return Ok(());
        }
        let known = self.longest.iter().map(|(name, &longest)| (&**name, longest));
        for (name, longest) in known {
            let both = new.entry(name).or_default();
            *both = (*both).max(longest);
        }
        let pieces = self.pieces + pieces;
        let parts = pieces + self.lines + lines;
        let bytes: usize = new.iter().map(|(name, longest)| name.len() + longest).sum();
        let is_too_much = new.len() > limits::MAX_ATTRIBUTES
            || new.len().saturating_mul(pieces) > limits::MAX_ATTRIBUTES_TIMES_PIECES
            || bytes.saturating_mul(parts) > limits::MAX_FORMATTING_BYTES;
        if is_too_much { Err(Refusal::TooMuchFormatting) } else { Ok(()) }
    }
}

/// Returns the maximum numbers of pieces and of lines that an update adds. Characters between two format marks are
/// one piece, even if several people wrote them.
fn breaks(scan: &Scan<'_>) -> (usize, usize) {
    let (mut pieces, mut lines) = (0, 0);
    for item in scan.runs.iter().flat_map(|run| &run.structs) {
        match &item.body {
            StructBody::Item { content: ItemContent::Text(text), .. } => {
                lines += text.bytes().filter(|&byte| byte == b'\n').count();
            }
            StructBody::Item { content: ItemContent::Deleted, .. } | StructBody::Collected => {}
            // Any other item begins a piece: a format mark, an embedded value, or a shared type, which can contain a
            // text.
            StructBody::Item { .. } => pieces += 1,
        }
    }
    (pieces, lines)
}

/// Returns the attributes that an update sets, each with its value.
fn formats<'s>(scan: &'s Scan<'_>) -> impl Iterator<Item = (&'s str, &'s str)> {
    let structs = scan.runs.iter().flat_map(|run| &run.structs);
    structs.filter_map(|item| match item.body {
        StructBody::Item { content: ItemContent::Format(name, value), .. } => Some((name, value)),
        _ => None,
    })
}
