//! Checks that each rule of the protocol is named by code that enforces it and by a test, and that no unknown rule is
//! named.
//!
//! A comment names a rule after the word “rule”: “rule U3”, “rules U3 and U8”. A rule in the comment of a test is named by
//! the test, a rule in any other comment by code. The name of a test can also begin with the rule, as in
//! `p3_names_come_from_the_server`.

use crate::process::{Cmd, root};
use anyhow::{Result, bail};
use std::collections::BTreeSet;
use std::fs;

/// The document that defines the rules.
const PROTOCOL: &str = "docs/protocol.md";

/// Checks the sources against the numbered rules of the protocol.
///
/// # Errors
/// Returns an error that lists all rules that no code or no test names, and all unknown rules, one on each line.
pub fn check() -> Result<()> {
    let rules = rules_of(&fs::read_to_string(root().join(PROTOCOL))?);
    let mut named = Named::default();
    let listed = Cmd::new("git").args(["ls-files", "*.rs", ":!xtask"]).output()?;
    for path in listed.lines() {
        named.read(&fs::read_to_string(root().join(path)).unwrap_or_default());
    }
    let faults = faults(&rules, &named);
    if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("\n")) }
}

fn faults(rules: &BTreeSet<String>, named: &Named) -> Vec<String> {
    let no_code = rules.difference(&named.code).map(|rule| {
        format!("no code names rule {rule} of {PROTOCOL}: write “rule {rule}” where it is enforced")
    });
    let no_test = rules.difference(&named.tests).map(|rule| {
        format!("no test names rule {rule} of {PROTOCOL}: write “Rule {rule}.” above one")
    });
    let all: BTreeSet<_> = named.code.union(&named.tests).cloned().collect();
    let unknown = all.difference(rules);
    let unknown =
        unknown.map(|rule| format!("a comment names rule {rule}, but {PROTOCOL} has no such rule"));
    no_code.chain(no_test).chain(unknown.collect::<Vec<_>>()).collect()
}

/// Returns the rules that the protocol defines. Each is in bold at the beginning of a row.
fn rules_of(protocol: &str) -> BTreeSet<String> {
    let rows = protocol.lines().filter_map(|line| line.strip_prefix("| <a id=\""));
    let bold = rows.filter_map(|row| row.split("**").nth(1));
    bold.filter(|name| is_rule(name)).map(str::to_owned).collect()
}

/// Whether a word is the name of a rule: the letter of a section, and a number.
fn is_rule(word: &str) -> bool {
    let mut chars = word.chars();
    let is_section = chars.next().is_some_and(|c| "CMAUPR".contains(c));
    is_section && chars.as_str().len() <= 2 && chars.as_str().parse::<u8>().is_ok()
}

/// The rules that the sources name, in code and in tests.
#[derive(Debug, Default)]
struct Named {
    code: BTreeSet<String>,
    tests: BTreeSet<String>,
}

impl Named {
    fn read(&mut self, source: &str) {
        // The rules that a comment has named, until the line after the comment shows whether it documents a test.
        let mut open: Vec<String> = Vec::new();
        for line in source.lines().map(str::trim_start) {
            if let Some((_, comment)) = line.split_once("//") {
                open.extend(in_comment(comment));
            }
            if line.starts_with("#[test") || line.starts_with("#[tokio::test") {
                self.tests.extend(open.drain(..));
            }
            if !line.starts_with("//") && !line.starts_with("#[") {
                self.code.extend(open.drain(..));
            }
            self.tests.extend(in_name(line));
        }
        self.code.extend(open);
    }
}

/// Returns the rules that a line of a comment names.
fn in_comment(comment: &str) -> Vec<String> {
    let mut words = comment.split(|c: char| !c.is_alphanumeric());
    let says = words.any(|word| matches!(word, "rule" | "rules" | "Rule" | "Rules"));
    words.filter(|word| says && is_rule(word)).map(str::to_owned).collect()
}

/// Returns the rule with which the name of a function begins, or `None` if it begins with no rule.
fn in_name(line: &str) -> Option<String> {
    let (first, _) = line.split_once("fn ")?.1.split_once('_')?;
    let rule = first.to_uppercase();
    is_rule(&rule).then_some(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(source: &str) -> Named {
        let mut named = Named::default();
        named.read(source);
        named
    }

    fn set(rules: &[&str]) -> BTreeSet<String> {
        rules.iter().map(|&rule| rule.to_owned()).collect()
    }

    #[test]
    fn the_protocols_rows_define_rules() {
        let protocol = "| <a id=\"u3\"></a>**U3** | New content (U4) |\n| **P** | a person |";
        assert_eq!(rules_of(protocol), set(&["U3"]));
    }

    #[test]
    fn comments_name_rules_for_code_or_for_the_test_they_document() {
        let source = "//! Rules U8 and U9.\n\n/// Holds back (rule M3).\nfn hold() {}\n\
            /// Rule M5: one answer.\n#[test]\nfn one() {}\nfn p3_names_come() {}\n// C1 controls\n";
        let named = named(source);
        assert_eq!(named.code, set(&["M3", "U8", "U9"]));
        assert_eq!(named.tests, set(&["M5", "P3"]));
    }

    #[test]
    fn a_rule_without_code_or_test_is_a_fault_and_so_is_one_that_there_is_not() {
        let named = named("// Rule U1.\nlet x;\n/// Rule U2.\n#[test]\nfn two() {}\n// Rule U7.\n");
        let found = faults(&set(&["U1", "U2"]), &named);
        let starts = ["no code names rule U2", "no test names rule U1", "a comment names rule U7"];
        assert_eq!(found.len(), starts.len(), "{found:?}");
        assert!(
            found.iter().zip(starts).all(|(fault, start)| fault.starts_with(start)),
            "{found:?}"
        );
    }
}
