//! The index of plans in memory.

use accord_document::ids::{DocumentId, PlanId};
use accord_document::plan::PlanState;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The plans that are in memory, and where each document belongs.
#[derive(Debug, Default)]
pub(super) struct PlanIndex {
    pub(super) plans: BTreeMap<PlanId, Arc<PlanState>>,
    /// The plan of each document.
    pub(super) homes: HashMap<DocumentId, PlanId>,
    /// Plans whose ledger is damaged: they are not served.
    pub(super) damaged: Vec<PlanId>,
}

impl PlanIndex {
    /// Puts the new state of a plan in place of the last one.
    pub(super) fn set(&mut self, id: &PlanId, state: PlanState) {
        for (document, _) in state.documents() {
            if !self.homes.contains_key(document) {
                self.homes.insert(document.clone(), id.clone());
            }
        }
        self.plans.insert(id.clone(), Arc::new(state));
    }
}
