//! Scripts that stand in one word and are not written together: letters of one that look like those of another.

use super::properties::is_of;
use icu_properties::props::Script;

/// The scripts whose letters look alike, so that a word that mixes them can be taken for another one: Cyrillic “а” for
/// Latin “a”.
const ALIKE: [Script; 5] =
    [Script::Latin, Script::Cyrillic, Script::Greek, Script::Armenian, Script::Cherokee];

/// Whether a word of a text mixes scripts whose letters look alike (after Unicode Technical Standard 39, section 5). Words
/// of several scripts beside each other are innocent, and so are Han, kana or Hangul beside Latin letters.
///
/// ```
/// use accord_document::readable::mixes_scripts;
///
/// assert!(mixes_scripts("\u{410}na Ferreira"));
/// assert!(!mixes_scripts("Ana Ferreira \u{410}\u{43d}\u{43d}\u{430}"));
/// ```
#[must_use]
pub fn mixes_scripts(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && !super::is_mark(c)).any(|word| {
        let has = |script: Script| {
            word.chars().any(|c| {
                is_of(c, script) && ALIKE.iter().filter(|one| is_of(c, **one)).count() == 1
            })
        };
        ALIKE.into_iter().filter(|script| has(*script)).count() > 1
    })
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
        ] {
            assert!(!mixes_scripts(name), "{name}");
        }
    }
}
