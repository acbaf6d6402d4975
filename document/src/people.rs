//! Who acts: sectors, seats, and the one decision about what a seat may do.

use crate::ids::{PersonId, SessionId};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The side a person sits for.
// Pages show it by one hue and one shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Sector {
    /// The government's side.
    Government,
    /// The side of civil society.
    CivilSociety,
    /// Private sector, academia, and others who write along.
    Other,
    /// The OGP Support Unit and peers from other governments.
    Adviser,
}

impl Sector {
    /// All sectors.
    pub const ALL: [Self; 4] = [Self::Government, Self::CivilSociety, Self::Other, Self::Adviser];

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

/// What a person is in a plan. `administrator`: runs the installation and has no seat in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Seat {
    /// Writes, and runs the plan.
    Facilitator,
    /// Writes.
    Author,
    /// Reads, the history too.
    Adviser,
    /// Reads what a text says now.
    Observer,
    /// An administrator of the installation who acts in a plan without a seat of their own. It is no seat that can be given.
    Administrator,
}

impl Seat {
    /// All seats.
    pub const ALL: [Self; 5] =
        [Self::Facilitator, Self::Author, Self::Adviser, Self::Observer, Self::Administrator];
}

/// What somebody wants to do in a plan or with one of its documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Read the plan's documents and see who is in them.
    Read,
    /// Write in the plan's documents.
    Write,
    /// Add a document to the plan.
    CreateDocument,
    /// Archive a document, take it back, delete it.
    RetireDocument,
    /// Take a passage out of what is stored.
    Redact,
    /// Read what a document said before, deleted text included.
    ReadHistory,
    /// Give a moment of a document a name.
    NameVersion,
    /// Make a document say again what it said.
    Restore,
    /// Propose a document for a release, and take that back.
    Propose,
    /// Sign a release for one's side, or decline to: only who is marked as signatory.
    Sign,
    /// Propose what has gaps, withdraw what others proposed, begin the next draft, launch.
    SteerReleases,
    /// See who sits in the plan.
    SeePeople,
    /// Invite, change seats, end them.
    ManagePeople,
    /// Name, close and reopen the plan.
    ManagePlan,
    /// Read the audit record of the plan.
    ReadAudit,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 15] = [
        Self::Read,
        Self::Write,
        Self::CreateDocument,
        Self::RetireDocument,
        Self::Redact,
        Self::ReadHistory,
        Self::NameVersion,
        Self::Restore,
        Self::Propose,
        Self::Sign,
        Self::SteerReleases,
        Self::SeePeople,
        Self::ManagePeople,
        Self::ManagePlan,
        Self::ReadAudit,
    ];
}

/// The one place that decides what a seat may do.
///
/// An administrator runs the installation and reads nobody's drafts: to read or write they must be
/// seated, which everybody in the plan can see.
#[must_use]
pub fn permits(seat: Seat, action: Action) -> bool {
    match action {
        Action::Read => seat != Seat::Administrator,
        Action::Write
        | Action::CreateDocument
        | Action::NameVersion
        | Action::Restore
        | Action::Propose
        | Action::Sign => matches!(seat, Seat::Facilitator | Seat::Author),
        // Observers see what a text says, not what it once said.
        Action::ReadHistory => matches!(seat, Seat::Facilitator | Seat::Author | Seat::Adviser),
        Action::RetireDocument | Action::Redact | Action::SteerReleases => {
            seat == Seat::Facilitator
        }
        Action::SeePeople => true,
        Action::ManagePeople | Action::ManagePlan | Action::ReadAudit => {
            matches!(seat, Seat::Facilitator | Seat::Administrator)
        }
    }
}

/// A person's place in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Standing {
    /// The seat.
    pub seat: Seat,
    /// The side that the person sits for.
    pub sector: Sector,
    /// Whether this person may approve a freeze for their sector.
    #[serde(default)]
    pub signatory: bool,
}

/// Why there is no such place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)] // Their sentences say it.
pub enum StandingError {
    #[error("Nobody can be seated as administrator: an administrator runs the installation.")]
    Administrator,
    #[error("An adviser sits for no side: their sector is “adviser”, and it is theirs alone.")]
    Adviser,
    #[error(
        "Only an author or facilitator of government or civil society can sign for their side."
    )]
    Signatory,
}

impl Standing {
    /// A seat for a sector, with or without the right to sign.
    ///
    /// # Errors
    /// With what does not fit.
    pub fn new(seat: Seat, sector: Sector, signatory: bool) -> Result<Self, StandingError> {
        let standing = Self { seat, sector, signatory };
        standing.check().map(|()| standing)
    }

    /// Checks that this seat and sector may exist together, and that a signatory may have them.
    ///
    /// # Errors
    /// With what does not fit.
    pub fn check(self) -> Result<(), StandingError> {
        let Self { seat, sector, signatory } = self;
        if seat == Seat::Administrator {
            return Err(StandingError::Administrator);
        }
        // An observer may be anybody, an adviser among them.
        if seat != Seat::Observer && (seat == Seat::Adviser) != (sector == Sector::Adviser) {
            return Err(StandingError::Adviser);
        }
        let signs = matches!(seat, Seat::Author | Seat::Facilitator)
            && matches!(sector, Sector::Government | Sector::CivilSociety);
        if signatory && !signs {
            return Err(StandingError::Signatory);
        }
        Ok(())
    }
}

/// Under which person, seat and sector something was accepted: what the ledger records.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The person.
    pub person: PersonId,
    /// The seat under which they acted.
    pub seat: Seat,
    /// An administrator without a seat acts for no side: [`Sector::Other`].
    pub sector: Sector,
    /// A part of the id of their session.
    pub session: SessionId,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table, so that no seat gains anything unnoticed.
    #[test]
    fn every_seat_may_do_what_this_table_says_and_nothing_else() {
        use Action::*;
        let table: [(Seat, &[Action]); 5] = [
            (Seat::Facilitator, &Action::ALL),
            (
                Seat::Author,
                &[
                    Read,
                    Write,
                    CreateDocument,
                    SeePeople,
                    ReadHistory,
                    NameVersion,
                    Restore,
                    Propose,
                    Sign,
                ],
            ),
            (Seat::Adviser, &[Read, SeePeople, ReadHistory]),
            (Seat::Observer, &[Read, SeePeople]),
            (Seat::Administrator, &[SeePeople, ManagePeople, ManagePlan, ReadAudit]),
        ];
        for (seat, may) in table {
            for action in Action::ALL {
                assert_eq!(permits(seat, action), may.contains(&action), "{seat:?} {action:?}");
            }
        }
    }

    #[test]
    fn seat_sector_and_mark_must_go_together() {
        use Sector::*;
        let ok = |seat, sector, signs| Standing::new(seat, sector, signs).is_ok();
        assert!(ok(Seat::Author, CivilSociety, true));
        assert!(ok(Seat::Facilitator, Government, true));
        assert!(ok(Seat::Author, Other, false));
        assert!(ok(Seat::Adviser, Adviser, false));
        assert!(ok(Seat::Observer, Adviser, false));
        assert!(!ok(Seat::Author, Other, true), "the other sectors sign nothing");
        assert!(!ok(Seat::Observer, Government, true));
        assert!(!ok(Seat::Author, Adviser, false));
        assert!(!ok(Seat::Adviser, Government, false));
        assert!(!ok(Seat::Administrator, Government, false));
    }
}
