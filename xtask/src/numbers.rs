//! Checks that `docs/numbers.md` is true: each file that it names defines the constants and fields that it names.

use crate::markdown;
use crate::process::root;
use anyhow::{Result, bail};
use std::fs;

const NUMBERS: &str = "docs/numbers.md";

/// Checks the tables whose last two columns are called `name` and `file`.
///
/// # Errors
/// Returns an error that lists all names and files without the other, one on each line.
pub fn check() -> Result<()> {
    let document = fs::read_to_string(root().join(NUMBERS))?;
    let faults = faults(&document, &|path| fs::read_to_string(root().join(path)).ok());
    if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("\n")) }
}

fn faults(document: &str, read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let rows = markdown::rows(document, "file");
    if !rows.iter().any(|row| row.len() == 3) {
        faults.push(format!("{NUMBERS} has no table"));
    }
    for row in rows {
        let [_, names, files] = row[..] else {
            faults.push(format!("{NUMBERS} has a row without three columns: {}", row.join(" | ")));
            continue;
        };
        let names: Vec<&str> = markdown::codes(names).collect();
        let files: Vec<&str> = markdown::codes(files).collect();
        let sources: Vec<String> =
            files.iter().map(|file| read(file).unwrap_or_default()).collect();
        for name in names.iter().filter(|name| !sources.iter().any(|s| defines(s, name))) {
            faults.push(format!("{NUMBERS} says that {} has {name}", files.join(" or ")));
        }
        for (file, source) in files.iter().zip(&sources) {
            if !names.iter().any(|name| defines(source, name)) {
                faults.push(format!("{NUMBERS} names {file}, but no number in it"));
            }
        }
    }
    faults
}

/// Whether a source defines a constant, or a field with a value, of this name. The names of constants have no small letters.
fn defines(source: &str, name: &str) -> bool {
    let is_constant = !name.contains(char::is_lowercase);
    let definition = if is_constant { format!("const {name}") } else { name.to_owned() };
    let mut code = source.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    code.any(|line| {
        line.match_indices(&definition).any(|(at, _)| {
            let is_part = line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let rest = &line[at + definition.len()..];
            !is_part && (rest.starts_with(": ") || rest.starts_with(" ="))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_in_a_file_of_its_row_and_each_file_has_a_name() {
        let read = |path: &str| match path {
            "a.rs" => Some("const MAX_A: u8 = 1;\nself.idle = 2;".to_owned()),
            "b.ts" => Some("const MAX_A = 1;".to_owned()),
            "c.rs" => Some("// const MAX_A: u8 = 1;\nf(Limits::MAX_A);".to_owned()),
            _ => None,
        };
        let check = |row: &str| faults(&format!("| number | name | file |\n{row}"), &read).len();
        assert_eq!(check("| a | `MAX_A`, `idle` | `a.rs` |"), 0);
        assert_eq!(check("| a | `MAX_A` | `a.rs`, `b.ts` |"), 0);
        assert_eq!(check("| a | `MAX_A`, `MAX_B` | `a.rs` |"), 1);
        assert_eq!(check("| a | `A` | `a.rs` |"), 2, "the name and the file lack each other");
        assert_eq!(check("| a | `idle` | `a.rs`, `b.ts` |"), 1);
        assert_eq!(check("| a | `MAX_A` | `gone.rs` |"), 2);
        assert_eq!(check("| a | `MAX_A` | `c.rs` |"), 2, "a comment and a use define nothing");
        assert_eq!(check("| a | `MAX_A` |"), 2, "a column is missing");
        assert_eq!(faults("no table", &read).len(), 1);
    }
}
