//! The fonts that PDFs are set in: those inside the binary, and those that an operator adds for scripts that the binary
//! lacks. The fonts of the machine are never used, so that a file is the same wherever it is made.

use crate::glyphs::Glyphs;
use crate::missing_glyphs::{CharacterCounts, find_missing_glyphs};
use accord_document::readable::CodePoint;
use rust_embed::RustEmbed;
use std::path::Path;
use typst::foundations::Bytes;
use typst::text::{Font, FontBook, FontInfo};
use typst::utils::LazyHash;

/// The fonts inside the binary, for Latin, Greek, Cyrillic, Hangul, Georgian and symbols. All are under the SIL Open
/// Font License 1.1.
#[derive(RustEmbed)]
#[folder = "../../web/node_modules/@expo-google-fonts"]
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

/// The font families for authors' texts, in the order in which they are searched for a character. [`AROUND`] is the
/// family for the words of the form around these texts.
const TEXT: [&str; 5] =
    ["Source Serif 4", "NanumMyeongjo", "Noto Sans Georgian", "Noto Sans Symbols 2", "Noto Emoji"];
const AROUND: &str = "Public Sans";

/// All fonts, in the form in which Typst uses them.
pub(super) struct Fonts {
    pub(super) book: LazyHash<FontBook>,
    pub(super) all: Vec<Font>,
    /// Names of the families for authors' texts, those inside the binary first.
    text: Vec<String>,
    /// The characters of each font in the families for authors' texts, in the order of `text`.
    glyphs: Vec<Glyphs>,
}

impl Fonts {
    /// Loads the fonts inside the binary, and those in the folder `more`.
    ///
    /// # Errors
    /// Returns an error if the folder can't be read.
    pub(super) fn load(more: Option<&Path>) -> std::io::Result<Self> {
        let (mut all, mut added) = (Vec::new(), Vec::new());
        each_file(more, &mut |file| {
            for font in Font::iter(file.data) {
                added.extend(file.is_added.then(|| font.info().family.clone()));
                all.push(font);
            }
        })?;
        let text = text_families(&added);
        let glyphs = in_search_order(all.iter().map(Font::info), &text);
        Ok(Self { book: LazyHash::new(FontBook::from_fonts(&all)), all, text, glyphs })
    }

    /// Returns two lists of names of font families: first those for authors' texts, then those for the words of the
    /// form around the texts.
    pub(super) fn families(&self) -> (Vec<&str>, Vec<&str>) {
        let text: Vec<&str> = self.text.iter().map(String::as_str).collect();
        let around = std::iter::once(AROUND).chain(text.iter().copied()).collect();
        (text, around)
    }

    /// Returns a text in which code points, such as `[U+1F9FF]`, replace the characters that can't be set. Also returns
    /// the counts of the text's characters.
    pub(super) fn replace_missing_glyphs(&self, text: &str) -> (String, CharacterCounts) {
        let mut out = String::with_capacity(text.len());
        let counts = find_missing_glyphs(&self.glyphs, text, &mut |c, is_set| {
            if is_set {
                out.push(c);
            } else {
                out.push_str(&format!("[{}]", CodePoint(c)));
            }
        });
        (out, counts)
    }
}

/// A file that contains one or more fonts.
pub(super) struct FontFile {
    pub(super) data: Bytes,
    /// Whether an operator added the file.
    pub(super) is_added: bool,
}

/// Calls `visit` with each font file inside the binary, then with each file in the folder `more`, in the order of their
/// names.
///
/// # Errors
/// Returns an error if the folder can't be read.
pub(super) fn each_file(
    more: Option<&Path>,
    visit: &mut dyn FnMut(FontFile),
) -> std::io::Result<()> {
    let mut names: Vec<_> = Inside::iter().collect();
    names.sort();
    for file in names.iter().filter_map(|name| Inside::get(name)) {
        visit(FontFile { data: Bytes::new(file.data), is_added: false });
    }
    let Some(folder) = more else { return Ok(()) };
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
        let data = Bytes::new(std::fs::read(path).map_err(named)?);
        if FontInfo::new(&data, 0).is_none() {
            tracing::warn!(path = %path.display(), "this is not a font (TrueType or OpenType)");
        }
        visit(FontFile { data, is_added: true });
    }
    Ok(())
}

/// Returns the families for authors' texts: those inside the binary, then those in `added`.
pub(super) fn text_families(added: &[String]) -> Vec<String> {
    let mut all: Vec<String> = TEXT.map(str::to_owned).into();
    for family in added {
        if !all.contains(family) {
            all.push(family.clone());
        }
    }
    all
}

/// Returns the characters of each font that belongs to one of the families, in the order of the families. Typst
/// searches fonts for a character in this order.
pub(super) fn in_search_order<'f>(
    fonts: impl Iterator<Item = &'f FontInfo>,
    families: &[String],
) -> Vec<Glyphs> {
    let place = |font: &FontInfo| families.iter().position(|family| *family == font.family);
    let mut found: Vec<(usize, &FontInfo)> =
        fonts.filter_map(|font| Some((place(font)?, font))).collect();
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, font)| Glyphs::of(font)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization;

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

    #[test]
    fn a_letter_with_marks_is_judged_by_the_font_that_is_searched_first() {
        let fonts = Fonts::load(None).unwrap();
        let serif = fonts.glyphs.first().unwrap();
        let marks = || '\u{300}'..'\u{370}';
        let lacks = |mark| fonts.glyphs.iter().any(|font| font.has('e') && !font.has(mark));
        // A mark that NFC joins with the letter would be looked for as another character.
        let stays = |mark: &char| format!("e{mark}").nfc().count() == 2;
        let mark = marks().find(|mark| serif.has(*mark) && lacks(*mark) && stays(mark)).unwrap();
        let missing = marks().find(|m| !fonts.glyphs.iter().any(|font| font.has(*m))).unwrap();
        let (text, counts) = fonts.replace_missing_glyphs(&format!("e{mark}{missing}"));
        assert_eq!(text, format!("e{mark}[{}]", CodePoint(missing)));
        assert_eq!(counts.as_code_points, 1);
    }
}
