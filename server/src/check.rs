//! `accord check`: verifies that the store contains what was written. It reads every ledger from its beginning, follows
//! its hash chain and applies its entries. It compares each document with its stored checkpoint and with its releases.

use crate::plans::{read_plan, verify_audit};
use crate::releases::find;
use crate::replay::{apply_all, replay_stored};
use crate::store::{DiskStore, Ledger as _, Store, StoreError, entries};
use accord_document::ids::{DocumentId, LedgerId, Seq};
use accord_document::model::content::Content;
use accord_document::release::canonical::Released;
use accord_document::state::DocumentState;
use std::collections::BTreeSet;
use std::path::Path;

/// The result of a check.
#[derive(Debug, Default)]
pub struct Report {
    /// Number of documents that were checked, damaged ones included.
    pub documents: usize,
    /// Number of plans that were checked, damaged ones included.
    pub plans: usize,
    /// Number of entries in all documents in which no damage was found.
    pub entries: usize,
    /// The damage that was found: one sentence for each damaged or missing document, for each damaged plan, and for a
    /// damaged audit record.
    pub faults: Vec<String>,
}

/// Checks everything in a data folder that no server uses. Blocks.
///
/// Opening a store repairs what it can. So this function copies the store to the folder for temporary files, and opens
/// and checks the copy. Nothing in the data folder is changed.
///
/// # Errors
/// Returns an error if the folder can't be copied, opened or listed. Damage to its content is in the report instead.
pub fn check(data: &Path) -> Result<Report, StoreError> {
    let copy = tempfile::tempdir().map_err(|error| StoreError::Failed(error.to_string()))?;
    DiskStore::copy(data, copy.path())?;
    let store = DiskStore::open(copy.path(), 0)?;
    let mut report = Report::default();
    let mut wanted = BTreeSet::new();
    for id in store.plans()? {
        report.plans += 1;
        match read_plan(&store, &id) {
            Ok(plan) => {
                let alive = plan.documents().into_iter().map(|(document, _)| document.clone());
                wanted.extend(alive);
            }
            Err(error) => report.faults.push(format!("plan {id}: {error}")),
        }
    }
    if let Err(error) = verify_audit(&store) {
        report.faults.push(error.to_string());
    }
    let stored = store.documents()?;
    for id in &stored {
        report.documents += 1;
        match document(&store, id) {
            Ok(entries) => report.entries += entries,
            Err(fault) => report.faults.push(format!("document {id}: {fault}")),
        }
    }
    for id in wanted.iter().filter(|id| !stored.contains(id)) {
        report.faults.push(format!("document {id}: its ledger is missing"));
    }
    Ok(report)
}

/// Checks one document and returns the number of its entries. The ledger is applied twice: the first pass finds the
/// entries at which there are releases and a checkpoint, and the second pass compares the document at each of these
/// entries with the digest that was signed, or with the checkpoint.
fn document(store: &dyn Store, id: &DocumentId) -> Result<usize, String> {
    let ledger = LedgerId::Document(id.clone());
    let replayed = replay_stored(store, &ledger).map_err(|error| error.to_string())?;
    let (now, last) = (&replayed.state, replayed.state.position().seq);
    let numbers = now.releases().all().iter().map(|release| release.number);
    let releases: Vec<_> = numbers.filter_map(|number| find(now, id, number)).collect();
    let kept = store.checkpoint(&ledger).map_err(|error| error.to_string())?;
    let kept = kept.and_then(|kept| DocumentState::resume(&kept));
    if let Some(seq) = kept.as_ref().map(|kept| kept.position().seq).filter(|seq| *seq > last) {
        return Err(format!(
            "it once had entry {seq} and now ends at entry {last}: its end is missing"
        ));
    }
    let mut faults = Vec::new();
    let again = apply_all(None, entries(store, &ledger, Seq(0)), |there, entry, _| {
        for (identity, release, proposal) in &releases {
            if proposal.moment == entry.seq
                && Released::of(identity.clone(), &Content::read(there.doc())).digest()
                    != proposal.digest
            {
                faults.push(format!(
                    "the text of release {} is not the one that was signed",
                    release.number
                ));
            }
        }
        let kept = kept.as_ref().filter(|kept| kept.position().seq == entry.seq);
        if kept.is_some_and(|kept| !is_same(kept, there)) {
            let seq = entry.seq;
            faults.push(format!("its checkpoint at entry {seq} does not match its entries"));
        }
        Ok(())
    });
    again.map_err(|error| error.to_string())?;
    faults.into_iter().next().map_or(Ok(replayed.behind), Err)
}

/// Returns whether two states of a document are at the same entry and have the same content.
fn is_same(one: &DocumentState, other: &DocumentState) -> bool {
    one.position() == other.position() && Content::read(one.doc()) == Content::read(other.doc())
}
