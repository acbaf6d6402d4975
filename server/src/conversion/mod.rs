//! Files of commitments, and commitments of files, for those who ask. Child processes make and read them ([`crate::worker`]),
//! with `accord-files` and `accord-import`; here it is decided who may have one started, and what is kept.
//!
//! - [`printer`] makes files, and keeps those of releases for a while; [`making`] has the ones that are being made.
//! - [`importer`] reads files.

mod importer;
mod making;
mod printer;

pub(crate) use importer::{Importer, ImporterError, Upload};
pub(crate) use printer::{FileError, Printer};

use crate::fair_queue::QueueLimits;

/// Slots and places for files and imports together.
pub(crate) const HEAVY: QueueLimits =
    QueueLimits { slots: 2, anonymous_slots: 1, slots_each: 1, places_each: 4, places: 64 };
