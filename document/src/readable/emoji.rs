//! The rules for hidden characters inside emoji (UTS 51).

use icu_properties::CodePointSetData;
use icu_properties::props::{Emoji, EmojiModifier, ExtendedPictographic};

pub(super) const TEXT_STYLE: char = '\u{fe0e}';
pub(super) const EMOJI_STYLE: char = '\u{fe0f}';

/// The flags that are encoded with tag characters and recommended for general interchange: England, Scotland and Wales.
const TAGGED_FLAGS: [&str; 3] = [
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

/// Returns the length in bytes of the keycap or tagged flag at the beginning of `text`, or `None` if there is neither.
pub(super) fn whole_sequence(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if first == '\u{1f3f4}' {
        return TAGGED_FLAGS.iter().find(|flag| text.starts_with(**flag)).map(|flag| flag.len());
    }
    if !is_keycap_base(first) {
        return None;
    }
    let rest = &text[1..];
    let cap = rest.strip_prefix(EMOJI_STYLE).unwrap_or(rest).strip_prefix('\u{20e3}')?;
    Some(text.len() - cap.len())
}

fn is_keycap_base(c: char) -> bool {
    matches!(c, '0'..='9' | '#' | '*')
}

fn is_pictograph(c: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(c)
        && CodePointSetData::new::<Emoji>().contains(c)
}

/// Returns whether a variation selector for text or emoji style is allowed directly after `c`.
pub(super) fn may_have_style(c: char) -> bool {
    let is_modifier = CodePointSetData::new::<EmojiModifier>().contains(c);
    CodePointSetData::new::<Emoji>().contains(c) && !is_keycap_base(c) && !is_modifier
}

/// Returns whether a joiner combines the characters beside it into one emoji. `last` is the character directly before the
/// joiner, `first` the one before `last`, and `after` the one after the joiner.
pub(super) fn may_join(first: Option<char>, last: Option<char>, after: Option<char>) -> bool {
    let is_decorated =
        |c: char| c == EMOJI_STYLE || CodePointSetData::new::<EmojiModifier>().contains(c);
    let before = match last {
        Some(last) if is_decorated(last) => first,
        other => other,
    };
    before.is_some_and(is_pictograph) && after.is_some_and(is_pictograph)
}
