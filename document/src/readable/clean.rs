//! Cleaning: the removal of characters that readers can't see.

use super::findings::findings;
use std::borrow::Cow;

/// Returns the text without the characters that can be removed or replaced without changing what people read. Characters
/// that only a person can replace remain, and [`findings`](super::findings()) still reports them. Cleaning a clean text
/// changes nothing.
///
/// ```
/// use accord_document::readable::clean;
///
/// assert_eq!(clean("trans\u{ad}parency"), "transparency");
/// assert_eq!(clean("می\u{200c}شود"), "می\u{200c}شود");
/// assert_eq!(clean("a\u{2028}b"), "a b");
/// ```
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    let mut cleaned = String::new();
    let mut upto = 0;
    for finding in findings(text) {
        let Some(replacement) = finding.replacement else { continue };
        cleaned.push_str(&text[upto..finding.at]);
        cleaned.push_str(replacement);
        upto = finding.at + finding.character.len_utf8();
    }
    if upto == 0 {
        return Cow::Borrowed(text);
    }
    cleaned.push_str(&text[upto..]);
    Cow::Owned(cleaned)
}
