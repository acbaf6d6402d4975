//! Finds a plan by its id, and the plan of a document.

use accord_document::ids::{DocumentId, PlanId};
use accord_document::plan::PlanState;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The plans in memory.
#[derive(Debug, Default)]
pub(super) struct PlanIndex {
    pub(super) plans: BTreeMap<PlanId, Arc<PlanState>>,
    /// The plan of each document.
    pub(super) homes: HashMap<DocumentId, PlanId>,
    /// Plans that are not served because their ledgers are damaged.
    pub(super) damaged: Vec<PlanId>,
}

impl PlanIndex {
    /// Replaces the state of a plan with a newer one, and indexes the plan's new documents.
    pub(super) fn set(&mut self, id: &PlanId, state: PlanState) {
        for (document, _) in state.documents() {
            if !self.homes.contains_key(document) {
                self.homes.insert(document.clone(), id.clone());
            }
        }
        self.plans.insert(id.clone(), Arc::new(state));
    }
}
