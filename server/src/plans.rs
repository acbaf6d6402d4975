//! The plans, each as its ledger made it, and the one way to change them.
//!
//! Acts are few: one lock lets one after the other through, over all plans, each chained to its
//! plan's ledger and, when an administrator or facilitator acts, to the audit record in the same
//! commit. Reading is from memory and does not block.

use crate::announced;
use crate::clock::Clock;
use crate::committer::Committer;
use crate::generation::Generation;
use crate::people::fresh_id;
use crate::store::{Append, Store, StoreError};
use accord_document::audit::{self, AuditState};
use accord_document::body::Act;
use accord_document::body::Genesis;
use accord_document::body::{AuditAction, AuditEvent};
use accord_document::ids::{Digest, DocumentId, LedgerId, LineageId, PersonId, PlanId, Seq};
use accord_document::ledger::{Entry, LedgerError, RULES};
use accord_document::model::{Draft, seed};
use accord_document::people::{Actor, Seat};
use accord_document::plan::{self, ActRefusal, Grant, PlanState};
use accord_document::state::DocumentState;
use accord_document::template;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use thiserror::Error;
use tokio::sync::{Mutex, oneshot};

/// Why an act was not done.
#[derive(Debug, Clone, Error)]
pub(crate) enum ActError {
    #[error("there is no such plan")]
    Missing,
    #[error(transparent)]
    Refused(#[from] ActRefusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, Default)]
struct Known {
    plans: BTreeMap<PlanId, Arc<PlanState>>,
    /// The plan of each document.
    homes: HashMap<DocumentId, PlanId>,
    /// Plans whose ledger is damaged: they are not served.
    damaged: Vec<PlanId>,
}

impl Known {
    fn set(&mut self, id: &PlanId, state: PlanState) {
        for (document, _) in state.documents() {
            if !self.homes.contains_key(document) {
                self.homes.insert(document.clone(), id.clone());
            }
        }
        self.plans.insert(id.clone(), Arc::new(state));
    }
}

struct Shared {
    store: Arc<dyn Store>,
    committer: Committer,
    clock: Clock,
    generation: Generation,
    known: RwLock<Known>,
    audit: Mutex<AuditState>,
}

/// All plans. Cloning shares them.
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
    /// Reads all plans, and the end of the audit record, which begins on the first start. Blocks.
    ///
    /// # Errors
    /// When the store fails, or the audit record is damaged. Damaged plans are left out.
    pub(crate) fn open(
        store: Arc<dyn Store>,
        committer: Committer,
        clock: Clock,
        generation: Generation,
    ) -> Result<Self, StoreError> {
        let mut known = Known::default();
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

    fn read<T>(&self, read: impl FnOnce(&Known) -> T) -> T {
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

    /// The plans that can't be served because what is stored of them is damaged.
    #[must_use]
    pub(crate) fn damaged(&self) -> Vec<PlanId> {
        self.read(|known| known.damaged.clone())
    }

    /// Erases what is stored of documents that were deleted before a time (milliseconds since the Unix
    /// epoch). Blocks.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn erase_deleted(&self, before: u64) -> Result<(), StoreError> {
        for (_, plan) in self.all() {
            for (document, _) in plan.deleted().filter(|(_, since)| *since < before) {
                let ledger = LedgerId::Document(document.clone());
                if !self.shared.store.read(&ledger, Seq(0))?.is_empty() {
                    // First what is kept beside the ledger: as long as that is there, this is tried again.
                    announced::erase(&*self.shared.store, document)?;
                    self.shared.store.erase(&ledger)?;
                    tracing::info!(%document, "what was stored of a deleted document is erased");
                }
            }
        }
        Ok(())
    }

    /// Publishes what was launched for a time that has come.
    ///
    /// # Errors
    /// When it can't be saved: it is tried again.
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

    /// The plan that a document belongs to.
    #[must_use]
    pub(crate) fn home(&self, document: &DocumentId) -> Option<(PlanId, Arc<PlanState>)> {
        self.read(|known| {
            let id = known.homes.get(document)?;
            Some((id.clone(), known.plans.get(id)?.clone()))
        })
    }

    /// The plan that an invitation is for.
    #[must_use]
    pub(crate) fn inviting(&self, invitation: &Digest) -> Option<(PlanId, Arc<PlanState>)> {
        let mut all = self.all().into_iter();
        all.find(|(_, state)| state.invitation(invitation).is_some())
    }

    /// The plans in which somebody has a seat.
    #[must_use]
    pub(crate) fn seating(&self, person: &PersonId) -> Vec<(PlanId, Arc<PlanState>)> {
        self.all().into_iter().filter(|(_, state)| state.standing(person).is_some()).collect()
    }

    /// What a person may do in a document, if they may see it at all.
    #[must_use]
    pub(crate) fn grant(&self, person: &PersonId, document: &DocumentId) -> Option<Grant> {
        self.home(document)?.1.grant(person, document)
    }

    /// Does something in a plan. When this returns, it is on disk and in force.
    ///
    /// # Errors
    /// When it is not allowed, or can't be saved: then nothing has changed.
    pub(crate) async fn act(
        &self,
        plan: &PlanId,
        actor: &Actor,
        act: Act,
        from: Option<IpAddr>,
    ) -> Result<(), ActError> {
        self.act_all(plan, actor, vec![act], from).await
    }

    /// Does several things in a plan: all of them, or none.
    ///
    /// # Errors
    /// As [`act`](Self::act).
    pub(crate) async fn act_all(
        &self,
        plan: &PlanId,
        actor: &Actor,
        acts: Vec<Act>,
        from: Option<IpAddr>,
    ) -> Result<(), ActError> {
        self.act_with(plan, actor, acts, from, Vec::new()).await
    }

    /// Makes a plan, with its title.
    ///
    /// # Errors
    /// As [`act`](Self::act).
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
            let event =
                AuditEvent { deed: AuditAction::CreatePlan { plan: id.clone() }, from: said(from) };
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

    /// Adds a document, made from the template and a draft, to a plan: its ledger and its place in
    /// the plan in one commit.
    ///
    /// # Errors
    /// As [`act`](Self::act).
    pub(crate) async fn add_document(
        &self,
        plan: &PlanId,
        actor: &Actor,
        document: DocumentId,
        language: &str,
        translates: Option<DocumentId>,
        draft: &Draft,
    ) -> Result<(), ActError> {
        let now = self.shared.clock.now_ms();
        let genesis = new_ledger(template::COMMITMENT_SCHEMA, language);
        let genesis = genesis.entry(actor.clone(), now, rand::random());
        let mut state = DocumentState::begin(&genesis).map_err(unreadable)?;
        let (draft, by) = (draft.clone(), actor.clone());
        // A large import takes most of a second: not from the threads that others are answered on.
        let seeding = tokio::task::spawn_blocking(move || {
            // 53 random bits: an id that nobody writes under again.
            let seed = seed(rand::random::<u64>() >> 11, &draft);
            state.edit(&by, now, rand::random(), &seed)
        });
        let seeded = seeding.await.map_err(|error| StoreError::Failed(error.to_string()))?;
        let seeded = seeded.map_err(|error| StoreError::Failed(error.to_string()))?;
        let ledger = LedgerId::Document(document.clone());
        let entries = std::iter::once(genesis).chain(seeded);
        let entries = entries.map(|entry| appended(&ledger, &entry)).collect();
        let act = Act::AddDocument { document, language: language.to_owned(), translates };
        self.act_with(plan, actor, vec![act], None, entries).await
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
                // Joining is the invited person's own act, whatever seat it brings.
                let steers = matches!(actor.seat, Seat::Facilitator | Seat::Administrator)
                    && !matches!(act, Act::Join { .. });
                if steers {
                    let deed = AuditAction::InPlan { plan: plan.clone(), act };
                    let event = AuditEvent { deed, from: said(from) };
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

    /// Records what was done outside any plan's ledger.
    ///
    /// # Errors
    /// When it can't be saved.
    pub(crate) async fn record(
        &self,
        actor: &Actor,
        deed: AuditAction,
        from: Option<IpAddr>,
    ) -> Result<(), StoreError> {
        let (plans, actor) = (self.clone(), actor.clone());
        to_its_end(async move {
            let mut audit = plans.shared.audit.lock().await;
            let mut recorded = audit.clone();
            let event = AuditEvent { deed, from: said(from) };
            let now = plans.shared.clock.now_ms();
            let event = recorded.record(&actor, now, rand::random(), event);
            plans.commit(vec![logged(&event)]).await?;
            *audit = recorded;
            Ok(())
        })
        .await
    }

    /// The whole audit record, verified. Blocks.
    ///
    /// # Errors
    /// When it can't be read, or is damaged.
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
        // The caller may be gone; the act is done all the same.
        self.shared.committer.append(batch, move |result| drop(answer.send(result))).await;
        answered.await.map_err(|_| StoreError::Failed("the server is stopping".into()))?
    }
}

/// Runs work to its end although its caller hangs up: nothing may stop between the commit of an act and the change of the
/// state in memory.
async fn to_its_end<T, E>(work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string()).into()))
}

/// A fresh id for a plan.
#[must_use]
pub(crate) fn fresh_plan() -> PlanId {
    PlanId::new(fresh_id())
}

fn said(from: Option<IpAddr>) -> Option<String> {
    from.map(|address| address.to_string())
}

fn new_ledger(schema: &str, language: &str) -> Genesis {
    Genesis {
        lineage: LineageId::new(fresh_id()),
        schema: schema.into(),
        language: language.into(),
        rules: RULES,
    }
}

fn appended(ledger: &LedgerId, entry: &Entry) -> Append {
    Append { ledger: ledger.clone(), seq: entry.seq, bytes: entry.encode() }
}

fn logged(entry: &Entry) -> Append {
    appended(&LedgerId::Audit, entry)
}

fn unreadable(error: LedgerError) -> StoreError {
    StoreError::Damaged(error.to_string())
}

fn read(store: &dyn Store, ledger: &LedgerId) -> Result<Vec<Entry>, StoreError> {
    decoded(&store.read(ledger, Seq(0))?, ledger)
}

fn decoded(entries: &[Vec<u8>], of: impl std::fmt::Display) -> Result<Vec<Entry>, StoreError> {
    let damaged = |error| StoreError::Damaged(format!("the ledger of {of}: {error}"));
    entries.iter().map(|bytes| Entry::decode(bytes).map_err(damaged)).collect()
}

/// Follows the hash chain of the audit record. Blocks.
///
/// # Errors
/// When it can't be read, or is damaged.
pub(crate) fn verify_audit(store: &dyn Store) -> Result<(), StoreError> {
    let entries = read(store, &LedgerId::Audit)?;
    if entries.is_empty() { Ok(()) } else { follow_audit(&entries).map(drop) }
}

/// Reads a whole plan and follows its hash chain. Blocks.
///
/// # Errors
/// When it can't be read, or is damaged.
pub(crate) fn read_plan(store: &dyn Store, id: &PlanId) -> Result<PlanState, StoreError> {
    follow_plan(&store.read(&LedgerId::Plan(id.clone()), Seq(0))?)
}

/// Follows the hash chain of a plan, and gives what it comes to.
///
/// # Errors
/// When it is damaged.
pub(crate) fn follow_plan(entries: &[Vec<u8>]) -> Result<PlanState, StoreError> {
    let entries = decoded(entries, "a plan")?;
    let (first, rest) = entries.split_first().ok_or(unreadable(LedgerError::NoGenesis))?;
    let mut state = PlanState::begin(first).map_err(unreadable)?;
    for entry in rest {
        state.apply(entry).map_err(unreadable)?;
    }
    Ok(state)
}

fn open_audit(store: &dyn Store, clock: &Clock) -> Result<AuditState, StoreError> {
    let entries = read(store, &LedgerId::Audit)?;
    if !entries.is_empty() {
        return follow_audit(&entries);
    }
    let genesis = new_ledger(audit::AUDIT_SCHEMA, "");
    let genesis = genesis.entry(installation(), clock.now_ms(), rand::random());
    store.append(&[logged(&genesis)])?;
    AuditState::begin(&genesis).map_err(unreadable)
}

/// Follows the hash chain of the audit record.
///
/// # Errors
/// When it is damaged.
pub(crate) fn follow_audit(entries: &[Entry]) -> Result<AuditState, StoreError> {
    let damaged = |error: LedgerError| StoreError::Damaged(format!("the audit record: {error}"));
    let (first, rest) = entries.split_first().ok_or(damaged(LedgerError::NoGenesis))?;
    let mut state = AuditState::begin(first).map_err(damaged)?;
    for entry in rest {
        state.apply(entry).map_err(damaged)?;
    }
    Ok(state)
}

/// Who acts when nobody is signed in: the installation itself, at its start or its shell.
#[must_use]
pub(crate) fn installation() -> Actor {
    Actor {
        person: PersonId::new("installation"),
        seat: Seat::Administrator,
        sector: accord_document::people::Sector::Other,
        session: accord_document::ids::SessionId::new("shell"),
    }
}
