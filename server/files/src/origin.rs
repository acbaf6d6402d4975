//! Where a text comes from, and since when everybody may read it.

use accord_signing::Statement;
use serde::{Deserialize, Serialize};

/// Where a text comes from: what a file says of itself.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// A draft.
    Draft {
        /// The title of its plan.
        plan_title: &'a str,
        /// The moment, in milliseconds since the Unix epoch.
        time: u64,
    },
    /// A release.
    Release {
        /// What was signed.
        statement: &'a Statement,
        /// Where it is public, if it is.
        public: Option<&'a Publication>,
        /// Where browsers find this server.
        base: &'a str,
    },
}

/// Since when everybody may read a release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Publication {
    /// Milliseconds since the Unix epoch.
    pub since: u64,
    /// The time zone of its launch (IANA).
    pub zone: String,
}
