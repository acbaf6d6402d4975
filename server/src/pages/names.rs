//! What people, seats, sections and texts are called: as the app calls them.

use accord_document::people::{Seat, Sector};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::LazyLock;

/// One catalogue for both: what a page of the server calls something, the app calls so too.
static ENGLISH: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let json = include_str!("../../../web/src/messages/names.en.json");
    serde_json::from_str(json).expect("a file of this project, read by every test of these pages")
});

/// The name under a whole key; the key itself where there is none.
pub(super) fn known(key: &str) -> String {
    ENGLISH.get(key).cloned().unwrap_or_else(|| key.to_owned())
}

/// The name under a key; the key itself where there is none.
fn name(kind: &str, key: &str) -> String {
    known(&format!("{kind}.{key}"))
}

pub(super) fn sector(sector: Sector) -> String {
    name("sector", &wire(&sector))
}

pub(super) fn seat(seat: Seat) -> String {
    name("seat", &wire(&seat))
}

pub(super) fn section(key: &str) -> String {
    // The title stands above all sections.
    if key == "title" { field(key) } else { name("section", key) }
}

pub(super) fn field(key: &str) -> String {
    name("field", key)
}

/// Who somebody was who has been forgotten since.
pub(super) fn former(sector: Sector) -> String {
    name("person.former", &wire(&sector))
}

/// Somebody by name and side, for where there is no room for a shape; by their side alone, once forgotten.
pub(crate) fn with_side(name: &str, side: Sector) -> String {
    if name.is_empty() { former(side) } else { format!("{name} ({})", sector(side)) }
}

/// How a value without content is written in JSON.
pub(crate) fn wire(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}
