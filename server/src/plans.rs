//! All plans in memory, each in the state that its ledger gives, and the one way to change them.
//!
//! Acts are rare, so one lock makes the acts of all plans happen one at a time. Each act is an entry in its plan's
//! ledger. When an administrator or facilitator acts, the same commit adds an entry to the audit record. Reading a plan
//! uses the state in memory and does not block.

mod index;
mod ledgers;

pub(crate) use ledgers::{follow_audit, follow_plan, read_plan, verify_audit};

use index::PlanIndex;
use ledgers::{appended, logged, new_ledger, open_audit, read, unreadable};

use crate::announced;
use crate::clock::Clock;
use crate::committer::Committer;
use crate::generation::Generation;
use crate::people::fresh_id;
use crate::store::{Append, Store, StoreError};
use accord_document::audit::AuditState;
use accord_document::body::Act;
use accord_document::body::{AuditAction, AuditEvent};
use accord_document::ids::{Digest, DocumentId, LedgerId, PersonId, PlanId, Seq};
use accord_document::ledger::Entry;
use accord_document::model::{Draft, seed};
use accord_document::people::{Actor, Seat};
use accord_document::plan::{self, ActRefusal, Grant, PlanState};
use accord_document::state::DocumentState;
use accord_document::template;
use accord_document::update::Refusal;
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use thiserror::Error;
use tokio::sync::{Mutex, oneshot};

/// The reason why an act was not done.
#[derive(Debug, Clone, Error)]
pub(crate) enum ActError {
    #[error("there is no such plan")]
    Missing,
    #[error(transparent)]
    Refused(#[from] ActRefusal),
    /// The text for a new document exceeds a limit of documents.
    #[error("a document can't start with this text: {0}")]
    Text(Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A document to add to a plan.
#[derive(Debug)]
pub(crate) struct DocumentToAdd<'d> {
    pub(crate) id: DocumentId,
    /// The language of the text (BCP 47).
    pub(crate) language: &'d str,
    /// The document of the plan that this one translates, if any.
    pub(crate) translates: Option<DocumentId>,
    /// The first text.
    pub(crate) draft: &'d Draft,
}

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
                if self.shared.store.entry(&ledger, Seq(0))?.is_some() {
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

    /// Does an act in a plan. When this returns, the act is on disk and in force.
    ///
    /// # Errors
    /// Returns an error if the act is not allowed or can't be saved. Then nothing has changed.
    pub(crate) async fn act(
        &self,
        plan: &PlanId,
        actor: &Actor,
        act: Act,
        from: Option<IpAddr>,
    ) -> Result<(), ActError> {
        self.act_all(plan, actor, vec![act], from).await
    }

    /// Does several acts in a plan: either all of them or none.
    ///
    /// # Errors
    /// Returns the errors of [`act`](Self::act).
    pub(crate) async fn act_all(
        &self,
        plan: &PlanId,
        actor: &Actor,
        acts: Vec<Act>,
        from: Option<IpAddr>,
    ) -> Result<(), ActError> {
        self.act_with(plan, actor, acts, from, Vec::new()).await
    }

    /// Creates a plan with a title.
    ///
    /// # Errors
    /// Returns the errors of [`act`](Self::act).
    pub(crate) async fn create(
        &self,
        id: PlanId,
        title: String,
        actor: &Actor,
        from: Option<IpAddr>,
    ) -> Result<(), ActError> {
        let (plans, actor) = (self.clone(), actor.clone());
        to_its_end(async move {
            let mut audit = plans.shared.audit.lock().await;
            let now = plans.shared.clock.now_ms();
            let genesis =
                new_ledger(plan::PLAN_SCHEMA, "").entry(actor.clone(), now, rand::random());
            let mut state = PlanState::begin(&genesis).map_err(unreadable)?;
            let titled = state.act(&actor, now, rand::random(), Act::Title { title })?;
            let mut recorded = audit.clone();
            let event = AuditEvent {
                action: AuditAction::CreatePlan { plan: id.clone() },
                from: address_text(from),
            };
            let event = recorded.record(&actor, now, rand::random(), event);
            let ledger = LedgerId::Plan(id.clone());
            let batch =
                vec![appended(&ledger, &genesis), appended(&ledger, &titled), logged(&event)];
            plans.commit(batch).await?;
            *audit = recorded;
            plans.set(&id, state);
            Ok(())
        })
        .await
    }

    /// Adds a document, made from the template and a draft, to a plan. One commit saves both the document's ledger and
    /// the act that adds the document to the plan.
    ///
    /// # Errors
    /// Returns the errors of [`act`](Self::act), or [`ActError::Text`] if the draft exceeds a limit.
    pub(crate) async fn add_document(
        &self,
        plan: &PlanId,
        actor: &Actor,
        DocumentToAdd { id: document, language, translates, draft }: DocumentToAdd<'_>,
        from: Option<IpAddr>,
    ) -> Result<(), ActError> {
        let now = self.shared.clock.now_ms();
        let genesis = new_ledger(template::COMMITMENT_SCHEMA, language);
        let genesis = genesis.entry(actor.clone(), now, rand::random());
        let mut state = DocumentState::begin(&genesis).map_err(unreadable)?;
        let (draft, by) = (draft.clone(), actor.clone());
        // Writing a large import takes most of a second, so it must not block a thread that answers other requests.
        let seeding = tokio::task::spawn_blocking(move || {
            // The text is written under a client id of 53 random bits, so that no other writer has the same client id.
            let seed = seed(rand::random::<u64>() >> 11, &draft);
            state.edit(&by, now, rand::random(), &seed)
        });
        let seeded = seeding.await.map_err(|error| StoreError::Failed(error.to_string()))?;
        let seeded = seeded.map_err(ActError::Text)?;
        let ledger = LedgerId::Document(document.clone());
        let entries = std::iter::once(genesis).chain(seeded);
        let entries = entries.map(|entry| appended(&ledger, &entry)).collect();
        let act = Act::AddDocument { document, language: language.to_owned(), translates };
        self.act_with(plan, actor, vec![act], from, entries).await
    }

    async fn act_with(
        &self,
        plan: &PlanId,
        actor: &Actor,
        acts: Vec<Act>,
        from: Option<IpAddr>,
        mut batch: Vec<Append>,
    ) -> Result<(), ActError> {
        let (plans, plan, actor) = (self.clone(), plan.clone(), actor.clone());
        to_its_end(async move {
            let mut audit = plans.shared.audit.lock().await;
            let mut state = PlanState::clone(&*plans.get(&plan).ok_or(ActError::Missing)?);
            let now = plans.shared.clock.now_ms();
            let ledger = LedgerId::Plan(plan.clone());
            let mut recorded = audit.clone();
            for act in acts {
                let entry = state.act(&actor, now, rand::random(), act.clone())?;
                batch.push(appended(&ledger, &entry));
                // A join is not recorded in the audit record: it is the invited person's own act, even if it makes them
                // a facilitator.
                let steers = matches!(actor.seat, Seat::Facilitator | Seat::Administrator)
                    && !matches!(act, Act::Join { .. });
                if steers {
                    let action = AuditAction::InPlan { plan: plan.clone(), act };
                    let event = AuditEvent { action, from: address_text(from) };
                    batch.push(logged(&recorded.record(&actor, now, rand::random(), event)));
                }
            }
            plans.commit(batch).await?;
            *audit = recorded;
            plans.set(&plan, state);
            Ok(())
        })
        .await
    }

    /// Adds an action to the audit record. The action is not an act in a plan, so no plan's ledger contains it.
    ///
    /// # Errors
    /// Returns an error if the event can't be saved.
    pub(crate) async fn record(
        &self,
        actor: &Actor,
        action: AuditAction,
        from: Option<IpAddr>,
    ) -> Result<(), StoreError> {
        let (plans, actor) = (self.clone(), actor.clone());
        to_its_end(async move {
            let mut audit = plans.shared.audit.lock().await;
            let mut recorded = audit.clone();
            let event = AuditEvent { action, from: address_text(from) };
            let now = plans.shared.clock.now_ms();
            let event = recorded.record(&actor, now, rand::random(), event);
            plans.commit(vec![logged(&event)]).await?;
            *audit = recorded;
            Ok(())
        })
        .await
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

    async fn commit(&self, batch: Vec<Append>) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        // If the caller is gone, nobody receives the result, and the act is done all the same.
        self.shared.committer.append(batch, move |result| drop(answer.send(result))).await;
        answered.await.map_err(|_| StoreError::Failed("the server is stopping".into()))?
    }
}

/// Runs work to its end even if the caller hangs up. Nothing must stop it between the commit of an act and the change
/// of the state in memory.
async fn to_its_end<T, E>(work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string()).into()))
}

/// Returns a fresh id for a plan.
#[must_use]
pub(crate) fn fresh_plan() -> PlanId {
    PlanId::new(fresh_id())
}

fn address_text(from: Option<IpAddr>) -> Option<String> {
    from.map(|address| address.to_string())
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
