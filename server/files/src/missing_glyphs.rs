//! Decides for each character of a text whether it is set with a glyph of a font, or shown as its code point.

use crate::glyphs::Glyphs;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// The counts of a text's characters: all of them, and those that can't be set with a glyph.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CharacterCounts {
    pub(super) all: usize,
    /// Number of characters shown as code points, such as `[U+1F9FF]`: characters that no font has, and marks that no
    /// font has together with the letter below them.
    pub(super) as_code_points: usize,
}

impl CharacterCounts {
    pub(super) fn add(&mut self, other: Self) {
        self.all += other.all;
        self.as_code_points += other.as_code_points;
    }

    /// Whether the text can be read: at most 2 % of its characters are shown as code points. A few symbols shown as
    /// code points are readable. A whole language without glyphs is not.
    pub(super) fn is_readable(self) -> bool {
        self.as_code_points * 50 <= self.all
    }
}

/// Calls `out` with each character of a text in its composed form (NFC), and with whether the character can be set.
/// Returns the counts of these characters. Takes time linear in the text's length.
pub(super) fn find_missing_glyphs(
    fonts: &[Glyphs],
    text: &str,
    out: &mut dyn FnMut(char, bool),
) -> CharacterCounts {
    // Fonts are more likely to have the precomposed form (NFC) of a letter, however the letter was typed.
    let composed: String = text.replace('\t', " ").nfc().collect();
    let mut counts = CharacterCounts::default();
    for cluster in composed.graphemes(true) {
        let chars = || cluster.chars().filter(|c| !is_silent(*c));
        let font = fonts.iter().find(|font| chars().all(|c| font.has(c)));
        // If no font has the whole cluster, a font with its first letter is used. Marks that this font lacks become
        // code points.
        let font = font.or_else(|| {
            let first = chars().next()?;
            fonts.iter().find(|font| font.has(first))
        });
        for c in cluster.chars() {
            let is_set = is_silent(c) || font.is_some_and(|font| font.has(c));
            out(c, is_set);
            counts.all += 1;
            counts.as_code_points += usize::from(!is_set);
        }
    }
    counts
}

/// Whether a character is set without a glyph of a font: a space, or a hidden character that the typesetter acts on.
/// All other hidden characters are shown as code points, so that a reader sees that they are there.
fn is_silent(c: char) -> bool {
    matches!(
        c,
        ' ' | '\n' | '\u{a0}' | '\u{ad}' | '\u{200b}'
            ..='\u{200f}' | '\u{2060}' | '\u{fe0e}' | '\u{fe0f}'
    )
}
