//! Who acts: sectors, seats, and the one decision about what a seat may do.

use crate::ids::{PersonId, SessionId};
use serde::{Deserialize, Serialize};

/// The side a person sits for. Shown everywhere by one hue *and* one shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sector {
    Government,
    CivilSociety,
    /// Private sector, academia, and whoever else writes along.
    Other,
    /// The OGP Support Unit and peers from other governments.
    Adviser,
}

impl Sector {
    /// The colour stock Yjs editors paint this sector's carets in (`#rrggbb`).
    #[must_use]
    pub fn colour(self) -> &'static str {
        match self {
            Self::Government => "#2456a6",
            Self::CivilSociety => "#a8461c",
            Self::Other => "#6b4c9a",
            Self::Adviser => "#47703c",
        }
    }
}

/// What a person is in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seat {
    Facilitator,
    Author,
    Adviser,
    Observer,
}

/// What somebody wants to do with a plan or a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Read,
    Write,
    CreateDocument,
}

/// The one place that decides what a seat may do.
#[must_use]
pub fn permits(seat: Seat, action: Action) -> bool {
    match (seat, action) {
        (_, Action::Read) => true,
        (Seat::Facilitator | Seat::Author, Action::Write | Action::CreateDocument) => true,
        (Seat::Adviser | Seat::Observer, Action::Write | Action::CreateDocument) => false,
    }
}

/// Under which person, seat and sector something was accepted: what the ledger records.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    pub person: PersonId,
    pub seat: Seat,
    pub sector: Sector,
    pub session: SessionId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_facilitators_and_authors_write() {
        for (seat, writes) in [
            (Seat::Facilitator, true),
            (Seat::Author, true),
            (Seat::Adviser, false),
            (Seat::Observer, false),
        ] {
            assert_eq!(permits(seat, Action::Write), writes, "{seat:?}");
            assert!(permits(seat, Action::Read), "{seat:?}");
        }
    }
}
