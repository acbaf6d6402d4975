//! The English names of sides, roles, sections and fields, as the application shows them.

use crate::wire_name;
use accord_document::people::{Seat, Sector};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The catalogue of English names. The server's pages and the application share it, so that both use the same names.
static ENGLISH: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let json = include_str!("../../../web/src/messages/names.en.json");
    serde_json::from_str(json).expect("a file of this project, read by every test of this crate")
});

/// Returns the English name under a complete key such as `sector.government`, or the key itself if there is no such
/// name.
pub(crate) fn known(key: &str) -> String {
    ENGLISH.get(key).cloned().unwrap_or_else(|| key.to_owned())
}

/// Returns the English name under the key `kind.key`, or `kind.key` itself if there is no such name.
fn name(kind: &str, key: &str) -> String {
    known(&format!("{kind}.{key}"))
}

/// Returns the name of a side.
#[must_use]
pub fn sector(sector: Sector) -> String {
    name("sector", &wire_name(&sector))
}

/// Returns the name of a role in a plan.
#[must_use]
pub fn seat(seat: Seat) -> String {
    name("seat", &wire_name(&seat))
}

/// Returns the name of a section of the form, by its key.
#[must_use]
pub fn section(key: &str) -> String {
    // The title is a field of its own, above all sections.
    if key == "title" { field(key) } else { name("section", key) }
}

/// Returns the name of a field of the form, by its key.
#[must_use]
pub fn field(key: &str) -> String {
    name("field", key)
}

/// Returns the name for a person of this side whose own name has been erased.
#[must_use]
pub fn former(sector: Sector) -> String {
    name("person.former", &wire_name(&sector))
}

/// Returns a person's name with their side in words, for places without room for the shape of the side. A person whose
/// name has been erased is called by their side alone.
#[must_use]
pub fn with_side(name: &str, side: Sector) -> String {
    if name.is_empty() { former(side) } else { format!("{name} ({})", sector(side)) }
}
