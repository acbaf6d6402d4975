//! All plans in memory, each in the state that its ledger gives. Only the functions in `acts` change plans.
//!
//! Acts are rare, so one lock makes the acts of all plans happen one at a time. Each act is an entry in its plan's
//! ledger. When an administrator or facilitator acts, the same commit adds an entry to the audit record. Reading a plan
//! uses the state in memory and does not block.

mod acts;
mod index;
mod ledgers;

pub(crate) use acts::{ActError, DocumentToAdd};
pub(crate) use ledgers::{follow_audit, follow_plan, read_plan, verify_audit};

use index::PlanIndex;
use ledgers::{open_audit, read};

use crate::announced;
use crate::clock::Clock;
use crate::committer::Committer;
use crate::generation::Generation;
use crate::people::fresh_id;
use crate::store::{Store, StoreError};
use accord_document::audit::AuditState;
use accord_document::body::Act;
use accord_document::ids::{Digest, DocumentId, LedgerId, PersonId, PlanId, Seq};
use accord_document::ledger::Entry;
use accord_document::people::{Actor, Seat};
use accord_document::plan::{Grant, PlanState};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Mutex;

struct Shared {
    store: Arc<dyn Store>,
    committer: Committer,
    clock: Clock,
    generation: Generation,
    known: RwLock<PlanIndex>,
    audit: Mutex<AuditState>,
}

/// All plans, and the audit record. Clones share them.
#[derive(Clone)]
pub(crate) struct Plans {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Plans {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plans").finish_non_exhaustive()
    }
}

impl Plans {
    /// Reads all plans and the audit record. If there is no audit record yet, begins one. Blocks.
    ///
    /// # Errors
    /// Returns an error if the store fails or the audit record is damaged. A damaged plan is left out and logged.
    pub(crate) fn open(
        store: Arc<dyn Store>,
        committer: Committer,
        clock: Clock,
        generation: Generation,
    ) -> Result<Self, StoreError> {
        let mut known = PlanIndex::default();
        for id in store.plans()? {
            match read_plan(&*store, &id) {
                Ok(state) => known.set(&id, state),
                Err(error) => {
                    tracing::error!(plan = %id, %error, "a plan can't be opened");
                    known.damaged.push(id);
                }
            }
        }
        let audit = open_audit(&*store, &clock)?;
        let (known, audit) = (RwLock::new(known), Mutex::new(audit));
        Ok(Self { shared: Arc::new(Shared { store, committer, clock, generation, known, audit }) })
    }

    fn read<T>(&self, read: impl FnOnce(&PlanIndex) -> T) -> T {
        read(&self.shared.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    #[must_use]
    pub(crate) fn get(&self, id: &PlanId) -> Option<Arc<PlanState>> {
        self.read(|known| known.plans.get(id).cloned())
    }

    #[must_use]
    pub(crate) fn all(&self) -> Vec<(PlanId, Arc<PlanState>)> {
        self.read(|known| known.plans.iter().map(|(id, s)| (id.clone(), s.clone())).collect())
    }

    /// Returns the plans that are not served because their ledgers are damaged.
    #[must_use]
    pub(crate) fn damaged(&self) -> Vec<PlanId> {
        self.read(|known| known.damaged.clone())
    }

    /// Erases the data of documents that were deleted before a time, given in milliseconds since the Unix epoch.
    /// Blocks.
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub(crate) fn erase_deleted(&self, before: u64) -> Result<(), StoreError> {
        for (_, plan) in self.all() {
            for (document, _) in plan.deleted().filter(|(_, since)| *since < before) {
                let ledger = LedgerId::Document(document.clone());
                let first = self.shared.store.entry(&ledger, Seq(0));
                // A damaged ledger is erased as well.
                if matches!(first, Err(StoreError::Damaged(_))) || first?.is_some() {
                    // The announced client ids are erased first. If that fails, the ledger still exists, so the next
                    // call tries again.
                    announced::erase(&*self.shared.store, document)?;
                    self.shared.store.erase(&ledger)?;
                    tracing::info!(%document, "the stored data of a deleted document is erased");
                }
            }
        }
        Ok(())
    }

    /// Publishes the launches whose time has come.
    ///
    /// # Errors
    /// Returns an error if a publication can't be saved. The next call tries it again.
    pub(crate) async fn publish_due(&self) -> Result<(), ActError> {
        let now = self.shared.clock.now_ms();
        for (id, plan) in self.all() {
            let due = plan.launches().iter().filter(|launch| launch.is_due(now));
            let acts: Vec<_> = due.map(|launch| Act::Publish { launch: launch.seq }).collect();
            if !acts.is_empty() {
                self.act_all(&id, &installation(), acts, None).await?;
                tracing::info!(plan = %id, "a launch is public");
            }
        }
        Ok(())
    }

    /// Returns the id and state of the plan that a document belongs to, or `None` if there is no such document.
    #[must_use]
    pub(crate) fn home(&self, document: &DocumentId) -> Option<(PlanId, Arc<PlanState>)> {
        self.read(|known| {
            let id = known.homes.get(document)?;
            Some((id.clone(), known.plans.get(id)?.clone()))
        })
    }

    /// Returns the id and state of the plan that an invitation is for, or `None` if there is no such invitation.
    #[must_use]
    pub(crate) fn inviting(&self, invitation: &Digest) -> Option<(PlanId, Arc<PlanState>)> {
        let mut all = self.all().into_iter();
        all.find(|(_, state)| state.invitation(invitation).is_some())
    }

    /// Returns the id and state of each plan in which a person has a seat.
    #[must_use]
    pub(crate) fn seating(&self, person: &PersonId) -> Vec<(PlanId, Arc<PlanState>)> {
        self.all().into_iter().filter(|(_, state)| state.standing(person).is_some()).collect()
    }

    /// Returns what a person is allowed to do in a document, or `None` if they can't see it.
    #[must_use]
    pub(crate) fn grant(&self, person: &PersonId, document: &DocumentId) -> Option<Grant> {
        self.home(document)?.1.grant(person, document)
    }

    /// Reads the whole audit record and verifies it. Blocks.
    ///
    /// # Errors
    /// Returns an error if the record can't be read or is damaged.
    pub(crate) fn audit(&self) -> Result<Vec<Entry>, StoreError> {
        let entries = read(&*self.shared.store, &LedgerId::Audit)?;
        follow_audit(&entries)?;
        Ok(entries)
    }

    fn set(&self, id: &PlanId, state: PlanState) {
        self.shared.known.write().unwrap_or_else(PoisonError::into_inner).set(id, state);
        self.shared.generation.advance();
    }
}

/// Returns a fresh id for a plan.
#[must_use]
pub(crate) fn fresh_plan() -> PlanId {
    PlanId::new(fresh_id())
}

/// Returns the actor of acts that no signed-in person does: the installation itself, for example when it publishes a
/// launch or carries out a command of the command line.
#[must_use]
pub(crate) fn installation() -> Actor {
    Actor {
        person: PersonId::new("installation"),
        seat: Seat::Administrator,
        sector: accord_document::people::Sector::Other,
        session: accord_document::ids::SessionId::new("shell"),
    }
}
