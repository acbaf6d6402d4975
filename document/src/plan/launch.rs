//! Launches: releases of a plan that become public together, at once or at a time.
//!
//! A launch names the digests of its releases. Publication is an act of its own: once it stands in the ledger
//! a clock that is set back unpublishes nothing.

use crate::body::LaunchedRelease;
use crate::ids::{PersonId, Seq};
use thiserror::Error;

/// The longest name of a time zone, in bytes.
const MAX_ZONE_BYTES: usize = 64;

/// How far a time may lie in the past and still mean now, in milliseconds: clocks differ, and a person takes a
/// moment to read what they confirm.
const TOLERANCE_MS: u64 = 60_000;

/// How far ahead a launch may lie, in milliseconds: a hundred years, leap days included. The page asks for less than
/// ten; a program may have a reason that we don't know, but not for the year 20260.
const MAX_AHEAD_MS: u64 = 36_525 * 86_400_000;

/// Why a launch can't have the time that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)] // Their sentences say it.
pub enum Untimely {
    #[error("in the past")]
    Past,
    #[error("more than a hundred years ahead")]
    Far,
}

/// When a new launch opens: at the time that is asked for, or now where none is. It never lies in the past. Asked before
/// a launch is appended, and not at a replay: older ledgers hold launches of any time. All times in milliseconds since
/// the Unix epoch.
///
/// # Errors
/// When the time is in the past by more than a minute, or more than a hundred years ahead.
pub fn opening(wanted: Option<u64>, now: u64) -> Result<u64, Untimely> {
    let wanted = wanted.unwrap_or(now);
    if wanted.saturating_add(TOLERANCE_MS) < now {
        return Err(Untimely::Past);
    }
    if wanted > now.saturating_add(MAX_AHEAD_MS) {
        return Err(Untimely::Far);
    }
    Ok(wanted.max(now))
}

/// What became of a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaunchStatus {
    /// Its time has not come yet.
    Waiting,
    /// When, in milliseconds since the Unix epoch.
    Published(u64),
    /// It was called off, at a time in milliseconds since the Unix epoch.
    CalledOff(u64),
}

/// A launch of releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The entry that says so: its name.
    pub seq: Seq,
    /// The person who decided it.
    pub by: PersonId,
    /// When it was decided, in milliseconds since the Unix epoch.
    pub time: u64,
    /// The releases that become public together.
    pub releases: Vec<LaunchedRelease>,
    /// When it was said to be public, whenever that was decided: in older ledgers also a time before [`time`](Self::time).
    /// What people are told is [`public_from`](Self::public_from).
    pub opens: u64,
    /// The time zone in which that was said (IANA).
    pub zone: String,
    /// Whether it waits, is public or was called off.
    pub fate: LaunchStatus,
}

impl Launch {
    /// Whether its releases are public, or will be.
    #[must_use]
    pub fn holds(&self) -> bool {
        !matches!(self.fate, LaunchStatus::CalledOff(_))
    }

    /// Whether its releases are public.
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self.fate, LaunchStatus::Published(_))
    }

    /// The moment from which its releases are public, or will be, in milliseconds since the Unix epoch: the one date that
    /// people are told. It is never before the launch was decided, nor before the ledger says that it is public.
    #[must_use]
    pub fn public_from(&self) -> u64 {
        let decided = self.opens.max(self.time);
        match self.fate {
            LaunchStatus::Published(time) => decided.max(time),
            LaunchStatus::Waiting | LaunchStatus::CalledOff(_) => decided,
        }
    }

    /// Whether it waits for a time that has come.
    #[must_use]
    pub fn is_due(&self, now: u64) -> bool {
        self.fate == LaunchStatus::Waiting && now >= self.opens
    }
}

/// Whether something can be a launch: each document once, and a zone that can be one.
pub(super) fn is_possible(releases: &[LaunchedRelease], zone: &str) -> bool {
    let mut documents: Vec<_> = releases.iter().map(|release| &release.document).collect();
    documents.sort();
    documents.dedup();
    let fits = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
    let is_zone = !zone.is_empty() && zone.len() <= MAX_ZONE_BYTES && zone.chars().all(fits);
    !releases.is_empty() && documents.len() == releases.len() && is_zone
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    #[test]
    fn a_launch_opens_now_or_within_a_hundred_years() {
        for (wanted, expect) in [
            (None, Ok(NOW)),
            (Some(NOW), Ok(NOW)),
            (Some(NOW - TOLERANCE_MS), Ok(NOW)),
            (Some(NOW - TOLERANCE_MS - 1), Err(Untimely::Past)),
            (Some(0), Err(Untimely::Past)),
            (Some(NOW + 1), Ok(NOW + 1)),
            (Some(NOW + MAX_AHEAD_MS), Ok(NOW + MAX_AHEAD_MS)),
            (Some(NOW + MAX_AHEAD_MS + 1), Err(Untimely::Far)),
            (Some(u64::MAX), Err(Untimely::Far)),
        ] {
            assert_eq!(opening(wanted, NOW), expect, "{wanted:?}");
        }
    }

    #[test]
    fn the_date_that_is_told_is_the_one_at_which_it_became_public() {
        let launch = |opens, fate| Launch {
            seq: Seq(1),
            by: PersonId::new("fay"),
            time: 500,
            releases: Vec::new(),
            opens,
            zone: "UTC".into(),
            fate,
        };
        assert_eq!(launch(900, LaunchStatus::Waiting).public_from(), 900);
        assert_eq!(launch(900, LaunchStatus::Published(901)).public_from(), 901);
        // LaunchedRelease for a day long gone, as older versions allowed.
        assert_eq!(launch(3, LaunchStatus::Published(501)).public_from(), 501);
        assert_eq!(launch(3, LaunchStatus::Waiting).public_from(), 500);
        // The clock was set back before it was published.
        assert_eq!(launch(3, LaunchStatus::Published(400)).public_from(), 500);
    }
}
