//! The detection of words that mix scripts, in which a letter of one script can pass for a letter of another.

use super::properties::{is_of, script};
use icu_properties::props::Script;
use icu_properties::script::ScriptWithExtensions;
use unicode_normalization::UnicodeNormalization;

/// The combinations of scripts that can occur in one word: Japanese, Chinese and Korean, each with Latin letters.
const COMBINED_SCRIPTS: [&[Script]; 3] = [
    &[Script::Latin, Script::Han, Script::Hiragana, Script::Katakana],
    &[Script::Latin, Script::Han, Script::Bopomofo],
    &[Script::Latin, Script::Han, Script::Hangul],
];

/// Returns whether a word of a name mixes scripts that are not written together. The rule is the level “highly
/// restrictive” of Unicode Technical Standard 39, section 5.2. The result is also true if a word contains letters that
/// belong to no script but look like styled letters of a script, such as the mathematical “𝐀”. Different words of a
/// name may have different scripts.
///
/// ```
/// use accord_document::readable::mixes_scripts;
///
/// assert!(mixes_scripts("\u{410}na Ferreira"));
/// assert!(!mixes_scripts("Ana Ferreira \u{410}\u{43d}\u{43d}\u{430}"));
/// ```
#[must_use]
pub fn mixes_scripts(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && !super::is_mark(c)).any(is_mixed)
}

fn is_mixed(word: &str) -> bool {
    if word.is_ascii() {
        return false;
    }
    if word.chars().any(is_styled) {
        return true;
    }
    let is_written_in =
        |all: &[Script]| word.chars().all(|c| fits_any(c) || all.iter().any(|one| is_of(c, *one)));
    let Some(first) = word.chars().find(|c| !fits_any(*c)) else { return false };
    let is_of_one = ScriptWithExtensions::new()
        .get_script_extensions_val(first)
        .iter()
        .any(|script| is_written_in(&[script]));
    !is_of_one && !COMBINED_SCRIPTS.into_iter().any(is_written_in)
}

/// Returns whether a character can occur in every script: for example digits, and marks that take the script of their base.
fn fits_any(c: char) -> bool {
    script(c) == Script::Inherited || is_of(c, Script::Common)
}

/// Returns whether `c` is a letter that belongs to no script and is a styled variant of a letter that does.
fn is_styled(c: char) -> bool {
    c.is_alphabetic() && fits_any(c) && !super::is_mark(c) && !std::iter::once(c).nfkc().eq([c])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_look_alike_letters_mixes_scripts_and_no_name_of_our_cities_does() {
        for name in [
            "\u{410}na",
            "Be\u{3bd}",
            "M\u{430}l",
            "Jos\u{435}\u{301}",
            "\u{43e}’Neill \u{41c}al",
            "\u{13aa}o",
            "\u{a4ee}na",
            "\u{2c80}na",
            "\u{10400}na",
            "\u{1d400}na",
            "\u{24b6}na",
            "Ана\u{10d0}",
        ] {
            assert!(mixes_scripts(name), "{name}");
        }
        for name in [
            "Ana Ferreira",
            "Zoë O’Neill-Kim",
            "Анна Іваненко",
            "ანა Smith",
            "김민준 Kim",
            "박A",
            "علی\u{200c}رضا محمدی",
            "Nguyễn Thị Ánh",
            "Jose\u{301}",
            "Ελένη",
            "Արամ",
            "王小明",
            "たなか Tanaka",
            "अनिता",
            "Þóra Ægisdóttir",
            "Ọlá",
            "Ioannis (Γιάννης)",
            "דוד",
            "Ana-Мария",
            "Nguye\u{302}\u{303}n Thi\u{323} A\u{301}nh",
            "김\u{1100}\u{1161}",
            "გიორგი",
            "محمد ٣",
            "מֹשֶׁה",
            "श्रीमती प्रिया",
            "สมชาย น้ำ",
            "አበበ በቂላ",
            "Şükrü Işık İnci",
            "O'Neil",
            "Jean-Luc d’Ñandú",
            "Ævar",
            "Mª José",
            "ﾀﾛｰ タロー",
            "佐々木 一ノ瀬",
            "ʻOkina Kaʻahumanu",
        ] {
            assert!(!mixes_scripts(name), "{name}");
        }
    }
}
