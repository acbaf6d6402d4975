//! How the characters of a text can be set: each with a glyph of a font, or by its number.

use crate::glyphs::Glyphs;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// How a text can be set, in characters.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Settled {
    pub(super) all: usize,
    /// Given by their numbers, as `[U+1F9FF]`: those that no font has, and marks that no font has with the letter
    /// below them.
    pub(super) numbered: usize,
}

impl Settled {
    pub(super) fn add(&mut self, other: Self) {
        self.all += other.all;
        self.numbered += other.numbered;
    }

    /// Whether the text can be read. Where a few symbols have no glyph, their numbers are printed; a whole language without
    /// glyphs can't be read.
    pub(super) fn is_readable(self) -> bool {
        self.numbered * 50 <= self.all
    }
}

/// Goes through the characters of a text: each, and whether it can be set. Linear in the text.
pub(super) fn settle(fonts: &[Glyphs], text: &str, out: &mut dyn FnMut(char, bool)) -> Settled {
    // One letter is one letter, however it was typed: as precomposed, fonts have it sooner.
    let composed: String = text.replace('\t', " ").nfc().collect();
    let mut settled = Settled::default();
    for cluster in composed.graphemes(true) {
        let chars = || cluster.chars().filter(|c| !is_silent(*c));
        let font = fonts.iter().find(|font| chars().all(|c| font.has(c)));
        // The letter, at least: its marks follow.
        let font = font.or_else(|| {
            let first = chars().next()?;
            fonts.iter().find(|font| font.has(first))
        });
        for c in cluster.chars() {
            let is_set = is_silent(c) || font.is_some_and(|font| font.has(c));
            out(c, is_set);
            settled.all += 1;
            settled.numbered += usize::from(!is_set);
        }
    }
    settled
}

/// Whether a character is set without a glyph of a font: spaces, and the hidden characters that the typesetter acts on.
/// All other hidden characters are given by their numbers, so that a reader sees that they are there.
fn is_silent(c: char) -> bool {
    matches!(
        c,
        ' ' | '\n' | '\u{a0}' | '\u{ad}' | '\u{200b}'
            ..='\u{200f}' | '\u{2060}' | '\u{fe0e}' | '\u{fe0f}'
    )
}
