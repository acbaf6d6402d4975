//! Launches: releases of a plan that become public together, immediately or at a later time.
//!
//! A launch names the digests of its releases. Publication is an act of its own, so a clock that is set back after the
//! publication does not make a release private again.

use crate::body::LaunchedRelease;
use crate::ids::{PersonId, Seq};
use thiserror::Error;

/// Maximum length of a time zone's name, in bytes.
const MAX_ZONE_BYTES: usize = 64;

/// Maximum distance of a requested launch time in the past, in milliseconds. A time in the past is replaced by the
/// present time. It is accepted because clocks differ, and because a person needs some seconds to read what they
/// confirm.
const MAX_PAST_MS: u64 = 60_000;

/// Maximum distance of a launch time in the future, in milliseconds: a hundred years, leap days included. The web page
/// allows only ten years. A program can have reasons for a later launch, but a year such as 20260 is a mistake.
const MAX_AHEAD_MS: u64 = 36_525 * 86_400_000;

/// The reason why a launch can't have the requested time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)] // The message of each variant explains it.
pub enum LaunchTimeError {
    #[error("in the past")]
    Past,
    #[error("more than a hundred years ahead")]
    Far,
}

/// Returns the time at which a new launch opens: the requested time, or now if no time is requested. The result is never in the
/// past. All times are in milliseconds since the Unix epoch.
///
/// Call this function before a launch is appended, and never at a replay, because launches in older ledgers can have any time.
///
/// # Errors
/// Returns an error if the time is more than a minute in the past, or more than a hundred years in the future.
pub fn opening(wanted: Option<u64>, now: u64) -> Result<u64, LaunchTimeError> {
    let wanted = wanted.unwrap_or(now);
    if wanted.saturating_add(MAX_PAST_MS) < now {
        return Err(LaunchTimeError::Past);
    }
    if wanted > now.saturating_add(MAX_AHEAD_MS) {
        return Err(LaunchTimeError::Far);
    }
    Ok(wanted.max(now))
}

/// The state of a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaunchStatus {
    /// The launch waits for its time.
    Waiting,
    /// The releases became public at this time, in milliseconds since the Unix epoch.
    Published(u64),
    /// The launch was called off at this time, in milliseconds since the Unix epoch.
    CalledOff(u64),
}

/// A decision to make releases of a plan public together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// Number of the entry that decided the launch. It identifies the launch within its plan.
    pub seq: Seq,
    /// The person who decided the launch.
    pub by: PersonId,
    /// The time of the decision, in milliseconds since the Unix epoch.
    pub time: u64,
    /// The releases that become public together.
    pub releases: Vec<LaunchedRelease>,
    /// The time that was chosen for the launch, in milliseconds since the Unix epoch. In older ledgers it can be before
    /// [`time`](Self::time). People see [`public_from`](Self::public_from) instead.
    pub opens_at: u64,
    /// The time zone in which the launch time was chosen, by its IANA name.
    pub zone: String,
    /// Whether the launch is waiting, published or called off.
    pub status: LaunchStatus,
}

impl Launch {
    /// Whether the launch was not called off: its releases are public, or will become public.
    #[must_use]
    pub fn holds(&self) -> bool {
        !matches!(self.status, LaunchStatus::CalledOff(_))
    }

    /// Whether the releases are public.
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self.status, LaunchStatus::Published(_))
    }

    /// Returns the time from which the releases are or will be public, in milliseconds since the Unix epoch. This time is the
    /// only one that people see, and is never before the decision, nor before the publication in the ledger.
    #[must_use]
    pub fn public_from(&self) -> u64 {
        let decided = self.opens_at.max(self.time);
        match self.status {
            LaunchStatus::Published(time) => decided.max(time),
            LaunchStatus::Waiting | LaunchStatus::CalledOff(_) => decided,
        }
    }

    /// Whether the launch is waiting and its time has come. `now` is in milliseconds since the Unix epoch.
    #[must_use]
    pub fn is_due(&self, now: u64) -> bool {
        self.status == LaunchStatus::Waiting && now >= self.opens_at
    }
}

/// Whether releases and a time zone can form a launch: at least one release, each document at most once, and a
/// plausible name of a zone.
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
            (Some(NOW - MAX_PAST_MS), Ok(NOW)),
            (Some(NOW - MAX_PAST_MS - 1), Err(LaunchTimeError::Past)),
            (Some(0), Err(LaunchTimeError::Past)),
            (Some(NOW + 1), Ok(NOW + 1)),
            (Some(NOW + MAX_AHEAD_MS), Ok(NOW + MAX_AHEAD_MS)),
            (Some(NOW + MAX_AHEAD_MS + 1), Err(LaunchTimeError::Far)),
            (Some(u64::MAX), Err(LaunchTimeError::Far)),
        ] {
            assert_eq!(opening(wanted, NOW), expect, "{wanted:?}");
        }
    }

    #[test]
    fn the_date_that_is_told_is_the_one_at_which_it_became_public() {
        let launch = |opens_at, status| Launch {
            seq: Seq(1),
            by: PersonId::new("fay"),
            time: 500,
            releases: Vec::new(),
            opens_at,
            zone: "UTC".into(),
            status,
        };
        assert_eq!(launch(900, LaunchStatus::Waiting).public_from(), 900);
        assert_eq!(launch(900, LaunchStatus::Published(901)).public_from(), 901);
        // The launch has a time in the past, as older versions allowed.
        assert_eq!(launch(3, LaunchStatus::Published(501)).public_from(), 501);
        assert_eq!(launch(3, LaunchStatus::Waiting).public_from(), 500);
        // The clock was set back between the decision and the publication.
        assert_eq!(launch(3, LaunchStatus::Published(400)).public_from(), 500);
    }
}
