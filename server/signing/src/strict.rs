//! Reads a release's file so that every reader gets the same content from it.
//!
//! JSON does not say what it means if a name occurs twice in an object. Readers differ: most take the last value, some
//! take the first, and a person sees both. JSON also allows several spellings of one number. Here, a file has one
//! meaning or is refused. [`scan`] checks the text before anything is built from it, so that the cost of reading is
//! bounded first. `web/src/features/release/strict.ts` follows the same rules.

use super::shown::Shown;
use serde_json::Value;
use std::collections::HashSet;
use thiserror::Error;

/// Maximum size of a file, in bytes: the text of a whole document (8 MiB), with room for its spelling in JSON.
pub const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;
/// Maximum number of values in a file. A release of 50,000 words has some thousands.
pub const MAX_VALUES: usize = 500_000;
/// Maximum depth of nested objects and lists. A release needs seven.
pub const MAX_DEPTH: usize = 16;
/// The largest whole number that every reader represents exactly: 2^53 − 1.
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// The reason why a file is not read. Each message completes the sentence “This is not an Accord release: …”.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// The file is larger than [`MAX_FILE_BYTES`].
    #[error("it is larger than {} MiB", MAX_FILE_BYTES / 1024 / 1024)]
    Large,
    /// The file is not UTF-8.
    #[error("it is not UTF-8 text")]
    Encoding,
    /// The file is not JSON.
    #[error("it is not JSON: line {line}, column {column}")]
    Syntax {
        /// The line of the fault, from 1.
        line: usize,
        /// The column of the fault, in bytes, from 1.
        column: usize,
    },
    /// An object has two members with this name.
    #[error("one object has the name {0} twice, so different programs can read it differently")]
    Twice(Shown),
    /// A number is not a whole number in its shortest form, or its magnitude is larger than 2^53 − 1.
    #[error("the number {0} is not a whole number in its only valid form")]
    Number(Shown),
    /// Objects and lists are nested deeper than [`MAX_DEPTH`].
    #[error("it is nested more than {MAX_DEPTH} levels deep")]
    Depth,
    /// The file contains more than [`MAX_VALUES`] values.
    #[error("it contains more than {MAX_VALUES} values")]
    Values,
}

/// Reads a file as JSON.
///
/// # Errors
/// Returns an error if the file is not JSON, could be read in more than one way, or is larger than a release can be.
pub fn read(file: &[u8]) -> Result<Value, Unreadable> {
    if file.len() > MAX_FILE_BYTES {
        return Err(Unreadable::Large);
    }
    let text = std::str::from_utf8(file).map_err(|_| Unreadable::Encoding)?;
    scan(text)?;
    serde_json::from_str(text)
        .map_err(|error| Unreadable::Syntax { line: error.line(), column: error.column() })
}

/// An object or list that the scan has entered and not left yet.
enum Open {
    Object { names: HashSet<String>, name: String, expects_name: bool },
    List,
}

/// Refuses what JSON permits but a release must not contain. Text that is not JSON can pass, because the parser refuses
/// it afterwards.
fn scan(text: &str) -> Result<(), Unreadable> {
    let bytes = text.as_bytes();
    let (mut open, mut values, mut at) = (Vec::<Open>::new(), 0_usize, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'{' | b'[' => {
                values += 1;
                let object = || Open::Object {
                    names: HashSet::new(),
                    name: String::new(),
                    expects_name: true,
                };
                open.push(if byte == b'{' { object() } else { Open::List });
            }
            b'}' | b']' => drop(open.pop()),
            b',' => {
                if let Some(Open::Object { expects_name, .. }) = open.last_mut() {
                    *expects_name = true;
                }
            }
            b'"' => {
                at = end_of_string(bytes, at);
                match open.last_mut() {
                    Some(Open::Object { names, name, expects_name }) if *expects_name => {
                        // A name can be written in several ways ("a", "\u0061"), so the decoded names are compared.
                        let said = serde_json::from_str::<String>(&text[start..at]);
                        *name = said.map_err(|_| syntax(text, start))?;
                        *expects_name = false;
                        if !names.insert(name.clone()) {
                            return Err(Unreadable::Twice(Shown::quoted(name)));
                        }
                    }
                    _ => values += 1,
                }
            }
            b'-' | b'0'..=b'9' => {
                values += 1;
                let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                at += bytes[at..].iter().take_while(|byte| is_part(byte)).count();
                let name = match open.last() {
                    Some(Open::Object { name, .. }) => name.as_str(),
                    _ => "",
                };
                if !is_whole(&text[start..at], name) {
                    return Err(Unreadable::Number(Shown::of(&text[start..at])));
                }
            }
            b't' | b'f' | b'n' => {
                values += 1;
                at += bytes[at..].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
            }
            _ => {}
        }
        if open.len() > MAX_DEPTH {
            return Err(Unreadable::Depth);
        }
        if values > MAX_VALUES {
            return Err(Unreadable::Values);
        }
    }
    Ok(())
}

/// Returns the offset after the quotation mark that ends a string, or the length of the text if none does.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Whether a number is a whole number as RFC 8785 writes it, with a magnitude of at most 2^53 − 1. The members `header`
/// and `indent` are allowed to end in `.0`, as they do in every release so far.
fn is_whole(number: &str, name: &str) -> bool {
    let digits = match number.strip_suffix(".0") {
        Some(digits) if name == "header" || name == "indent" => digits,
        _ => number,
    };
    let magnitude = digits.strip_prefix('-').unwrap_or(digits);
    let is_canonical = !magnitude.starts_with('0') || digits == "0";
    let is_exact = magnitude.parse::<u64>().is_ok_and(|number| number <= MAX_NUMBER);
    is_canonical && is_exact && magnitude.bytes().all(|byte| byte.is_ascii_digit())
}

fn syntax(text: &str, at: usize) -> Unreadable {
    let before = &text.as_bytes()[..at];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
    Unreadable::Syntax { line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(text: &str) -> Unreadable {
        read(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_however_it_is_written() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":{},"\u0061":2}"#,
            r#"[{"x":{"a":[],"b":"a","a":[]}}]"#,
            r#"{"a\"":1,"a\u0022":2}"#,
        ] {
            assert!(matches!(fails(text), Unreadable::Twice(_)), "{text}");
        }
        read(br#"[{"a":"a","b":{"a":1}},{"a":["a","a"]}]"#).unwrap();
    }

    #[test]
    fn a_number_has_one_way_to_be_written() {
        for number in [
            "1.0",
            "1e0",
            "1E2",
            "0.5",
            "-0",
            "-0.0",
            "1.50",
            "9007199254740992",
            "18446744073709551616",
            "1e400",
        ] {
            assert!(matches!(fails(&format!("[{number}]")), Unreadable::Number(_)), "{number}");
        }
        assert!(matches!(fails(r#"{"number":1.0}"#), Unreadable::Number(_)));
        for text in ["[0,-1,9007199254740991]", r#"{"header":2.0,"indent":0.0}"#] {
            read(text.as_bytes()).unwrap();
        }
    }

    #[test]
    fn what_is_no_json_has_its_place_named_and_nothing_of_it_printed() {
        for text in [
            "",
            "{",
            "[1] 2",
            "{\"a\":1}\u{1b}",
            "[01]",
            "{'a':1}",
            "\u{feff}{}",
            "[\"\\ud800\"]",
            "nul",
            "\"\\",
        ] {
            let said = fails(text).to_string();
            assert!(said.is_ascii(), "{said}");
        }
        assert_eq!(read(b"\"\xff\""), Err(Unreadable::Encoding));
        assert_eq!(fails("[\n 1,\n x]"), Unreadable::Syntax { line: 3, column: 2 });
    }

    #[test]
    fn what_a_file_can_cost_is_bounded_before_anything_is_built() {
        assert_eq!(fails(&"[".repeat(MAX_DEPTH + 1)), Unreadable::Depth);
        assert_eq!(fails(&"[".repeat(1_000_000)), Unreadable::Depth);
        let many = format!("[{}0]", "{},".repeat(MAX_VALUES));
        assert_eq!(fails(&many), Unreadable::Values);
        assert_eq!(read(&vec![b' '; MAX_FILE_BYTES + 1]), Err(Unreadable::Large));
    }
}
