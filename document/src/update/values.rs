//! Skips the values inside an update, which are lib0's `any` or JSON, and bounds their nesting without recursion.

use super::scan_error::ScanError;
use crate::lib0::Reader;
use crate::limits;

/// Skips `count` consecutive values in lib0's encoding of `any`. An explicit stack contains the number of values that
/// are left at each level. The height of the stack is one more than the nesting depth.
pub(super) fn skip_any(r: &mut Reader<'_>, count: usize) -> Result<(), ScanError> {
    struct Level {
        left: usize,
        keyed: bool,
    }
    let mut levels = vec![Level { left: count, keyed: false }];
    while let Some(level) = levels.last_mut() {
        if level.left == 0 {
            levels.pop();
            continue;
        }
        level.left -= 1;
        if level.keyed {
            r.string()?;
        }
        match r.byte()? {
            127 | 126 | 121 | 120 => {}
            125 => r.skip_var_int()?,
            124 => {
                r.take(4)?;
            }
            123 | 122 => {
                r.take(8)?;
            }
            119 => {
                r.string()?;
            }
            116 => {
                r.buf()?;
            }
            tag @ (118 | 117) => {
                let left = r.count()?;
                if levels.len() > usize::from(limits::MAX_NESTING_DEPTH) {
                    return Err(ScanError::TooDeep);
                }
                levels.push(Level { left, keyed: tag == 118 });
            }
            _ => return Err(ScanError::Malformed("an unknown kind of value")),
        }
    }
    Ok(())
}

/// Checks that a text is JSON, as yrs assumes, and that its nesting is within the limit. The nesting is checked before
/// the text is parsed. With `may_be_undefined`, the word `undefined` is accepted as well.
pub(super) fn skip_json(text: &str, may_be_undefined: bool) -> Result<(), ScanError> {
    if may_be_undefined && text == "undefined" {
        return Ok(());
    }
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > usize::from(limits::MAX_NESTING_DEPTH) {
                    return Err(ScanError::TooDeep);
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    serde_json::from_str::<serde::de::IgnoredAny>(text)
        .map(|_| ())
        .map_err(|_| ScanError::Malformed("a value is not JSON"))
}
