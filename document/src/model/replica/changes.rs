//! What a replica notes of the changes to its document. The observers only note what happened: nothing is ever written
//! because of a remote change.

use super::origin::{EDIT, REMOTE};
use crate::model::delta::{self, Op};
use crate::model::target::Target;
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};
use yrs::types::{Event, PathSegment};
use yrs::{DeepObservable, MapRef, Observable, TextRef};

/// What changed, other than by [`Replica::edit`] itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ReplicaChange {
    /// A text changed.
    Text {
        /// The text.
        target: Target,
        /// The operations that turn the text before the change into the text after it.
        delta: Vec<Op>,
        /// Whether this replica made the change, by undo for example.
        own: bool,
    },
    /// Which milestones there are, their order or their dates.
    Milestones,
    /// The dates of the commitment.
    Facts,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) changes: Vec<ReplicaChange>,
    /// Updates that this replica made, in order.
    pub(super) made: Vec<Vec<u8>>,
    /// Every update, in order, for the device's store.
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
            // A removed milestone is shown while it holds text, so that a change of text may show or hide it.
            structure = true;
        }
        if structure {
            note(&log, ReplicaChange::Milestones);
        }
    });
}
