//! The Unicode properties that the judgements in this module use, each as a function with a short name.

use icu_properties::props::{
    BidiClass, BidiControl, CanonicalCombiningClass, DefaultIgnorableCodePoint,
    GeneralCategory as Category, GeneralCategoryGroup, IndicSyllabicCategory,
    PrependedConcatenationMark, Script,
};
use icu_properties::script::ScriptWithExtensions;
use icu_properties::{CodePointMapData, CodePointSetData};

pub(super) fn category(c: char) -> Category {
    CodePointMapData::<Category>::new().get(c)
}

/// Returns whether `c` is a letter of any kind.
#[must_use]
pub fn is_letter(c: char) -> bool {
    GeneralCategoryGroup::Letter.contains(category(c))
}

/// Returns whether `c` is a mark of any kind: nonspacing, spacing or enclosing.
#[must_use]
pub fn is_mark(c: char) -> bool {
    GeneralCategoryGroup::Mark.contains(category(c))
}

pub(super) fn is_digit(c: char) -> bool {
    category(c) == Category::DecimalNumber
}

pub(super) fn script(c: char) -> Script {
    CodePointMapData::<Script>::new().get(c)
}

/// Returns whether a character belongs to a script, alone or among other scripts (Script_Extensions).
pub(super) fn is_of(c: char, script: Script) -> bool {
    ScriptWithExtensions::new().has_script(c, script)
}

/// Returns whether a mark has no script of its own and takes the script of its base. Arabic vowels and Vedic accents also
/// have the script value Inherited, but belong to a few scripts only, so they do not count.
pub(super) fn is_of_any_script(c: char) -> bool {
    script(c) == Script::Inherited && !is_of(c, Script::Arabic) && !is_of(c, Script::Devanagari)
}

pub(super) fn combining_class(c: char) -> CanonicalCombiningClass {
    CodePointMapData::<CanonicalCombiningClass>::new().get(c)
}

pub(super) fn syllabic_category(c: char) -> IndicSyllabicCategory {
    CodePointMapData::<IndicSyllabicCategory>::new().get(c)
}

/// Returns whether `c` changes the order in which its neighbours are shown.
pub(super) fn is_direction(c: char) -> bool {
    CodePointSetData::new::<BidiControl>().contains(c)
}

/// Returns whether `c` is read from right to left. Such a character can also reverse the order of the numbers after it.
pub(super) fn is_right_to_left(c: char) -> bool {
    matches!(bidi_class(c), BidiClass::RightToLeft | BidiClass::ArabicLetter)
}

pub(super) fn bidi_class(c: char) -> BidiClass {
    CodePointMapData::<BidiClass>::new().get(c)
}

/// Returns whether `c` has no shape of its own: it is not shown, or only formats its neighbours. Format characters that
/// are shown, such as the Arabic number sign, are not hidden. Some texts need hidden characters in certain places; only
/// [`findings`](super::findings()) can decide where.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    let is_ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c);
    let is_format = category(c) == Category::Format
        && !CodePointSetData::new::<PrependedConcatenationMark>().contains(c);
    is_ignorable || is_format || is_noncharacter(c)
}

/// Returns whether `c` is a private use character: it has no meaning without an agreement, so each font can show
/// something else.
#[must_use]
pub fn is_private_use(c: char) -> bool {
    category(c) == Category::PrivateUse
}

/// Returns whether `c` is not seen as itself in any context. That is true of hidden characters, controls, separators,
/// private use and unassigned characters, the object placeholder, and blanks other than the space. Use it for texts that
/// must be shown in one line and character by character, such as names of keys and files, and for output to a terminal. It
/// is stricter than [`findings`](super::findings()), which allows characters that a script needs.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    if matches!(c, ' '..='~') {
        return false;
    }
    let category = category(c);
    GeneralCategoryGroup::Other.contains(category)
        || GeneralCategoryGroup::Separator.contains(category)
        || is_hidden(c)
        || is_blank(c)
        || c == OBJECT
}

/// The object replacement character, which is a placeholder for an object that the text does not contain.
pub(super) const OBJECT: char = '\u{fffc}';

/// Returns whether a character looks like a space but is a different character. Unicode has no such property, so the characters
/// are listed here. Two Hangul fillers (U+3164 and U+FFA0) are in the list, because they are as wide as a letter and separate
/// words; the other Hangul fillers count as hidden.
pub(super) fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{2800}' // Braille pattern blank
        | '\u{3164}' | '\u{ffa0}' // Hangul filler, wide and halfwidth
        | '\u{13441}' | '\u{13442}' // Egyptian hieroglyph full and half blank
        | '\u{1d159}' // musical symbol null notehead
        | '\u{1da7f}' | '\u{1da80}' // SignWriting spaces
    )
}

/// Returns whether a mark is visible only by its effect on its neighbours. Between characters of another script, such a
/// mark has no effect and is hidden.
pub(super) fn is_invisible_mark(c: char) -> bool {
    let category = syllabic_category(c);
    matches!(category, IndicSyllabicCategory::InvisibleStacker | IndicSyllabicCategory::NumberJoiner)
        // The Tifinagh consonant joiner, the Egyptian hieroglyph mirror, and the Khitan small script filler.
        || matches!(c, '\u{2d7f}' | '\u{13440}' | '\u{16fe4}')
}

/// Returns whether `c` is a noncharacter: a code point that Unicode will never assign to a character.
pub(super) fn is_noncharacter(c: char) -> bool {
    let code = c as u32;
    code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
}
