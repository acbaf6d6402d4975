//! Decides, without typesetting a text, whether the text can be typeset as a PDF. For this, the characters of the text
//! are compared with those that the fonts have.

use crate::fonts::{each_file, in_search_order, text_families};
use crate::glyphs::Glyphs;
use crate::limits::MAX_PDF_CHARACTERS;
use crate::missing_glyphs::{CharacterCounts, find_missing_glyphs};
use accord_document::model::delta::Op;
use accord_document::release::canonical::Released;
use std::path::Path;
use typst::text::FontInfo;

/// The characters that each font for authors' texts has. The fonts are in the order in which Typst searches them.
pub struct Coverage {
    fonts: Vec<Glyphs>,
}

impl std::fmt::Debug for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Coverage").field("fonts", &self.fonts.len()).finish()
    }
}

impl Coverage {
    /// Reads the fonts inside the binary, and those in the folder `more`.
    ///
    /// # Errors
    /// Returns an error if the folder can't be read.
    pub fn load(more: Option<&Path>) -> std::io::Result<Self> {
        let (mut all, mut added) = (Vec::new(), Vec::new());
        each_file(more, &mut |file| {
            for info in FontInfo::iter(&file.data) {
                added.extend(file.is_added.then(|| info.family.clone()));
                all.push(info);
            }
        })?;
        Ok(Self { fonts: in_search_order(all.iter(), &text_families(&added)) })
    }

    /// Whether a PDF of the text can be made: the text is not too long, and at most 2 % of its characters lack a glyph.
    /// Takes time linear in the text's length.
    pub fn is_enough_for(&self, text: &Released) -> bool {
        let mut counts = CharacterCounts::default();
        let mut ops = |ops: &[Op]| {
            for op in ops {
                if let Op::Insert { insert: serde_json::Value::String(text), .. } = op {
                    counts.add(find_missing_glyphs(&self.fonts, text, &mut |_, _| {}));
                }
            }
        };
        text.texts.values().for_each(|text| ops(text));
        for milestone in &text.milestones {
            [&milestone.what, &milestone.outputs, &milestone.who].into_iter().for_each(|t| ops(t));
        }
        counts.all <= MAX_PDF_CHARACTERS && counts.is_readable()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use std::time::{Duration, Instant};

    fn coverage() -> Coverage {
        Coverage::load(None).unwrap()
    }

    fn text(text: &str) -> Released {
        samples::released("en", |content| {
            content.texts.insert("problem".into(), vec![Op::text(text)]);
        })
    }

    #[test]
    fn a_language_without_fonts_is_known_before_it_is_set() {
        let coverage = coverage();
        for language in ["en", "ko", "ka", "cs"] {
            assert!(coverage.is_enough_for(&samples::released(language, |_| {})), "{language}");
        }
        assert!(coverage.is_enough_for(&text("one \u{1f9ff} \u{e001} and more")));
        assert!(!coverage.is_enough_for(&text(&"مرحبا بالعالم ".repeat(40))));
        assert!(!coverage.is_enough_for(&text(&"words ".repeat(100_001))));
    }

    #[test]
    fn enough_of_a_text_is_looked_for_in_linear_time() {
        let coverage = coverage();
        for unit in ["\u{301}", "\u{1f1ec}", "\u{1100}", "\u{200d}😀", "\u{10ffff}", "a\u{202e}"]
        {
            let took = |times: usize| {
                let text = text(&unit.repeat(times));
                let once = || {
                    let begun = Instant::now();
                    coverage.is_enough_for(&text);
                    begun.elapsed()
                };
                // The shortest of five runs is compared, because other processes use this machine as well.
                (0..5).map(|_| once()).min().unwrap()
            };
            let (short, long) = (took(20_000), took(160_000));
            // A text eight times as long takes about eight times as long. In quadratic time it would take 64 times as
            // long.
            assert!(long < short * 32 + Duration::from_millis(50), "{unit:?}: {short:?}, {long:?}");
        }
    }
}
