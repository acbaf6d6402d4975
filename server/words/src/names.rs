//! The English names of sides, seats, sections and fields: those that the application shows.

use crate::wire;
use accord_document::people::{Seat, Sector};
use std::collections::HashMap;
use std::sync::LazyLock;

/// One catalogue for both: the pages of the server use the same names as the application.
static ENGLISH: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let json = include_str!("../../../web/src/messages/names.en.json");
    serde_json::from_str(json).expect("a file of this project, read by every test of this crate")
});

/// The name under a whole key; the key itself where there is none.
pub(crate) fn known(key: &str) -> String {
    ENGLISH.get(key).cloned().unwrap_or_else(|| key.to_owned())
}

/// The name under a key; the key itself where there is none.
fn name(kind: &str, key: &str) -> String {
    known(&format!("{kind}.{key}"))
}

/// The name of a side.
#[must_use]
pub fn sector(sector: Sector) -> String {
    name("sector", &wire(&sector))
}

/// The name of a role in a plan.
#[must_use]
pub fn seat(seat: Seat) -> String {
    name("seat", &wire(&seat))
}

/// The name of a section of the form, by its key.
#[must_use]
pub fn section(key: &str) -> String {
    // The title stands above all sections.
    if key == "title" { field(key) } else { name("section", key) }
}

/// The name of a field of the form, by its key.
#[must_use]
pub fn field(key: &str) -> String {
    name("field", key)
}

/// What to call a person of a side whose name has been erased.
#[must_use]
pub fn former(sector: Sector) -> String {
    name("person.former", &wire(&sector))
}

/// A person by name and side, where there is no room for a shape. A person whose name has been erased is called by their
/// side alone.
#[must_use]
pub fn with_side(name: &str, side: Sector) -> String {
    if name.is_empty() { former(side) } else { format!("{name} ({})", sector(side)) }
}
