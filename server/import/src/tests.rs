//! Tests of whole imports, grouped by the kind of file.

mod forms;
mod hostile;
mod our_files;
mod random;
mod word;

use crate::import::import;
use crate::place::Placed;
use accord_document::model::Replica;
use accord_document::model::content::Content;
use accord_document::model::seed;

/// Returns the content of a document created from an imported draft.
fn content(placed: &Placed) -> Content {
    let mut replica = Replica::new(7);
    replica.apply(&seed(1, &placed.draft)).unwrap();
    replica.content()
}

fn markdown(text: &str) -> (Placed, Content) {
    let placed = import("draft.md", text.as_bytes(), "en").unwrap();
    let content = content(&placed);
    (placed, content)
}
