//! The functions that change plans. No other code changes a plan.
//!
//! One commit saves an act with what belongs to it: its entry in the audit record, and the ledger of a plan or document
//! that it adds. The state in memory changes after the commit.

use super::Plans;
use super::ledgers::{appended, logged, new_ledger, unreadable};
use crate::store::{Append, StoreError};
use accord_document::body::{Act, AuditAction, AuditEvent};
use accord_document::ids::{DocumentId, LedgerId, PlanId};
use accord_document::model::{Draft, seed};
use accord_document::people::{Actor, Seat};
use accord_document::plan::{self, ActRefusal, PlanState};
use accord_document::state::DocumentState;
use accord_document::template;
use accord_document::update::Refusal;
use std::future::Future;
use std::net::IpAddr;
use thiserror::Error;
use tokio::sync::oneshot;

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

impl Plans {
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

fn address_text(from: Option<IpAddr>) -> Option<String> {
    from.map(|address| address.to_string())
}
