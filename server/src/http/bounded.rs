//! Texts in requests, with the maximum length as part of their type. A longer text is refused when the request is read,
//! and the error names the limit.

use accord_document::readable::is_readable_line;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A text of at most `MAX` bytes (UTF-8). It is one line without control or hidden characters. Blanks at both ends are
/// removed, and do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bounded<const MAX: usize>(String);

impl<const MAX: usize> Bounded<MAX> {
    pub(crate) fn into_inner(self) -> String {
        self.0
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Bounded<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let text = text.trim();
        if text.len() > MAX {
            return Err(D::Error::custom(format_args!("this can have at most {MAX} bytes")));
        }
        if !is_readable_line(text) {
            return Err(D::Error::custom(
                "this must be one line, without control or hidden characters",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_is_refused_with_the_limit() {
        let read = |text: &str| serde_json::from_value::<Bounded<4>>(text.into());
        assert_eq!(read(" abcd ").unwrap().into_inner(), "abcd");
        assert!(read("abcde").unwrap_err().to_string().contains("at most 4 bytes"));
        assert!(read("äöü").is_err());
        for unseen in ["a\nb", "a\tb", "a\u{200b}", "\u{202e}a", "a\u{3164}", "\u{e000}"] {
            assert!(read(unseen).is_err(), "{unseen:?}");
        }
    }
}
