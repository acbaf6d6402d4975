//! The rules for hidden characters that some scripts can't be written without.

use super::properties::{
    combining_class, is_digit, is_hidden, is_letter, is_mark, is_of, script, syllabic_category,
};
use icu_properties::CodePointMapData;
use icu_properties::props::{
    CanonicalCombiningClass, IndicSyllabicCategory, JoiningType, LineBreak, Script,
};

pub(super) const ZERO_WIDTH_SPACE: char = '\u{200b}';
pub(super) const NON_JOINER: char = '\u{200c}';
pub(super) const JOINER: char = '\u{200d}';
pub(super) const GRAPHEME_JOINER: char = '\u{34f}';
pub(super) const VOWEL_SEPARATOR: char = '\u{180e}';

/// Returns whether a zero width joiner or non-joiner is allowed between two characters. Cursive scripts need it to shape
/// letters, Brahmic scripts to form or prevent conjuncts.
pub(super) fn may_join(joiner: char, before: Option<char>, after: Option<char>) -> bool {
    let Some(before) = before else { return false };
    // Bengali khanda ta and Malayalam chillus need a joiner after the virama even at the end of a word.
    if combining_class(before) == CanonicalCombiningClass::Virama && uses_joiners(before) {
        return true;
    }
    let is_word = |c: char| is_letter(c) || is_mark(c);
    match after.filter(|&c| is_word(c)) {
        // A joiner at the end of a word gives the last letter the shape that it has inside a word: “ه‍” for the Hijri year.
        None => joiner == JOINER && joining_type(before) == JoiningType::DualJoining,
        // A Persian suffix follows a number, a Latin word or a quotation with a non-joiner instead of a space: “PDF‌ها”.
        Some(after)
            if joiner == NON_JOINER
                && is_cursive(after)
                && !is_hidden(before)
                && !before.is_whitespace() =>
        {
            is_word(before)
                || is_digit(before)
                || matches!(before, '»' | '”' | '"' | ')' | '\u{2019}')
        }
        Some(after) => {
            is_word(before)
                && share_script(before, after)
                && (uses_joiners(before) || uses_joiners(after))
        }
    }
}

/// Returns whether `c` is a letter that takes part in cursive joining.
fn is_cursive(c: char) -> bool {
    is_letter(c)
        && matches!(
            joining_type(c),
            JoiningType::DualJoining | JoiningType::RightJoining | JoiningType::LeftJoining
        )
}

fn joining_type(c: char) -> JoiningType {
    CodePointMapData::<JoiningType>::new().get(c)
}

fn uses_joiners(c: char) -> bool {
    // Thai and Lao do not stack consonants, so they need no joiners.
    let is_brahmic = syllabic_category(c) != IndicSyllabicCategory::Other
        && !matches!(script(c), Script::Thai | Script::Lao);
    is_cursive(c) || is_brahmic
}

fn share_script(a: char, b: char) -> bool {
    match [script(a), script(b)]
        .into_iter()
        .find(|known| !matches!(*known, Script::Inherited | Script::Common))
    {
        Some(shared) => is_of(a, shared) && is_of(b, shared),
        // Both characters are marks that belong to several scripts, such as Arabic vowels.
        None => true,
    }
}

/// Returns whether a zero width space is allowed between two characters. It separates words in scripts that are written
/// without spaces.
pub(super) fn may_part_words(before: Option<char>, after: Option<char>) -> bool {
    let is_unspaced = |c: char| {
        let class = CodePointMapData::<LineBreak>::new().get(c);
        matches!(
            class,
            LineBreak::ComplexContext
                | LineBreak::Aksara
                | LineBreak::AksaraPrebase
                | LineBreak::AksaraStart
        )
    };
    before != Some(ZERO_WIDTH_SPACE)
        && (before.is_some_and(is_unspaced) || after.is_some_and(is_unspaced))
}

/// Returns whether a grapheme joiner is allowed between two characters. Hebrew needs it between two points whose order
/// would otherwise be swapped.
pub(super) fn may_keep_order(before: Option<char>, after: Option<char>) -> bool {
    let is_hebrew_mark = |c: char| is_mark(c) && is_of(c, Script::Hebrew);
    before.is_some_and(is_hebrew_mark) && after.is_some_and(is_hebrew_mark)
}

/// Returns whether `c` is a Mongolian letter. A variation selector or vowel separator is allowed after such a letter.
pub(super) fn is_mongolian_letter(c: char) -> bool {
    script(c) == Script::Mongolian && is_letter(c)
}
