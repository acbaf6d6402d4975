//! The editor's copy of a document: local edits, remote updates, undo, positions, and a log of changes.

mod changes;
mod milestones;
mod origin;
mod repeated;

pub use changes::ReplicaChange;

use crate::model::content::{self, Content};
use crate::model::delta::{self, Op};
use crate::model::milestone::{self, Milestone};
use crate::model::target::Target;
use crate::template::{FACTS, FIELDS, MILESTONE_TEXTS, MILESTONES};
use crate::update::{Claim, reinstated};
use crate::ydoc;
use changes::{Log, note, observe_milestones, observe_text};
use origin::{EDIT, REMOTE};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;
use yrs::branch::{Branch, BranchPtr};
use yrs::error::UpdateError;
use yrs::undo::Options as UndoOptions;
use yrs::updates::decoder::Decode;
use yrs::{
    Assoc, Doc, IndexedSequence, Map, MapRef, Observable, Out, ReadTxn, StateVector, StickyIndex,
    Text, TextRef, Transact, UndoManager, Update,
};

/// Maximum pause between two changes that are undone together, in milliseconds.
const UNDO_GROUP_MS: u64 = 500;

/// The reason why an update can't be applied to a replica.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// The bytes are not an update.
    #[error("the update is malformed")]
    Malformed,
    /// yrs can't integrate the update.
    #[error(transparent)]
    Integration(#[from] UpdateError),
}

/// An editable copy of a document.
#[allow(missing_debug_implementations)]
pub struct Replica {
    doc: Doc,
    undo: UndoManager,
    log: Arc<Mutex<Log>>,
    now: Arc<AtomicU64>,
    /// The claims that belong to this replica's own updates and that [`Replica::take_claims`] has not taken yet.
    claims: Vec<Claim>,
    copied: repeated::Copied,
}

impl Replica {
    /// Creates an empty copy that writes under the client id `client`. The id must be random, at most 53 bits long and
    /// never used before.
    #[must_use]
    pub fn new(client: u64) -> Self {
        let doc = ydoc::new(client);
        let log = Arc::new(Mutex::new(Log::default()));
        let now = Arc::new(AtomicU64::new(1));
        let clock = now.clone();
        let mut undo = UndoManager::with_options(UndoOptions {
            capture_timeout_millis: UNDO_GROUP_MS,
            tracked_origins: std::iter::once(EDIT.into()).collect(),
            capture_transaction: None,
            timestamp: Arc::new(move || clock.load(Ordering::Relaxed)),
            init_undo_stack: Vec::new(),
            init_redo_stack: Vec::new(),
        });
        for field in FIELDS {
            let text = doc.get_or_insert_text(field.key);
            undo.expand_scope(&doc, &text);
            observe_text(&text, field.key, log.clone());
        }
        let milestones = doc.get_or_insert_map(MILESTONES);
        undo.expand_scope(&doc, &milestones);
        observe_milestones(&milestones, log.clone());
        let facts = doc.get_or_insert_map(FACTS);
        undo.expand_scope(&doc, &facts);
        let noted = log.clone();
        facts.observe("log", move |_, _| note(&noted, ReplicaChange::Facts));
        let noted = log.clone();
        let observed = doc.observe_update_v1("log", move |txn, event| {
            let mut log = noted.lock().unwrap_or_else(PoisonError::into_inner);
            log.all.push(event.update.clone());
            if txn.origin() != Some(&REMOTE.into()) {
                log.made.push(event.update.clone());
            }
        });
        assert!(observed.is_ok(), "no transaction is open on a document just made");
        Self { doc, undo, log, now, claims: Vec::new(), copied: repeated::Copied::default() }
    }

    /// Returns the client id under which this replica writes.
    #[must_use]
    pub fn client_id(&self) -> u64 {
        self.doc.client_id().get()
    }

    /// Returns the Yjs document of this replica.
    #[must_use]
    pub fn doc(&self) -> &Doc {
        &self.doc
    }

    /// Sets the current time, in milliseconds, by which changes are grouped for undo. A time before the last one that
    /// was set is ignored.
    pub fn set_now(&mut self, now: u64) {
        self.now.fetch_max(now, Ordering::Relaxed);
    }

    /// Applies an update from the server or from the device's store.
    ///
    /// # Errors
    /// Returns an error if the bytes are not an update, or if yrs can't integrate it.
    pub fn apply(&mut self, update: &[u8]) -> Result<(), ApplyError> {
        let update = Update::decode_v1(update).map_err(|_| ApplyError::Malformed)?;
        Ok(self.doc.transact_mut_with(REMOTE).apply_update(update)?)
    }

    /// Applies the steps `ops` to a text. Does nothing if the text does not exist, or no longer exists.
    ///
    /// An editor shows a newline at the end of every text, even if concurrent deletions have removed the last one. A
    /// change that reaches this newline restores it.
    pub fn edit(&mut self, target: &Target, ops: &[Op]) {
        let mut txn = self.doc.transact_mut_with(EDIT);
        if let Some(text) = find(&txn, target) {
            let len = text.len(&txn);
            if ops.iter().map(Op::reach).sum::<u32>() > len {
                text.insert(&mut txn, len, "\n");
            }
            text.apply_delta(&mut txn, ops.iter().filter_map(Op::to_yrs));
        }
    }

    /// Whether a text ends in a newline. Only concurrent deletions can remove the last newline.
    #[must_use]
    pub fn is_ended(&self, target: &Target) -> bool {
        delta::plain(&self.read(target)).ends_with('\n')
    }

    /// Undoes the last group of this replica's own changes, and leaves other people's text in place. Returns whether
    /// there was a change to undo.
    pub fn undo(&mut self) -> bool {
        self.reinstating(UndoManager::undo_blocking)
    }

    /// Redoes the last undone group of changes. Returns whether there was a change to redo.
    pub fn redo(&mut self) -> bool {
        self.reinstating(UndoManager::redo_blocking)
    }

    fn reinstating(&mut self, turn: impl FnOnce(&mut UndoManager) -> bool) -> bool {
        let before = self.log().made.len();
        let done = turn(&mut self.undo);
        let claims: Vec<Claim> =
            self.log().made[before..].iter().flat_map(|update| reinstated(update)).collect();
        self.claims.extend(claims);
        done
    }

    /// Whether there is a change to undo.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        self.undo.can_undo()
    }

    /// Whether there is an undone change to redo.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        self.undo.can_redo()
    }

    /// Ends the current undo group, so that the next change begins a new one.
    pub fn stop_capturing(&mut self) {
        self.undo.reset();
    }

    /// Sets a date of the commitment.
    pub fn set_fact(&mut self, key: &str, value: &str) {
        let facts = self.doc.get_or_insert_map(FACTS);
        self.own_group(|txn| {
            facts.insert(txn, key, value);
        });
    }

    /// Makes one change as an undo group of its own.
    fn own_group(&mut self, change: impl FnOnce(&mut yrs::TransactionMut<'_>)) {
        self.undo.reset();
        change(&mut self.doc.transact_mut_with(EDIT));
        self.undo.reset();
    }

    /// Returns a text as inserts, or an empty list if the text does not exist.
    #[must_use]
    pub fn read(&self, target: &Target) -> Vec<Op> {
        let txn = self.doc.transact();
        find(&txn, target).map_or_else(Vec::new, |text| delta::read(&text, &txn))
    }

    /// Returns the milestones that are shown, in the order of the page.
    #[must_use]
    pub fn milestones(&self) -> Vec<Milestone> {
        let txn = self.doc.transact();
        txn.get_map(MILESTONES)
            .map_or_else(Vec::new, |root| milestone::read_all(&root, &txn, &delta::read))
    }

    /// Returns the dates of the commitment, by key.
    #[must_use]
    pub fn facts(&self) -> std::collections::BTreeMap<String, serde_json::Value> {
        let txn = self.doc.transact();
        txn.get_map(FACTS).map(|map| content::read_facts(&map, &txn)).unwrap_or_default()
    }

    /// Returns the whole visible content.
    #[must_use]
    pub fn content(&self) -> Content {
        Content::read(&self.doc)
    }

    /// Returns a position that keeps its neighbours while the text changes (a relative position of Yjs), or `None` if
    /// the text does not exist. `offset` is in UTF-16 code units.
    #[must_use]
    pub fn sticky(&self, target: &Target, offset: u32) -> Option<StickyIndex> {
        let txn = self.doc.transact();
        let text = find(&txn, target)?;
        let offset = offset.min(text.len(&txn));
        text.sticky_index(&txn, offset, Assoc::After)
    }

    /// Returns where a sticky position is now: its text, and its offset in UTF-16 code units. Returns `None` if the
    /// text of the position is not in the document.
    #[must_use]
    pub fn resolve(&self, sticky: &StickyIndex) -> Option<(Target, u32)> {
        let txn = self.doc.transact();
        let offset = sticky.get_offset(&txn)?;
        Some((target_of(&txn, offset.branch)?, offset.index))
    }

    /// Returns the state vector: the next clock of each client.
    #[must_use]
    pub fn state_vector(&self) -> StateVector {
        self.doc.transact().state_vector()
    }

    /// Encodes everything that a replica with the state vector `remote` lacks.
    #[must_use]
    pub fn encode_since(&self, remote: &StateVector) -> Vec<u8> {
        self.doc.transact().encode_diff_v1(remote)
    }

    /// Returns the changes since the last call.
    pub fn take_changes(&mut self) -> Vec<ReplicaChange> {
        std::mem::take(&mut self.log().changes)
    }

    /// Returns the updates that this replica made since the last call.
    pub fn take_made(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.log().made)
    }

    /// Returns the claims since the last call. They say which characters of this replica's own updates repeat older
    /// ones.
    pub fn take_claims(&mut self) -> Vec<Claim> {
        std::mem::take(&mut self.claims)
    }

    /// Returns all updates since the last call, both local and remote, to be stored on the device.
    pub fn take_all(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.log().all)
    }

    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find_milestone<T: ReadTxn>(txn: &T, id: &str) -> Option<MapRef> {
    match txn.get_map(MILESTONES)?.get(txn, id) {
        Some(Out::YMap(map)) => Some(map),
        _ => None,
    }
}

pub(super) fn find<T: ReadTxn>(txn: &T, target: &Target) -> Option<TextRef> {
    let Some((id, key)) = target.milestone_text() else {
        return txn.get_text(target.0.as_str());
    };
    milestone::text(&find_milestone(txn, id)?, key, txn)
}

fn target_of<T: ReadTxn>(txn: &T, branch: BranchPtr) -> Option<Target> {
    let wanted = Branch::id(&branch);
    if let yrs::BranchID::Root(name) = &wanted {
        return Some(Target::field(name));
    }
    let root = txn.get_map(MILESTONES)?;
    for (id, value) in root.iter(txn) {
        let Out::YMap(map) = value else { continue };
        for key in MILESTONE_TEXTS {
            let Some(text) = milestone::text(&map, key, txn) else { continue };
            if AsRef::<Branch>::as_ref(&text).id() == wanted {
                return Some(Target::milestone(id, key));
            }
        }
    }
    None
}
