//! `accord check`: whether what is stored is what was written. Every ledger is read whole, its hash chain
//! followed and its entries applied; what a document is opened from is compared with what that gives.

use crate::archives::Archive;
use crate::plans::{read_plan, verify_audit};
use crate::releases::broken;
use crate::rooms::replay;
use crate::store::{Ledger as _, SledStore, Store, StoreError};
use accord_document::ids::{DocumentId, LedgerId, Seq};
use accord_document::model::content::Content;
use accord_document::state::DocumentState;
use std::collections::BTreeSet;
use std::path::Path;

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    pub documents: usize,
    pub plans: usize,
    /// All entries of all documents.
    pub entries: usize,
    /// What is wrong, a sentence each.
    pub faults: Vec<String>,
}

/// Checks everything in a data folder that no server is using. Blocks.
///
/// # Errors
/// When the folder can't be opened at all.
pub fn check(data: &Path) -> Result<Report, StoreError> {
    let store = SledStore::open(data, 0)?;
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

/// Checks one document, and gives how many entries it has.
fn document(store: &dyn Store, id: &DocumentId) -> Result<usize, String> {
    let ledger = LedgerId::Document(id.clone());
    let entries = store.read(&ledger, Seq(0)).map_err(|error| error.to_string())?;
    let replayed = replay(&entries).map_err(|error| error.to_string())?;
    if !replayed.state.releases().all().is_empty() {
        let archive = Archive::of(&entries).map_err(|error| error.to_string())?;
        if let Some(number) = broken(&archive, id).first() {
            return Err(format!("release {number} is not what was signed"));
        }
    }
    let kept = store.checkpoint(&ledger).map_err(|error| error.to_string())?;
    let Some(kept) = kept.and_then(|kept| DocumentState::resume(&kept)) else {
        return Ok(entries.len());
    };
    let seq = kept.position().seq;
    let upto = usize::try_from(seq.0).unwrap_or(usize::MAX).saturating_add(1);
    let Some(before) = entries.get(..upto) else {
        return Err(format!(
            "it was once at entry {seq}, and ends at {} now: its end is missing",
            replayed.state.position().seq
        ));
    };
    let there = replay(before).map_err(|error| error.to_string())?.state;
    if there.position() != kept.position()
        || Content::read(there.doc()) != Content::read(kept.doc())
    {
        return Err(format!("what it is opened from is not what its entries up to {seq} say"));
    }
    Ok(entries.len())
}
