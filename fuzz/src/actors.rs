//! The people of the targets, and the first entry of a ledger.

use accord_document::body::Genesis;
use accord_document::ids::{LineageId, PersonId, SessionId};
use accord_document::ledger::{Entry, RULES};
use accord_document::people::{Actor, Seat, Sector};

/// Returns a person with this name as id, who has a seat.
pub(crate) fn actor(name: &str, seat: Seat) -> Actor {
    Actor {
        person: PersonId::new(name),
        seat,
        sector: Sector::CivilSociety,
        session: SessionId::new("s"),
    }
}

/// Returns entry 0 of a ledger with this schema.
pub(crate) fn genesis(schema: &str) -> Entry {
    let genesis = Genesis {
        lineage: LineageId::new("l"),
        schema: schema.into(),
        language: "en".into(),
        rules: RULES,
    };
    genesis.entry(actor("ana", Seat::Author), 0, [0; 16])
}
