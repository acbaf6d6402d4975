//! The log of changes to a replica's document. The observers in this module only record changes, and never write: a
//! remote change must not lead to another change (invariant 7 of the architecture).

use super::origin::{EDIT, REMOTE};
use crate::model::delta::{self, Op};
use crate::model::target::Target;
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};
use yrs::types::{Event, PathSegment};
use yrs::{DeepObservable, MapRef, Observable, TextRef};

/// A change to a replica's document. Changes of text that an editor made itself
/// ([`Replica::edit`](crate::model::Replica::edit)) are left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ReplicaChange {
    /// A text changed.
    Text {
        /// The text that changed.
        target: Target,
        /// The operations that turn the text before the change into the text after it.
        delta: Vec<Op>,
        /// Whether this replica made the change, by undo for example.
        own: bool,
    },
    /// The milestones that are shown, their order or their dates may have changed.
    Milestones,
    /// A date of the commitment changed.
    Facts,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) changes: Vec<ReplicaChange>,
    /// Updates that this replica made, in order, until they are taken.
    pub(super) made: Vec<Vec<u8>>,
    /// All updates, local and remote, in order, until they are taken for the device's store.
    pub(super) all: Vec<Vec<u8>>,
}

pub(super) fn note(log: &Mutex<Log>, change: ReplicaChange) {
    log.lock().unwrap_or_else(PoisonError::into_inner).changes.push(change);
}

pub(super) fn observe_text(text: &TextRef, key: &'static str, log: Arc<Mutex<Log>>) {
    text.observe("log", move |txn, event| {
        if txn.origin() == Some(&EDIT.into()) {
            return;
        }
        let delta = delta::from_yrs(event.delta(txn));
        let own = txn.origin() != Some(&REMOTE.into());
        note(&log, ReplicaChange::Text { target: Target::field(key), delta, own });
    });
}

pub(super) fn observe_milestones(root: &MapRef, log: Arc<Mutex<Log>>) {
    root.observe_deep("log", move |txn, events| {
        let mut structure = false;
        for event in events.iter() {
            let Event::Text(event) = event else {
                structure = true;
                continue;
            };
            let path = event.path();
            let (Some(PathSegment::Key(id)), Some(PathSegment::Key(key))) =
                (path.front(), path.get(1))
            else {
                continue;
            };
            if txn.origin() != Some(&EDIT.into()) {
                let target = Target::milestone(id, key);
                let delta = delta::from_yrs(event.delta(txn));
                let own = txn.origin() != Some(&REMOTE.into());
                note(&log, ReplicaChange::Text { target, delta, own });
            }
            // A removed milestone is shown while it contains text, so a change of its text can show or hide it.
            structure = true;
        }
        if structure {
            note(&log, ReplicaChange::Milestones);
        }
    });
}
