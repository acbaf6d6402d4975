//! Where a link leads, as a Word file of ours says it behind the words of the link. That is no text of an author, and
//! nothing else in its style is left out: people copy runs with their style, and other files may use it.

use super::nodes::{child, value};
use accord_document::readable::address;
use accord_words::styles::{DESTINATION, ESCAPED_IN_TARGETS};
use roxmltree::Node;

/// How many runs, from this one on, together say where the link before them leads: all are of our style, and say exactly
/// what our writer says behind that link. Word may have cut our one run in several. 0 where it is text of an author.
pub(super) fn runs_that_tell(first: Node<'_, '_>, address: &str) -> usize {
    let expected = [told(address), told(&before_escaping(address))];
    let runs = first.next_siblings().filter(|node| !is_marker(*node));
    let mut said = String::new();
    for (at, run) in runs.take_while(|node| has_style(*node)).enumerate() {
        let Some(text) = plain_text(run) else { return 0 };
        said.push_str(&text);
        if expected.contains(&said) {
            return at + 1;
        }
        if !expected.iter().any(|expected| expected.starts_with(&said)) {
            return 0;
        }
    }
    0
}

/// Whether a node is a run of our style.
pub(super) fn has_style(node: Node<'_, '_>) -> bool {
    let style = || child(node, "rPr").and_then(|all| value(all, "rStyle"));
    node.tag_name().name() == "r" && style() == Some(DESTINATION)
}

/// What a file of ours says behind a link.
fn told(address: &str) -> String {
    format!(" ({})", address::destination(address))
}

/// An address as it was before our writer made the target of a relation of it: the writer escapes some characters of
/// ASCII, and shows them as they are.
fn before_escaping(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    let mut rest = address;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok());
        let escaped = code.map(char::from).filter(|c| ESCAPED_IN_TARGETS.contains(*c));
        out.push(escaped.unwrap_or('%'));
        rest = &rest[at + if escaped.is_some() { 3 } else { 1 }..];
    }
    out + rest
}

/// Whether a node between runs is no text: what a program notes about spelling and places, or blanks of the file.
fn is_marker(node: Node<'_, '_>) -> bool {
    !node.is_element()
        || matches!(node.tag_name().name(), "proofErr" | "bookmarkStart" | "bookmarkEnd")
}

/// The text of a run that holds nothing else, and some of it.
fn plain_text(run: Node<'_, '_>) -> Option<String> {
    let mut text = String::new();
    for node in run.children().filter(Node::is_element) {
        match node.tag_name().name() {
            "rPr" => {}
            "t" => text.push_str(node.text().unwrap_or_default()),
            _ => return None,
        }
    }
    (!text.is_empty()).then_some(text)
}
