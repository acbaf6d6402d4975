//! Launches: releases of a plan that become public together, at once or at a time.
//!
//! A launch names the digests of its releases. Publication is an act of its own: once it stands in the ledger
//! a clock that is set back unpublishes nothing.

use crate::ids::{Digest, DocumentId, PersonId, Seq};
use serde::{Deserialize, Serialize};

/// The longest name of a time zone, in bytes.
const ZONE: usize = 64;

/// A release that is launched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launched {
    pub document: DocumentId,
    pub number: u32,
    pub digest: Digest,
}

/// What became of a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaunchFate {
    Waiting,
    /// When, in milliseconds since the Unix epoch.
    Published(u64),
    CalledOff(u64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The entry that says so: its name.
    pub seq: Seq,
    pub by: PersonId,
    /// When it was decided, in milliseconds since the Unix epoch.
    pub time: u64,
    pub releases: Vec<Launched>,
    /// When it is to be public.
    pub opens: u64,
    /// The time zone in which that was said (IANA).
    pub zone: String,
    pub fate: LaunchFate,
}

impl Launch {
    /// Whether its releases are public, or will be.
    #[must_use]
    pub fn holds(&self) -> bool {
        !matches!(self.fate, LaunchFate::CalledOff(_))
    }

    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self.fate, LaunchFate::Published(_))
    }

    /// Whether it waits for a time that has come.
    #[must_use]
    pub fn is_due(&self, now: u64) -> bool {
        self.fate == LaunchFate::Waiting && now >= self.opens
    }
}

/// Whether something can be a launch: each document once, and a zone that can be one.
pub(super) fn is_possible(releases: &[Launched], zone: &str) -> bool {
    let mut documents: Vec<_> = releases.iter().map(|release| &release.document).collect();
    documents.sort();
    documents.dedup();
    let fits = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
    let is_zone = !zone.is_empty() && zone.len() <= ZONE && zone.chars().all(fits);
    !releases.is_empty() && documents.len() == releases.len() && is_zone
}
