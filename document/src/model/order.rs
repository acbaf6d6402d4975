//! Fractional order: another key always fits between two keys, so moving a milestone changes only the order key of this
//! milestone. Keys are strings of `0-9A-Za-z`, compared byte by byte. Keys made here do not end in `0`, because no key
//! fits between a key and the same key with a `0` after it.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The digit that is appended to a key to get a later one.
const MIDDLE: u8 = b'V';

fn digit(byte: u8) -> usize {
    DIGITS.iter().position(|&d| d == byte).unwrap_or(0)
}

/// Returns a key after `low` and before `high`. If a bound is `None`, the key is not limited on that side.
///
/// Any client can store any string as a key, and concurrent moves can leave the two bounds equal or out of order. If no
/// key of digits fits between the bounds, the key is after `low` but need not be before `high`. The moved milestone is
/// then perhaps shown after the milestone whose key is `high`.
#[must_use]
pub fn between(low: Option<&str>, high: Option<&str>) -> String {
    let low = low.unwrap_or("");
    let high = high.filter(|high| *high > low);
    let is_between =
        |key: &String| key.as_str() > low && high.is_none_or(|high| key.as_str() < high);
    halfway(low, high).filter(is_between).unwrap_or_else(|| format!("{low}{}", char::from(MIDDLE)))
}

/// Returns the key halfway between two keys of digits. Returns `None` if `high` is `low` with only zeros after it. If a bound
/// has other characters, the result can also be `None`, or lie outside of the bounds.
fn halfway(low: &str, high: Option<&str>) -> Option<String> {
    let longest = low.len().max(high.map_or(0, str::len));
    let (low, mut high) = (low.as_bytes(), high.map(str::as_bytes));
    let mut key = String::new();
    for at in 0..=longest {
        let from = low.get(at).map_or(0, |&byte| digit(byte));
        let to = match high {
            Some(high) => high.get(at).map_or(0, |&byte| digit(byte)),
            None => DIGITS.len(),
        };
        if to > from + 1 {
            key.push(char::from(DIGITS[usize::midpoint(from, to)]));
            return Some(key);
        }
        key.push(char::from(DIGITS[from]));
        if to > from {
            // This digit is below that of `high`, so the digits after it have no upper bound.
            high = None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_a_key_between_two() {
        let mut keys = vec![between(None, None)];
        for round in 0..2_000usize {
            let at = (round * 7_919) % (keys.len() + 1);
            let low = at.checked_sub(1).map(|i| keys[i].clone());
            let high = keys.get(at).cloned();
            let key = between(low.as_deref(), high.as_deref());
            assert!(low.is_none_or(|low| low < key) && high.is_none_or(|high| key < high), "{key}");
            assert!(!key.ends_with('0'));
            keys.insert(at, key);
        }
    }

    #[test]
    fn always_appending_and_always_prepending_keep_order() {
        let (mut last, mut first) = (between(None, None), between(None, None));
        for _ in 0..200 {
            let next = between(Some(&last), None);
            assert!(next > last);
            last = next;
            let next = between(None, Some(&first));
            assert!(next < first);
            first = next;
        }
    }

    #[test]
    fn whatever_a_client_has_stored_as_a_key_there_is_one_after_it() {
        let odd = [
            "",
            "0",
            "00",
            "V",
            "V0",
            "V00",
            "V!",
            "a",
            "a!z",
            "z",
            "zz",
            "~",
            "é",
            "\u{10ffff}",
            "V\0",
        ];
        let long = "z".repeat(10_000);
        for low in odd.into_iter().chain([long.as_str()]) {
            for high in odd.into_iter().chain([long.as_str()]) {
                let key = between(Some(low), Some(high));
                assert!(*low < *key && key.len() <= low.len().max(high.len()) + 1, "{low} {high}");
            }
            assert!(*between(Some(low), None) > *low);
            assert!(!between(None, Some(low)).is_empty());
        }
        let fitting = between(Some("a"), Some("~"));
        assert!(*"a" < *fitting && *fitting < *"~", "{fitting}");
        assert_eq!(between(Some("V"), Some("V0")), "VV", "no key fits between them");
        assert_eq!(between(Some("a"), Some("a!z")), "aV", "no key of digits fits between them");
    }
}
