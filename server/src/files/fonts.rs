//! The fonts that files are set in: those inside the binary, and those that an operator adds for scripts that
//! they lack. The fonts of the machine are never used, so that a file is the same wherever it is made.

use rust_embed::RustEmbed;
use std::path::Path;
use typst::foundations::Bytes;
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use unicode_segmentation::UnicodeSegmentation;

/// Latin, Greek, Cyrillic, Hangul, Georgian, symbols. All under the SIL Open Font License 1.1.
#[derive(RustEmbed)]
#[folder = "../web/node_modules/@expo-google-fonts"]
#[allow_missing = true]
#[include = "source-serif-4/400Regular/*.ttf"]
#[include = "source-serif-4/400Regular_Italic/*.ttf"]
#[include = "source-serif-4/600SemiBold/*.ttf"]
#[include = "source-serif-4/600SemiBold_Italic/*.ttf"]
#[include = "public-sans/400Regular/*.ttf"]
#[include = "public-sans/600SemiBold/*.ttf"]
#[include = "nanum-myeongjo/400Regular/*.ttf"]
#[include = "nanum-myeongjo/700Bold/*.ttf"]
#[include = "noto-sans-georgian/400Regular/*.ttf"]
#[include = "noto-sans-georgian/600SemiBold/*.ttf"]
#[include = "noto-emoji/400Regular/*.ttf"]
#[include = "noto-sans-symbols-2/400Regular/*.ttf"]
struct Inside;

/// The families of the text and of the words around it, in the order in which a character is looked for.
const TEXT: [&str; 5] =
    ["Source Serif 4", "NanumMyeongjo", "Noto Sans Georgian", "Noto Sans Symbols 2", "Noto Emoji"];
const AROUND: &str = "Public Sans";

/// All fonts, ready to set with.
pub(super) struct Fonts {
    pub(super) book: LazyHash<FontBook>,
    pub(super) all: Vec<Font>,
    /// Families by name, those inside first.
    text: Vec<String>,
}

impl Fonts {
    /// Those inside, and those of a folder.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub(super) fn load(more: Option<&Path>) -> std::io::Result<Self> {
        let mut files: Vec<_> = Inside::iter().collect();
        files.sort();
        let inside = files.iter().filter_map(|name| Inside::get(name));
        let mut all: Vec<Font> =
            inside.flat_map(|file| Font::iter(Bytes::new(file.data))).collect();
        let mut text: Vec<String> = TEXT.map(str::to_owned).into();
        if let Some(folder) = more {
            let named = |error: std::io::Error| {
                let what = format!("the fonts in {} can't be read: {error}", folder.display());
                std::io::Error::new(error.kind(), what)
            };
            let mut paths = Vec::new();
            for entry in std::fs::read_dir(folder).map_err(named)? {
                paths.push(entry.map_err(named)?.path());
            }
            paths.sort();
            for path in paths.iter().filter(|path| path.is_file()) {
                let added: Vec<_> =
                    Font::iter(Bytes::new(std::fs::read(path).map_err(named)?)).collect();
                if added.is_empty() {
                    tracing::warn!(path = %path.display(), "this is no font (TrueType or OpenType)");
                }
                for font in added {
                    if !text.contains(&font.info().family) {
                        text.push(font.info().family.clone());
                    }
                    all.push(font);
                }
            }
        }
        Ok(Self { book: LazyHash::new(FontBook::from_fonts(&all)), all, text })
    }

    /// The families for what people wrote, and for what the form says.
    pub(super) fn families(&self) -> (Vec<&str>, Vec<&str>) {
        let text: Vec<&str> = self.text.iter().map(String::as_str).collect();
        let around = std::iter::once(AROUND).chain(text.iter().copied()).collect();
        (text, around)
    }

    /// A text as it can be set, and how many of its characters had to be given by their numbers, as
    /// `[U+1F9FF]`: those that no font has, and marks that no font has with the letter below them.
    pub(super) fn settle(&self, text: &str) -> (String, usize) {
        let (mut out, mut numbered) = (String::with_capacity(text.len()), 0);
        for cluster in text.graphemes(true) {
            let chars = || cluster.chars().filter(|c| !is_silent(*c));
            let fonts = || self.all.iter().filter(|font| self.text.contains(&font.info().family));
            let font = fonts().find(|font| chars().all(|c| has(font, c)));
            // The letter, at least: its marks follow.
            let font = font.or_else(|| {
                let first = chars().next()?;
                fonts().find(|font| has(font, first))
            });
            for c in cluster.chars() {
                if is_silent(c) || font.is_some_and(|font| has(font, c)) {
                    out.push(c);
                } else {
                    out.push_str(&format!("[U+{:04X}]", c as u32));
                    numbered += 1;
                }
            }
        }
        (out, numbered)
    }
}

/// Whether a character is never seen itself: spaces, and what tells how its neighbours are shown.
fn is_silent(c: char) -> bool {
    matches!(
        c,
        ' ' | '\n' | '\u{a0}' | '\u{ad}' | '\u{200b}'
            ..='\u{200f}' | '\u{2060}' | '\u{fe0e}' | '\u{fe0f}'
    )
}

fn has(font: &Font, c: char) -> bool {
    // A code point of private use means nothing to whoever reads the file with other fonts: PDF/A forbids it.
    let is_private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
    !c.is_control() && !is_private && c != '\u{feff}' && font.info().coverage.contains(c as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fonts_of_a_folder_are_added_and_what_is_none_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("notes.txt"), "no font").unwrap();
        std::fs::create_dir(dir.path().join("more")).unwrap();
        let public_sans = Inside::get("public-sans/400Regular/PublicSans_400Regular.ttf");
        std::fs::write(dir.path().join("a.ttf"), public_sans.unwrap().data).unwrap();
        let (inside, both) = (Fonts::load(None).unwrap(), Fonts::load(Some(dir.path())).unwrap());
        assert_eq!(both.all.len(), inside.all.len() + 1);
        assert!(both.families().0.contains(&AROUND), "a text is looked for in it, too");
        let missing = Fonts::load(Some(&dir.path().join("nowhere"))).err().unwrap().to_string();
        assert!(missing.contains("nowhere"), "{missing}");
    }

    #[test]
    fn every_font_that_is_named_is_inside() {
        let fonts = Fonts::load(None).unwrap();
        for family in TEXT.iter().chain([&AROUND]) {
            assert!(fonts.all.iter().any(|font| font.info().family == *family), "{family}");
        }
        assert_eq!(fonts.all.len(), 12);
    }
}
