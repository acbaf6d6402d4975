//! Exports of commitments as files, and imports of files as commitments. Child processes ([`crate::worker`]) do the
//! work, with `accord-files` and `accord-import`. This module decides who can have a child started, and which results
//! are kept.
//!
//! - [`printer`] makes files, and keeps those of releases for a while. [`making`] registers the files that are being
//!   made.
//! - [`importer`] reads files.

mod importer;
mod making;
mod printer;

pub(crate) use importer::{Importer, ImporterError, Upload};
pub(crate) use printer::{FileError, Printer};

use crate::fair_queue::QueueLimits;

/// The limits of the queue that files and imports share, in requests: how many can run in child processes at the same
/// time (slots), and how many can wait, run, or have their result in memory (places).
pub(crate) const CONVERSIONS: QueueLimits =
    QueueLimits { slots: 2, anonymous_slots: 1, slots_each: 1, places_each: 4, places: 64 };
