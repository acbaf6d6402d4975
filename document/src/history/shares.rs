//! Shares: how much of the text at a moment counts as each person's.

use super::diff::PieceStatus;
use super::{AuthorIndex, History};
use crate::ids::Seq;
use crate::template::Section;
use serde::Serialize;
use std::collections::BTreeMap;

/// How much of a section counts as one author's: text that they wrote first, and new sentences that they assembled from
/// words of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Share {
    /// The section, or `None` for the title, which is above all sections.
    pub section: Option<Section>,
    /// The author, as an index into the history's authors.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub author: AuthorIndex,
    /// Number of UTF-16 code units that count as the author's, without newlines.
    pub characters: usize,
}

impl History {
    /// Returns the shares in the text of a moment, in the order of the page.
    #[must_use]
    pub fn shares(&self, moment: Seq) -> Vec<Share> {
        let mut shares: Vec<Share> = Vec::new();
        let mut indexes: BTreeMap<(Option<Section>, AuthorIndex), usize> = BTreeMap::new();
        for text in self.diff(moment, moment).texts {
            for piece in text.pieces.iter().filter(|piece| piece.status == PieceStatus::Kept) {
                let characters =
                    piece.text().encode_utf16().filter(|&c| c != u16::from(b'\n')).count();
                if characters == 0 {
                    continue;
                }
                // If somebody assembled words of other people into a new sentence, those words are counted for the person who
                // assembled them.
                let author = piece.placed.unwrap_or(piece.written).author;
                let section = text.section;
                let slot = indexes.entry((section, author));
                let index = *slot.or_insert_with(|| {
                    shares.push(Share { section, author, characters: 0 });
                    shares.len() - 1
                });
                shares[index].characters += characters;
            }
        }
        shares
    }
}
