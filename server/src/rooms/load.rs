//! Opening a document: its last checkpoint and the entries behind it, or its whole ledger, applied in order. A redaction
//! that a stop has interrupted is finished first, so that nothing is shown of what it takes out.

use super::{OpenError, Rooms};
use crate::store::{Store, StoreError, for_each_entry};
use accord_document::body::Redaction;
use accord_document::ids::{DocumentId, LedgerId, PersonId, Seq};
use accord_document::ledger::{Entry, LedgerError};
use accord_document::state::DocumentState;

/// Write a checkpoint when at least this many entries would have to be replayed.
pub(super) const CHECKPOINT_AFTER_ENTRIES: usize = 256;

impl Rooms {
    pub(super) fn load(&self, document: &DocumentId) -> Result<Replayed, OpenError> {
        let ledger = LedgerId::Document(document.clone());
        let replayed = match self.resume(&ledger)? {
            Some(resumed) => resumed,
            None => replay_upto(&*self.shared.store, &ledger, Seq(u64::MAX))?,
        };
        let mut blanked = Vec::new();
        for (seq, ranges) in replayed.state.unfinished_redactions() {
            tracing::warn!(%document, entry = %seq, "finishing a redaction");
            let entries = self.shared.store.read(&ledger, seq)?;
            let entry = entries.first().map(|bytes| decode(seq, bytes)).transpose()?;
            let made = Redaction::of(String::new(), ranges, &entry);
            blanked.extend(made.map_err(|error| StoreError::Damaged(error.to_string()))?.1);
        }
        if blanked.is_empty() {
            if replayed.behind >= CHECKPOINT_AFTER_ENTRIES {
                self.shared.store.keep_checkpoint(&ledger, &replayed.state.checkpoint())?;
            }
            return Ok(replayed);
        }
        self.rewrite(document, &blanked)?;
        self.load(document)
    }

    /// Opens a ledger where it was kept last, if that is a state of this very ledger.
    fn resume(&self, ledger: &LedgerId) -> Result<Option<Replayed>, OpenError> {
        let Some(kept) = self.shared.store.checkpoint(ledger)? else { return Ok(None) };
        let Some(state) = DocumentState::resume(&kept) else { return Ok(None) };
        let seq = state.position().seq;
        // The entry that the state ends with tells whether it is one of this ledger.
        let Some(bytes) = self.shared.store.entry(ledger, seq)? else { return Ok(None) };
        let first = decode(seq, &bytes)?;
        if first.hash() != state.position().head {
            return Ok(None);
        }
        let mut replayed = Replayed { state, last_editor: editor(&first), behind: 0 };
        replayed.take_from(&*self.shared.store, ledger, Seq(seq.0 + 1), Seq(u64::MAX))?;
        replayed.state.settle()?;
        Ok(Some(replayed))
    }
}

/// A document as its ledger gives it.
#[derive(Debug)]
pub struct Replayed {
    pub state: DocumentState,
    pub last_editor: Option<PersonId>,
    /// How many entries were applied to come here.
    pub behind: usize,
}

impl Replayed {
    fn begin(genesis: &[u8]) -> Result<Self, OpenError> {
        let state = DocumentState::begin(&decode(Seq(0), genesis)?)?;
        Ok(Self { state, last_editor: None, behind: 1 })
    }

    /// Applies what is stored from one entry to another, of which only some are in memory at a time.
    fn take_from(
        &mut self,
        store: &dyn Store,
        ledger: &LedgerId,
        from: Seq,
        upto: Seq,
    ) -> Result<(), OpenError> {
        for_each_entry(store, ledger, from, |seq, bytes| {
            if seq > upto {
                return Ok(());
            }
            Ok::<_, OpenError>(self.take(&decode(seq, bytes)?)?)
        })?;
        Ok(())
    }

    fn take(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        self.state.apply(entry)?;
        if let Some(editor) = editor(entry) {
            self.last_editor = Some(editor);
        }
        self.behind += 1;
        Ok(())
    }
}

/// The first entry of a stored ledger. One that lacks it, and has others, is damaged.
pub(crate) fn genesis_of(store: &dyn Store, ledger: &LedgerId) -> Result<Vec<u8>, OpenError> {
    store.read_some(ledger, Seq(0))?.into_iter().next().ok_or(OpenError::Missing)
}

/// Applies a stored ledger up to an entry.
///
/// # Errors
/// When it is empty, damaged, or does not chain.
pub(crate) fn replay_upto(
    store: &dyn Store,
    ledger: &LedgerId,
    upto: Seq,
) -> Result<Replayed, OpenError> {
    let mut replayed = Replayed::begin(&genesis_of(store, ledger)?)?;
    replayed.take_from(store, ledger, Seq(1), upto)?;
    if upto == Seq(u64::MAX) {
        replayed.state.settle()?;
    }
    Ok(replayed)
}

/// Applies a whole ledger.
///
/// # Errors
/// When it is empty, damaged, or does not chain.
pub fn replay(entries: &[Vec<u8>]) -> Result<Replayed, OpenError> {
    let Some(first) = entries.first() else { return Err(OpenError::Missing) };
    let mut replayed = Replayed::begin(first)?;
    for (seq, bytes) in (0..).map(Seq).zip(entries).skip(1) {
        replayed.take(&decode(seq, bytes)?)?;
    }
    replayed.state.settle()?;
    Ok(replayed)
}

/// The person who wrote an edit; None for other entries.
fn editor(entry: &Entry) -> Option<PersonId> {
    entry.body.edit().map(|_| entry.actor.person.clone())
}

pub(crate) fn decode(seq: Seq, bytes: &[u8]) -> Result<Entry, LedgerError> {
    Entry::decode(bytes).map_err(|error| LedgerError::Entry { seq, error })
}

pub(super) fn decode_all(entries: &[Vec<u8>]) -> Result<Vec<Entry>, OpenError> {
    let all = (0..).map(Seq).zip(entries);
    Ok(all.map(|(seq, bytes)| decode(seq, bytes)).collect::<Result<_, _>>()?)
}
