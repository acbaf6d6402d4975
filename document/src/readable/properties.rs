//! The Unicode properties that decide, by their short names.

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

/// A letter of any kind.
#[must_use]
pub fn is_letter(c: char) -> bool {
    GeneralCategoryGroup::Letter.contains(category(c))
}

/// A mark of any kind: nonspacing, spacing or enclosing.
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

/// Whether a character belongs to a script, alone or among others (Script_Extensions).
pub(super) fn is_of(c: char, script: Script) -> bool {
    ScriptWithExtensions::new().has_script(c, script)
}

/// Whether a mark belongs to no script of its own, but to that of whatever it stands on. Arabic vowels and Vedic accents
/// are inherited, too, but by few.
pub(super) fn is_of_any_script(c: char) -> bool {
    script(c) == Script::Inherited && !is_of(c, Script::Arabic) && !is_of(c, Script::Devanagari)
}

pub(super) fn combining_class(c: char) -> CanonicalCombiningClass {
    CodePointMapData::<CanonicalCombiningClass>::new().get(c)
}

pub(super) fn syllabic_category(c: char) -> IndicSyllabicCategory {
    CodePointMapData::<IndicSyllabicCategory>::new().get(c)
}

/// Changes the order in which its neighbours are shown.
pub(super) fn is_direction(c: char) -> bool {
    CodePointSetData::new::<BidiControl>().contains(c)
}

/// Is read from right to left, and makes numbers behind it be.
pub(super) fn is_right_to_left(c: char) -> bool {
    matches!(bidi_class(c), BidiClass::RightToLeft | BidiClass::ArabicLetter)
}

pub(super) fn bidi_class(c: char) -> BidiClass {
    CodePointMapData::<BidiClass>::new().get(c)
}

/// Has no shape of its own: it is not shown, or formats what is beside it. Signs like the Arabic number sign are
/// formats, too, but are shown. A text may need some of these characters where they stand: only
/// [`findings`](super::findings()) can say so.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    let is_ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c);
    let is_format = category(c) == Category::Format
        && !CodePointSetData::new::<PrependedConcatenationMark>().contains(c);
    is_ignorable || is_format || is_noncharacter(c)
}

/// Has no meaning outside of an agreement, so each font may show something else.
#[must_use]
pub fn is_private_use(c: char) -> bool {
    category(c) == Category::PrivateUse
}

/// Is not seen as itself, whatever stands beside it: hidden characters, controls, separators, characters of private use
/// and unassigned ones, stand-ins for objects, and blanks other than the space. For texts that must be shown in one line
/// and character by character, like names of keys and files, and what a terminal prints. It is stricter than
/// [`findings`](super::findings()), which keeps what a script needs.
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

/// Stands in for an object that is not in the text.
pub(super) const OBJECT: char = '\u{fffc}';

/// Whether a character looks like a space and is none. No Unicode property says so, so they are listed here. Other Hangul
/// fillers count as hidden; these two are as wide as a letter and separate words.
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

/// A mark that is shown only by what it does to its neighbours: where these are of another script, it is hidden.
pub(super) fn is_invisible_mark(c: char) -> bool {
    let category = syllabic_category(c);
    matches!(category, IndicSyllabicCategory::InvisibleStacker | IndicSyllabicCategory::NumberJoiner)
        // Tifinagh consonant joiner, hieroglyphs' mirror, Khitan small script filler.
        || matches!(c, '\u{2d7f}' | '\u{13440}' | '\u{16fe4}')
}

/// A code point that Unicode has set aside for never being a character.
pub(super) fn is_noncharacter(c: char) -> bool {
    let code = c as u32;
    code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
}
