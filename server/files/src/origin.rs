//! The origin of a text (draft or release), and the time since which everybody can read it.

use accord_signing::Statement;
use serde::{Deserialize, Serialize};

/// The origin of a text, which is a draft or a release, with the details that a file shows about this origin.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// A draft.
    Draft {
        /// The title of the draft's plan.
        plan_title: &'a str,
        /// The time when the draft was read, in milliseconds since the Unix epoch.
        time: u64,
    },
    /// A release.
    Release {
        /// The signed statement of the release.
        statement: &'a Statement,
        /// The publication of the release, or `None` if it is not public.
        public: Option<&'a Publication>,
        /// The address of the installation, with which the address of the release begins.
        base: &'a str,
    },
}

/// The publication of a release: the time since which everybody can read it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Publication {
    /// The time of publication, in milliseconds since the Unix epoch.
    pub since: u64,
    /// The time zone of the launch, by its IANA name.
    pub zone: String,
}
