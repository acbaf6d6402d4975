//! Opening a document. The state is restored from the last checkpoint, and the later entries are applied to it in
//! order. Without a checkpoint, the whole ledger is applied. If the stop of the server interrupted a redaction, the
//! redaction is finished before the room opens, so that nothing of the redacted text is shown.

use super::{OpenError, Rooms};
use crate::replay::{Replayed, decode, editor, replay_stored};
use crate::store::entries;
use accord_document::body::Redaction;
use accord_document::ids::{DocumentId, LedgerId, Seq};
use accord_document::state::DocumentState;

/// Write a checkpoint when at least this many entries would have to be replayed.
pub(super) const CHECKPOINT_AFTER_ENTRIES: usize = 256;

impl Rooms {
    pub(super) fn load(&self, document: &DocumentId) -> Result<Replayed, OpenError> {
        let ledger = LedgerId::Document(document.clone());
        let replayed = match self.resume(&ledger)? {
            Some(resumed) => resumed,
            None => replay_stored(&*self.shared.store, &ledger)?,
        };
        let mut blanked = Vec::new();
        for (seq, ranges) in replayed.state.unfinished_redactions() {
            tracing::warn!(%document, entry = %seq, "finishing a redaction");
            let entry = self.shared.store.entry(&ledger, seq)?.map(|bytes| decode(seq, &bytes));
            let entry = entry.map(|entry| entry.map_err(OpenError::from));
            blanked.extend(Redaction::of(String::new(), ranges, entry)?.1);
        }
        if blanked.is_empty() {
            if replayed.behind >= CHECKPOINT_AFTER_ENTRIES {
                // A checkpoint only saves time later. Without one, for example on a full disk, the document can still
                // be read.
                let kept = self.shared.store.keep_checkpoint(&ledger, &replayed.state.checkpoint());
                if let Err(error) = kept {
                    tracing::warn!(%document, %error, "no checkpoint is kept");
                }
            }
            return Ok(replayed);
        }
        self.rewrite(document, &blanked)?;
        self.load(document)
    }

    /// Opens a ledger from its last checkpoint. Returns `None` if there is no checkpoint, if the checkpoint is damaged
    /// or of another version, or if it is not a state of this ledger.
    fn resume(&self, ledger: &LedgerId) -> Result<Option<Replayed>, OpenError> {
        let Some(kept) = self.shared.store.checkpoint(ledger)? else { return Ok(None) };
        let Some(state) = DocumentState::resume(&kept) else { return Ok(None) };
        let seq = state.position().seq;
        // The checkpoint belongs to this ledger if the entry at its position has the checkpoint's head as its hash.
        let Some(bytes) = self.shared.store.entry(ledger, seq)? else { return Ok(None) };
        let first = decode(seq, &bytes)?;
        if first.hash() != state.position().head {
            return Ok(None);
        }
        let newer = entries(&*self.shared.store, ledger, Seq(seq.0 + 1));
        let replayed = Replayed::resume(Some(state), editor(&first), newer)?;
        replayed.state.check_blanked()?;
        Ok(Some(replayed))
    }
}
