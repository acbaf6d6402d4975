//! Applying a document's ledger. All code that reads a whole ledger passes its entries through here, one after the
//! other: only some of the entries of a stored ledger are in memory at the same time.

use crate::open_error::OpenError;
use crate::store::{Store, StoreError, entries};
use accord_document::ids::{LedgerId, PersonId, Seq};
use accord_document::ledger::{Entry, LedgerError, Outcome};
use accord_document::state::DocumentState;

/// A document after entries of its ledger were applied.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) state: DocumentState,
    pub(crate) last_editor: Option<PersonId>,
    /// Number of entries that were applied to reach this state, without those that the initial state already contained.
    pub(crate) behind: usize,
}

impl Replayed {
    /// Applies stored entries to a state that they follow or, if `state` is `None`, from the first entry of a ledger.
    /// `last_editor` is the person who wrote the last edit before these entries, if any.
    ///
    /// # Errors
    /// Returns the errors of [`apply_all`].
    pub(crate) fn resume<B: AsRef<[u8]>>(
        state: Option<DocumentState>,
        last_editor: Option<PersonId>,
        stored: impl IntoIterator<Item = Result<(Seq, B), StoreError>>,
    ) -> Result<Self, OpenError> {
        let (mut last_editor, mut behind) = (last_editor, 0);
        let state = apply_all(state, stored, |_, entry, _| {
            if let Some(editor) = editor(entry) {
                last_editor = Some(editor);
            }
            behind += 1;
            Ok(())
        })?;
        Ok(Self { state, last_editor, behind })
    }
}

/// Applies stored entries in order, either to a state that they follow or from the first entry of a ledger. After each
/// entry, `visit` receives the state, the entry, and whether it was applied (`true`) or is void (`false`).
///
/// # Errors
/// Returns [`OpenError::Missing`] if there is neither a state nor an entry, an error if the entries can't be read, are
/// damaged or do not chain, or the error of `visit`.
pub(crate) fn apply_all<B: AsRef<[u8]>>(
    mut state: Option<DocumentState>,
    stored: impl IntoIterator<Item = Result<(Seq, B), StoreError>>,
    mut visit: impl FnMut(&DocumentState, &Entry, bool) -> Result<(), OpenError>,
) -> Result<DocumentState, OpenError> {
    for stored in stored {
        let (seq, bytes) = stored?;
        let entry = decode(seq, bytes.as_ref())?;
        let is_applied = match &mut state {
            Some(state) => state.apply(&entry)? == Outcome::Applied,
            None => {
                state = Some(DocumentState::begin(&entry)?);
                true
            }
        };
        if let Some(state) = &state {
            visit(state, &entry, is_applied)?;
        }
    }
    state.ok_or(OpenError::Missing)
}

/// Applies a whole ledger that is in memory.
///
/// # Errors
/// Returns an error if the ledger is empty or damaged, or its entries do not chain.
pub(crate) fn replay(entries: &[Vec<u8>]) -> Result<Replayed, OpenError> {
    let replayed = Replayed::resume(None, None, (0..).map(Seq).zip(entries).map(Ok))?;
    replayed.state.check_blanked()?;
    Ok(replayed)
}

/// Applies a whole stored ledger.
///
/// # Errors
/// Returns the errors of [`replay`], or an error if the ledger can't be read.
pub(crate) fn replay_stored(store: &dyn Store, ledger: &LedgerId) -> Result<Replayed, OpenError> {
    let replayed = Replayed::resume(None, None, entries(store, ledger, Seq(0)))?;
    replayed.state.check_blanked()?;
    Ok(replayed)
}

/// Applies a stored ledger up to and including an entry.
///
/// # Errors
/// Returns the errors of [`apply_all`].
pub(crate) fn replay_upto(
    store: &dyn Store,
    ledger: &LedgerId,
    upto: Seq,
) -> Result<DocumentState, OpenError> {
    let wanted = entries(store, ledger, Seq(0))
        .take_while(|stored| stored.as_ref().map_or(true, |(seq, _)| *seq <= upto));
    apply_all(None, wanted, |_, _, _| Ok(()))
}

/// Returns the person who wrote an edit, or `None` for other entries.
pub(crate) fn editor(entry: &Entry) -> Option<PersonId> {
    entry.body.edit().map(|_| entry.actor.person.clone())
}

/// Decodes a stored entry.
///
/// # Errors
/// Returns an error with the entry's number if the entry is damaged.
pub(crate) fn decode(seq: Seq, bytes: &[u8]) -> Result<Entry, LedgerError> {
    Entry::decode(bytes).map_err(|error| LedgerError::Entry { seq, error })
}
