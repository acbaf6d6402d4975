//! Imports: admits people's files, and has each file read by a child process.

use crate::fair_queue::{Busy, FairQueue, Place, QueueLimits, Requester, Slot};
use crate::worker::{Answer, Ending, Job, MAX_JOB_BYTES, WorkError, Workers};
use accord_import::{ImportError, ImportJob, MAX_IMPORT_BYTES, Placed};
use std::borrow::Cow;

/// Limits for files that are being uploaded: at most 128 MiB together, and one file of each person.
const UPLOADS: QueueLimits =
    QueueLimits { slots: 8, anonymous_slots: 0, slots_each: 1, places_each: 4, places: 64 };
const _: () = assert!(UPLOADS.slots * MAX_IMPORT_BYTES <= 128 << 20);
const _: () =
    assert!(MAX_IMPORT_BYTES <= MAX_JOB_BYTES, "a child takes each file that can be uploaded");

/// The reason why a file can't be imported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImporterError {
    #[error("{0}")]
    File(#[from] ImportError),
    #[error("{0}")]
    Busy(#[from] Busy),
    #[error("{0}")]
    Work(#[from] WorkError),
}

/// A service that imports files. Clones share its queues.
#[derive(Debug, Clone)]
pub(crate) struct Importer {
    workers: Workers,
    conversions: FairQueue,
    uploads: FairQueue,
}

/// The permission to upload a file and then to have it read. Dropping it frees its places in both queues.
#[derive(Debug)]
pub(crate) struct Upload {
    place: Place,
    _upload: (Place, Slot),
}

impl Importer {
    /// Creates the service. `conversions` is the queue that making files and reading imports share.
    pub(crate) fn new(workers: Workers, conversions: FairQueue) -> Self {
        Self { workers, conversions, uploads: FairQueue::new(UPLOADS) }
    }

    /// Admits a file before it is read from the network.
    ///
    /// # Errors
    /// Returns an error if too many requests are waiting or running.
    pub(crate) async fn admit(&self, requester: &Requester) -> Result<Upload, Busy> {
        let place = self.conversions.place(requester)?;
        let upload = self.uploads.place(requester)?;
        let slot = upload.slot().await?;
        Ok(Upload { place, _upload: (upload, slot) })
    }

    /// Converts a file to the fields of a commitment. Returns the fields and the requester's place in the queue for
    /// heavy work, which the requester holds until the caller drops the place. Dropping the future ends the work.
    ///
    /// # Errors
    /// Returns an error if the file can't be read, or if no slot is free in time.
    pub(crate) async fn read(
        &self,
        upload: Upload,
        name: &str,
        language: &str,
        file: Vec<u8>,
    ) -> Result<(Placed, Place), ImporterError> {
        let slot = upload.place.slot().await?;
        let job = ImportJob { name: Cow::Borrowed(name), language: Cow::Borrowed(language) };
        match self.workers.run(slot, Job::Import(job), file).await? {
            (Answer::Import(placed), _) => Ok(((*placed).into(), upload.place)),
            (Answer::NoImport(error), _) => Err(error.into()),
            _ => Err(WorkError::Ended(Ending::InvalidAnswer).into()),
        }
    }
}
