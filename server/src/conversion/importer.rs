//! Imports for those who ask: each file is read by a child process.

use crate::fair_queue::{Busy, FairQueue, Place, QueueLimits, Requester, Slot};
use crate::worker::{Answer, Ending, Job, WorkError, Workers};
use accord_import::{ImportError, ImportJob, MAX_IMPORT_BYTES, Placed};
use std::borrow::Cow;

/// Files that may be on their way to the server: at most 128 MiB at once, and one of each person.
const UPLOADS: QueueLimits =
    QueueLimits { slots: 8, anonymous_slots: 0, slots_each: 1, places_each: 4, places: 64 };
const _: () = assert!(UPLOADS.slots * MAX_IMPORT_BYTES <= 128 << 20);

/// Why a file is not imported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImporterError {
    #[error("{0}")]
    File(#[from] ImportError),
    #[error("{0}")]
    Busy(#[from] Busy),
    #[error("{0}")]
    Work(#[from] WorkError),
}

/// Reads files. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Importer {
    workers: Workers,
    heavy: FairQueue,
    uploads: FairQueue,
}

/// The right to send a file, and then to have it read.
#[derive(Debug)]
pub(crate) struct Upload {
    place: Place,
    _upload: (Place, Slot),
}

impl Importer {
    /// `heavy` is the queue of all heavy work.
    pub(crate) fn new(workers: Workers, heavy: FairQueue) -> Self {
        Self { workers, heavy, uploads: FairQueue::new(UPLOADS) }
    }

    /// Admits a file that is not read from the network yet.
    ///
    /// # Errors
    /// When too much is under way.
    pub(crate) async fn admit(&self, requester: &Requester) -> Result<Upload, Busy> {
        let place = self.heavy.place(requester)?;
        let upload = self.uploads.place(requester)?;
        let slot = upload.slot().await?;
        Ok(Upload { place, _upload: (upload, slot) })
    }

    /// Makes a commitment of a file, with the place that counts against who asked for it. Dropping the future ends
    /// the work.
    ///
    /// # Errors
    /// When it can't be read.
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
            _ => Err(WorkError::Ended(Ending::Nonsense).into()),
        }
    }
}
