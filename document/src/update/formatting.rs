//! How much formatting a document may have: reading a text gives each attribute with each piece of it, and each line
//! is shown with its own, so that reading costs the product of the two.
//!
//! Rule U13.

use super::refusal::Refusal;
use super::scan::{ItemContent, Scan, StructBody};
use crate::limits;
use std::collections::BTreeMap;

/// The attributes that a document's texts have had since it was counted, with the longest value of each in bytes, and
/// into how many pieces and lines the texts fall at most. Deleted content stays counted until the next counting.
#[derive(Debug, Default)]
pub(crate) struct Formatting {
    longest: BTreeMap<Box<str>, usize>,
    pieces: usize,
    lines: usize,
}

impl Formatting {
    /// Counts a whole document, as it is encoded.
    pub(crate) fn of(document: &Scan<'_>) -> Self {
        let mut formatting = Self::default();
        formatting.take(document);
        formatting
    }

    /// Takes in what an update brings. Gives how many pieces and lines that are.
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

    /// Whether an update may come in.
    ///
    /// # Errors
    /// When there would be too many attributes, one that is too long, or too much to be read altogether.
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
        // What adds nothing to read is taken, also where a document has more from a time with higher ceilings.
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

/// Where the texts of an update break: at most so often into another piece, and into another line. Characters between
/// two formats are one piece, even if several people wrote them.
fn breaks(scan: &Scan<'_>) -> (usize, usize) {
    let (mut pieces, mut lines) = (0, 0);
    for item in scan.runs.iter().flat_map(|run| &run.structs) {
        match &item.body {
            StructBody::Item { content: ItemContent::Text(text), .. } => {
                lines += text.bytes().filter(|&byte| byte == b'\n').count();
            }
            StructBody::Item { content: ItemContent::Deleted, .. } | StructBody::Collected => {}
            // A value stands by itself, and a shared type may hold a text.
            StructBody::Item { .. } => pieces += 1,
        }
    }
    (pieces, lines)
}

/// The attributes that an update sets, with their values.
fn formats<'s>(scan: &'s Scan<'_>) -> impl Iterator<Item = (&'s str, &'s str)> {
    let structs = scan.runs.iter().flat_map(|run| &run.structs);
    structs.filter_map(|item| match item.body {
        StructBody::Item { content: ItemContent::Format(name, value), .. } => Some((name, value)),
        _ => None,
    })
}
