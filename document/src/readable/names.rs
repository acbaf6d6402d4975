//! The names of hidden characters, as Accord reports them.

use std::fmt;

/// A character that is displayed as its code point in Unicode's notation: `U+202E`. All code that names a character
/// uses this type. The caller adds the brackets around the code point: `[U+202E]` in files, and `<U+202E>` in a
/// terminal, as the test vectors of `accord verify` require.
///
/// ```
/// assert_eq!(accord_document::readable::CodePoint('\u{202e}').to_string(), "U+202E");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodePoint(pub char);

impl fmt::Display for CodePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X}", u32::from(self.0))
    }
}

/// Returns the Unicode name of a character in lower case, or `None` if the character is not one of those that people
/// often find in texts.
#[must_use]
pub fn name(c: char) -> Option<&'static str> {
    Some(match c {
        '\r' => "carriage return",
        '\u{b}' => "line tabulation",
        '\u{c}' => "form feed",
        '\u{85}' => "next line",
        '\u{ad}' => "soft hyphen",
        '\u{34f}' => "combining grapheme joiner",
        '\u{61c}' => "arabic letter mark",
        '\u{115f}' => "hangul choseong filler",
        '\u{1160}' => "hangul jungseong filler",
        '\u{180e}' => "mongolian vowel separator",
        '\u{200b}' => "zero width space",
        '\u{200c}' => "zero width non-joiner",
        '\u{200d}' => "zero width joiner",
        '\u{200e}' => "left-to-right mark",
        '\u{200f}' => "right-to-left mark",
        '\u{2028}' => "line separator",
        '\u{2029}' => "paragraph separator",
        '\u{202a}' => "left-to-right embedding",
        '\u{202b}' => "right-to-left embedding",
        '\u{202c}' => "pop directional formatting",
        '\u{202d}' => "left-to-right override",
        '\u{202e}' => "right-to-left override",
        '\u{2060}' => "word joiner",
        '\u{2061}' => "function application",
        '\u{2062}' => "invisible times",
        '\u{2063}' => "invisible separator",
        '\u{2064}' => "invisible plus",
        '\u{2066}' => "left-to-right isolate",
        '\u{2067}' => "right-to-left isolate",
        '\u{2068}' => "first strong isolate",
        '\u{2069}' => "pop directional isolate",
        '\u{2800}' => "braille pattern blank",
        '\u{3164}' => "hangul filler",
        '\u{ffa0}' => "halfwidth hangul filler",
        '\u{feff}' => "zero width no-break space",
        '\u{fffc}' => "object replacement character",
        '\u{336}' => "combining long stroke overlay",
        '\u{338}' => "combining long solidus overlay",
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => "variation selector",
        '\u{e0020}'..='\u{e007f}' => "tag character",
        _ => return None,
    })
}
