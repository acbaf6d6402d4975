//! Recognises the destination of a link, which Accord's Word files show after the words of the link. A destination is
//! not an author's text, so an import leaves it out. Other text in the same style is kept, because people copy runs
//! with their style, and files of other programs can have a style of the same name.

use super::nodes::{child, value};
use accord_document::readable::address;
use accord_words::styles::{DESTINATION_STYLE, ESCAPED_IN_TARGETS};
use roxmltree::Node;

/// Returns the number of runs, from `first` on, that together show the destination of the link before them, or 0 if the
/// text is an author's. The runs must have the style that Accord uses for destinations, and contain exactly what
/// Accord's writer adds after that link. There can be several, because Word splits runs.
pub(super) fn runs_of_destination(first: Node<'_, '_>, address: &str) -> usize {
    let expected = [shown_destination(address), shown_destination(&before_escaping(address))];
    let runs = first.next_siblings().filter(|node| !is_marker(*node));
    let mut found = String::new();
    for (at, run) in runs.take_while(|node| has_style(*node)).enumerate() {
        let Some(text) = plain_text(run) else { return 0 };
        found.push_str(&text);
        if expected.contains(&found) {
            return at + 1;
        }
        if !expected.iter().any(|expected| expected.starts_with(&found)) {
            return 0;
        }
    }
    0
}

/// Whether a node is a run in the style that Accord uses for destinations.
pub(super) fn has_style(node: Node<'_, '_>) -> bool {
    let style = || child(node, "rPr").and_then(|all| value(all, "rStyle"));
    node.tag_name().name() == "r" && style() == Some(DESTINATION_STYLE)
}

/// Returns the text that Accord's writer of Word files adds after a link to this address.
fn shown_destination(address: &str) -> String {
    format!(" ({})", address::destination(address))
}

/// Returns an address as it was before Accord's writer escaped it for the target of a relationship. The writer escapes
/// some ASCII characters there, but shows them unescaped after the link.
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

/// Whether a node between runs is not text: a mark of the spelling checker, a bookmark, or white space of the file.
fn is_marker(node: Node<'_, '_>) -> bool {
    !node.is_element()
        || matches!(node.tag_name().name(), "proofErr" | "bookmarkStart" | "bookmarkEnd")
}

/// Returns the text of a run, or `None` if the run is empty or contains anything other than text.
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
