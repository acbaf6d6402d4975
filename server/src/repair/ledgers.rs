//! Verifies the ledgers of a damaged folder, each up to its first entry that does not follow the one before.

use crate::plans::installation;
use crate::replay::decode;
use accord_document::audit::AuditState;
use accord_document::ids::Seq;
use accord_document::ledger::{Entry, LedgerError};
use accord_document::people::{Actor, Seat};
use accord_document::plan::PlanState;
use accord_document::state::DocumentState;

/// The reason that readers of a document see for a redaction whose own entry is lost.
const LOST_REDACTION: &str =
    "Redacted before the data was repaired. The entry with the reason is lost.";

/// The entries of a ledger that verify.
pub(super) struct Verified<S> {
    /// The state after these entries, if there are any.
    pub(super) state: Option<S>,
    /// Number of entries that verify, from the first on.
    pub(super) count: usize,
    /// Why the next entry does not verify, if there is one.
    pub(super) error: Option<LedgerError>,
}

impl<S> Verified<S> {
    /// Does something with the state, if there is one.
    pub(super) fn map(self, act: impl FnOnce(S)) -> Verified<()> {
        Verified { state: self.state.map(act), count: self.count, error: self.error }
    }
}

pub(super) fn document(entries: &[Vec<u8>]) -> Verified<DocumentState> {
    let apply = |state: &mut DocumentState, entry: &Entry| state.apply(entry).map(drop);
    let verified = follow(entries, DocumentState::begin, apply);
    // A document that broke halfway through an entry is made again from the entries before it.
    if verified.state.as_ref().is_some_and(DocumentState::is_broken) {
        let again = follow(&entries[..verified.count], DocumentState::begin, apply);
        return Verified { state: again.state, ..verified };
    }
    verified
}

pub(super) fn plan(entries: &[Vec<u8>]) -> Verified<PlanState> {
    follow(entries, PlanState::begin, |state, entry| state.apply(entry).map(drop))
}

pub(super) fn audit(entries: &[Vec<u8>]) -> Verified<AuditState> {
    follow(entries, AuditState::begin, AuditState::apply)
}

fn follow<S>(
    entries: &[Vec<u8>],
    begin: impl Fn(&Entry) -> Result<S, LedgerError>,
    apply: impl Fn(&mut S, &Entry) -> Result<(), LedgerError>,
) -> Verified<S> {
    let mut verified = Verified { state: None, count: 0, error: None };
    for (seq, bytes) in (0..).map(Seq).zip(entries) {
        let step = decode(seq, bytes).and_then(|entry| match &mut verified.state {
            Some(state) => apply(state, &entry),
            None => begin(&entry).map(|state| verified.state = Some(state)),
        });
        if let Err(error) = step {
            verified.error = Some(error);
            break;
        }
        verified.count += 1;
    }
    verified
}

/// Announces the blanked entries whose redaction was behind the end of the saved ledger. Without it, the ledger would not
/// verify. Returns the entry to append, if one is needed.
pub(super) fn announce_blanked(state: &mut DocumentState, now: u64) -> Option<Entry> {
    let actor = Actor { seat: Seat::Facilitator, ..installation() };
    let reason = LOST_REDACTION.to_owned();
    state.announce_blanked(&actor, now, rand::random(), reason).ok().flatten()
}
