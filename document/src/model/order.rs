//! Fractional order: another key always fits between two keys, so moving a milestone changes only the order key of this
//! milestone. Keys are strings of `0-9A-Za-z`, compared byte by byte. No key ends in `0`.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn digit(byte: u8) -> usize {
    DIGITS.iter().position(|&d| d == byte).unwrap_or(0)
}

/// Returns a key after `low` and before `high`. A bound that is `None` is open. Concurrent moves can leave the two
/// bounds equal or out of order. Then `high` is ignored, and the key only comes after `low`.
#[must_use]
pub fn between(low: Option<&str>, high: Option<&str>) -> String {
    let low = low.unwrap_or("").as_bytes();
    let high = high.filter(|high| high.as_bytes() > low).map(str::as_bytes);
    let mut key = String::new();
    let mut bounded = high;
    for at in 0.. {
        let from = low.get(at).map_or(0, |&byte| digit(byte));
        let to = match bounded {
            Some(high) => high.get(at).map_or(0, |&byte| digit(byte)),
            None => DIGITS.len(),
        };
        if to > from + 1 {
            key.push(char::from(DIGITS[usize::midpoint(from, to)]));
            break;
        }
        key.push(char::from(DIGITS[from]));
        if to > from {
            // This digit is below that of `high`, so the digits after it have no upper bound.
            bounded = None;
        }
    }
    key
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
}
