//! Checks that each function, type and constant is in the file that a document names beside it, as in “`Room::step`
//! (`document/src/sync/room/commands.rs`)” or “`run` in `server/src/lib.rs`”.

use crate::process::{Cmd, root};
use anyhow::{Result, bail};
use std::fs;

/// Checks all documents except the records of decisions, which describe the code of their time.
///
/// # Errors
/// Returns an error that lists all names that are not in their file, one on each line.
pub fn check() -> Result<()> {
    let documents = Cmd::new("git").args(["ls-files", "*.md", ":!docs/decisions"]).output()?;
    let read = |path: &str| fs::read_to_string(root().join(path)).ok();
    let mut faults = Vec::new();
    for document in documents.lines() {
        faults.extend(faults_of(document, &read(document).unwrap_or_default(), &read));
    }
    if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("\n")) }
}

/// Returns a fault for each name that its file does not define. The check of paths finds files that do not exist.
fn faults_of(document: &str, text: &str, read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let is_wrong = |(name, path): &(&str, &str)| {
        let source = read(path);
        source.is_some_and(|source| !parts(name).all(|part| defines(&source, part)))
    };
    let wrong = pairs(text).into_iter().filter(is_wrong);
    wrong
        .map(|(name, path)| {
            format!("{document} says that {path} defines `{name}`, but it does not")
        })
        .collect()
}

/// Returns the names that have a path directly after them, in brackets or after “in”, each with this path.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    let spans: Vec<&str> = text.split('`').collect();
    let neighbours = spans.windows(3).skip(1).step_by(2);
    let named = neighbours.filter(|span| {
        matches!(span[1].trim(), "(" | "in") && is_name(span[0]) && is_source(span[2])
    });
    named.map(|span| (span[0], span[2])).collect()
}

/// Whether the text between backticks is a name, or a name with that of its type: `step`, `Room::step`, `Binding.edit`.
fn is_name(code: &str) -> bool {
    let is_word = |part: &str| !part.is_empty() && part.chars().all(is_part_of_word);
    parts(code).count() <= 2 && parts(code).all(is_word)
}

fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split("::").flat_map(|part| part.split('.'))
}

fn is_source(code: &str) -> bool {
    let ends = [".rs", ".ts", ".svelte", ".mjs"];
    code.contains('/') && ends.iter().any(|end| code.ends_with(end))
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a source defines a function, a type, a constant, a field or a variant of this name, or has methods of a type of
/// this name. A name alone in its line is the argument of a macro that defines it. Names in comments and calls do not
/// count.
fn defines(source: &str, name: &str) -> bool {
    let mut code = source.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    code.any(|line| {
        line == name
            || line.match_indices(name).any(|(at, _)| {
                let (before, after) = (&line[..at], &line[at + name.len()..]);
                let is_whole =
                    !before.ends_with(is_part_of_word) && !after.starts_with(is_part_of_word);
                is_whole && (is_declared(before) || begins_member(before, after, line))
            })
    })
}

/// Whether the words before a name declare it.
fn is_declared(before: &str) -> bool {
    const RUST: [&str; 7] = ["fn", "struct", "enum", "trait", "type", "const", "static"];
    const TYPESCRIPT: [&str; 4] = ["function", "class", "interface", "let"];
    let last = before.split_whitespace().last().unwrap_or_default();
    RUST.contains(&last) || TYPESCRIPT.contains(&last) || before.starts_with("impl")
}

/// Whether a name at the beginning of a line is that of a field, a variant, or a method of TypeScript.
fn begins_member(before: &str, after: &str, line: &str) -> bool {
    const MODIFIERS: [&str; 7] =
        ["pub", "pub(crate)", "pub(super)", "private", "readonly", "static", "async"];
    let is_first = before.split_whitespace().all(|word| MODIFIERS.contains(&word));
    let is_value = after.starts_with(": ") || after.starts_with(" {") || after == ",";
    is_first && (is_value || (after.starts_with(['(', '<']) && line.ends_with(['{', '('])))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: &str = "impl Task {\n    pub(super) async fn commit(&mut self) {}\n}\n\
        enum Step {\n    Propose { moment: Seq },\n}\n// fn event() {}\nself.join(id);\ntext_id!(\n    PlanId\n);";
    const TYPESCRIPT: &str = "export class Binding {\n  private edit(delta: Delta): void {\n\
        this.apply(delta);\n  }\n}\nexport const api = {\n  sign: (id: string) => put(id),\n};";

    fn faults(text: &str) -> usize {
        let read = |path: &str| match path {
            "a/b.rs" => Some(RUST.to_owned()),
            "a/b.ts" => Some(TYPESCRIPT.to_owned()),
            _ => None,
        };
        faults_of("map.md", text, &read).len()
    }

    #[test]
    fn a_name_is_in_the_file_beside_it() {
        for fine in ["Task::commit", "Task", "commit", "Step::Propose", "Step", "PlanId"] {
            assert_eq!(faults(&format!("`{fine}` in `a/b.rs`, `x`")), 0, "{fine}");
        }
        for fine in ["Binding.edit", "api.sign"] {
            assert_eq!(faults(&format!("and `{fine}`\n(`a/b.ts`)")), 0, "{fine}");
        }
        assert_eq!(faults("`Task::committed` (`a/b.rs`)"), 1, "another method");
        assert_eq!(faults("`Room::commit` (`a/b.rs`)"), 1, "another type");
        assert_eq!(faults("`event` in `a/b.rs`, `join` in `a/b.rs`"), 2, "a comment and a call");
        assert_eq!(faults("`Binding.apply` (`a/b.ts`)"), 1, "a call");
    }

    #[test]
    fn other_texts_beside_a_path_are_no_names() {
        let others =
            "`gone` (`a/c.rs`) `gone`, `a/b.rs` `npm run gone` in `a/b.ts` `a.b.c` in `a/b.ts`";
        assert_eq!(faults(others), 0);
    }
}
