//! People in a plan: their seats and sectors, and the only decision about what a seat permits.

use crate::ids::{PersonId, SessionId};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The side that a person represents.
// Pages show each sector with a hue and a shape of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Sector {
    /// The government's side.
    Government,
    /// The side of civil society.
    CivilSociety,
    /// The private sector, academia, and others who write with the two sides.
    Other,
    /// The OGP Support Unit, and peers from other governments.
    Adviser,
}

impl Sector {
    /// All sectors.
    pub const ALL: [Self; 4] = [Self::Government, Self::CivilSociety, Self::Other, Self::Adviser];

    /// Returns the colour of this sector (`#rrggbb`) for the carets of stock Yjs editors and for PDFs. On light screens and on
    /// paper, the pages have the same colours, in `web/src/styles/tokens.css`.
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

/// The role of a person in a plan. The value `administrator` means that the person runs the installation and has no
/// seat in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Seat {
    /// Writes in the documents, and runs the plan.
    Facilitator,
    /// Writes in the documents.
    Author,
    /// Reads the documents and their history.
    Adviser,
    /// Reads the current text of the documents.
    Observer,
    /// Runs the installation, and acts in a plan without a seat of their own. Nobody can be given this seat.
    Administrator,
}

impl Seat {
    /// All seats, `Administrator` included.
    pub const ALL: [Self; 5] =
        [Self::Facilitator, Self::Author, Self::Adviser, Self::Observer, Self::Administrator];
}

/// An action in a plan, or in one of its documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Read the plan's documents and see who is in them.
    Read,
    /// Write in the plan's documents.
    Write,
    /// Add a document to the plan.
    CreateDocument,
    /// Archive a document, restore it from the archive, or delete it.
    RetireDocument,
    /// Redact a document: remove a passage from its text and from its ledger.
    Redact,
    /// Read the history of a document, deleted text included.
    ReadHistory,
    /// Name a version of a document.
    NameVersion,
    /// Restore an earlier text of a document.
    Restore,
    /// Propose a document for a release, or withdraw one's own proposal.
    Propose,
    /// Sign a release for one's side, or decline to sign it. The person must also be marked as a signatory.
    Sign,
    /// Propose a text with gaps, withdraw other people's proposals, reopen a document, or launch releases.
    SteerReleases,
    /// See who has a seat in the plan.
    SeePeople,
    /// Invite people to the plan, change their seats, or take their seats away.
    ManagePeople,
    /// Rename, close and reopen the plan, and set its quorum.
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

/// Whether a seat permits an action. No other code decides this.
///
/// An administrator runs the installation and reads nobody's drafts. To read or write, an administrator needs another
/// seat in the plan, which everybody in the plan can see.
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
        // Observers read the current text, proposals and releases. The history has all deleted text as well.
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

/// A person's standing in a plan: their seat and sector, and whether they are a signatory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Standing {
    /// The seat of the person.
    pub seat: Seat,
    /// The side that the person represents.
    pub sector: Sector,
    /// Whether the person may sign releases for their side.
    #[serde(default)]
    pub signatory: bool,
}

/// The reason why a seat, a sector and the mark of a signatory do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)] // The message of each variant explains it.
pub enum StandingError {
    #[error("Administrator is not a role in a plan: administrators run the installation.")]
    Administrator,
    #[error(
        "An adviser represents neither side. Their sector must be “adviser”, and nobody else can have it."
    )]
    Adviser,
    #[error(
        "Only an author or facilitator of government or civil society can sign for their side."
    )]
    Signatory,
}

impl Standing {
    /// Returns a standing, after checking it.
    ///
    /// # Errors
    /// Returns an error if the seat, the sector and the mark of a signatory do not go together.
    pub fn new(seat: Seat, sector: Sector, signatory: bool) -> Result<Self, StandingError> {
        let standing = Self { seat, sector, signatory };
        standing.check().map(|()| standing)
    }

    /// Checks that the seat and the sector go together, and that a signatory has a seat and a sector that allow
    /// signing.
    ///
    /// # Errors
    /// Returns an error if the seat, the sector and the mark of a signatory do not go together.
    pub fn check(self) -> Result<(), StandingError> {
        let Self { seat, sector, signatory } = self;
        if seat == Seat::Administrator {
            return Err(StandingError::Administrator);
        }
        // An observer can come from any sector, that of advisers included.
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

/// The person who made an entry, with their seat and sector at that time, as the ledger records them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The person.
    pub person: PersonId,
    /// The seat under which the person acted.
    pub seat: Seat,
    /// The sector of the person. For an administrator without a seat it is [`Sector::Other`], which is neither of the
    /// two sides.
    pub sector: Sector,
    /// The first characters of the id of the person's session. They tell sessions apart, and don't reveal the whole id.
    pub session: SessionId,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares all seats and actions, so that no seat gains an action unnoticed.
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

    /// In the file of the pages, the colours for light screens come before those for dark screens.
    #[test]
    fn a_sector_has_one_colour_on_pages_in_files_and_for_stock_editors() {
        let tokens =
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../web/src/styles/tokens.css"));
        for sector in Sector::ALL {
            let name = serde_json::to_value(sector).unwrap();
            let property = format!("--{}: ", name.as_str().unwrap().replace('_', "-"));
            let value = tokens.split(&property).nth(1).and_then(|rest| rest.split(';').next());
            assert_eq!(value, Some(sector.colour()), "{property}");
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
