//! Who wrote the text that stands.

use super::diff::PieceStatus;
use super::{AuthorIndex, History};
use crate::ids::Seq;
use crate::template::Section;
use serde::Serialize;
use std::collections::BTreeMap;

/// How much of a section one person wrote first, in the seat and for the side they had then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Share {
    /// The title stands above all sections.
    pub section: Option<Section>,
    /// An index into the history's authors.
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub author: AuthorIndex,
    /// UTF-16 code units, without those that end paragraphs.
    pub characters: usize,
}

impl History {
    /// The shares in the text of a moment, in the order of the page.
    #[must_use]
    pub fn shares(&self, moment: Seq) -> Vec<Share> {
        let mut shares: Vec<Share> = Vec::new();
        let mut places: BTreeMap<(Option<Section>, AuthorIndex), usize> = BTreeMap::new();
        for text in self.diff(moment, moment).texts {
            for piece in text.pieces.iter().filter(|piece| piece.fate == PieceStatus::Kept) {
                let characters =
                    piece.text().encode_utf16().filter(|&c| c != u16::from(b'\n')).count();
                if characters == 0 {
                    continue;
                }
                // A sentence put together from others' words is its maker's.
                let author = piece.placed.unwrap_or(piece.written).author;
                let section = text.section;
                let place = places.entry((section, author));
                let place = *place.or_insert_with(|| {
                    shares.push(Share { section, author, characters: 0 });
                    shares.len() - 1
                });
                shares[place].characters += characters;
            }
        }
        shares
    }
}
