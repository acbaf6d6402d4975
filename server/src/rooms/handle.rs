//! Requests that HTTP handlers send to an open document. A new kind of request needs only one method here.

use super::reading::{Reading, ReleaseStatus};
use super::request::{Reply, Request};
use super::task::Task;
use super::turns::Priority;
use super::{OpenError, Passage, RoomEvent, Rooms};
use crate::fair_queue::Requester;
use accord_document::StateVector;
use accord_document::body::{Redaction, Step, Version, VersionError};
use accord_document::ids::{DocumentId, PersonId, Seq};
use accord_document::ledger::LedgerPosition;
use accord_document::model::completeness::Check;
use accord_document::model::content::Content;
use accord_document::model::locate;
use accord_document::people::{Action, Actor};
use accord_document::release::{Releases, StepError};
use accord_document::state::{RedactionError, RedactionNotice};
use accord_document::sync::{Effect, ProposalRequest, ProposeError, Room};
use accord_document::update::{Claim, Range, Refusal};
use std::sync::Arc;
use thiserror::Error;

/// The data that a list of documents shows for one document.
#[derive(Debug, Clone)]
pub(crate) struct Summary {
    pub title: String,
    pub checklist: Vec<Check>,
    pub releases: Releases,
    /// The people who are connected to the document's room.
    pub present: Vec<PersonId>,
    pub position: LedgerPosition,
    /// Time of the last entry, in milliseconds since the Unix epoch.
    pub time: u64,
    pub last_editor: Option<PersonId>,
}

/// An edit that gives a document, or a part of it, the text of an earlier moment.
#[derive(Debug, Clone)]
pub(crate) struct Restore {
    pub update: Vec<u8>,
    pub claims: Vec<Claim>,
    pub moment: Seq,
}

/// A step on the path to a release, once it is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StepTaken {
    /// The number of the entry that records the step.
    pub seq: Seq,
    /// The number of the release that this step has frozen, or `None` if it has frozen none.
    pub froze: Option<u32>,
}

/// The reason why a request to a room fails.
#[derive(Debug, Clone, Error)]
pub(crate) enum RequestError<E> {
    /// The document can't be opened, or too many requests wait for its room.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The document refuses the change, and is unchanged.
    #[error("{0}")]
    Refused(E),
}

/// Access to one document on behalf of one requester. The time of each turn is charged to the requester's budget in
/// that document.
#[derive(Debug, Clone)]
pub(crate) struct RoomHandle {
    rooms: Rooms,
    document: DocumentId,
    requester: Requester,
}

impl Rooms {
    /// Returns a handle to a document on behalf of a requester.
    pub(crate) fn handle(
        &self,
        document: &DocumentId,
        requester: impl Into<Requester>,
    ) -> RoomHandle {
        RoomHandle { rooms: self.clone(), document: document.clone(), requester: requester.into() }
    }
}

/// Queries. An answer is sent only once everything that it shows is on disk.
///
/// # Errors
/// Every method returns an error if the document can't be opened, or if too many requests of this requester wait for
/// its room.
impl RoomHandle {
    /// Returns the text, milestones and dates. `turn` is held until the text is read.
    pub(crate) async fn content(&self, turn: impl Send + 'static) -> Result<Content, OpenError> {
        match self.read(Priority::Ordinary, Task::content).await? {
            Reading::Done(content) => Ok(content),
            Reading::Copied(text) => {
                let read = move || Ok(text.copy.content()?);
                self.rooms.read_copy(&self.requester, turn, read).await
            }
        }
    }

    /// Returns the whole document as one update.
    pub(crate) async fn encoded(&self) -> Result<Vec<u8>, OpenError> {
        let encode = |task: &mut Task| task.room().state().encode_since(&StateVector::default());
        self.read(Priority::Ordinary, encode).await
    }

    /// Returns the releases, and the release that the current text would become. `turn` is held until the text is read.
    pub(crate) async fn release_status(
        &self,
        turn: impl Send + 'static,
    ) -> Result<Arc<ReleaseStatus>, OpenError> {
        match self.read(Priority::Ordinary, Task::release_status).await? {
            Reading::Done(status) => Ok(status),
            Reading::Copied(text) => match text.known_status() {
                Some(status) => Ok(status),
                // Each caller waits for a slot of their own, so nobody waits for the slot of somebody else.
                None => {
                    self.rooms.read_copy(&self.requester, turn, move || text.read_status()).await
                }
            },
        }
    }

    /// Returns the proposals and releases, without reading the text.
    pub(crate) async fn releases(&self) -> Result<Releases, OpenError> {
        self.read(Priority::Essential, |task| task.room().state().releases().clone()).await
    }

    /// Returns the document's redactions, and its releases. The top of the document's page shows both.
    pub(crate) async fn redactions_and_releases(
        &self,
    ) -> Result<(Vec<RedactionNotice>, Releases), OpenError> {
        self.read(Priority::Essential, |task| {
            let state = task.room().state();
            (state.redactions().to_vec(), state.releases().clone())
        })
        .await
    }

    /// Returns the data that a list of documents shows for this document.
    pub(crate) async fn summary(&self) -> Result<Summary, OpenError> {
        self.read(Priority::Essential, Task::summary).await
    }

    /// Returns the number of the last entry.
    pub(crate) async fn last_entry(&self) -> Result<Seq, OpenError> {
        self.read(Priority::Essential, |task| task.room().state().position().seq).await
    }

    /// Returns the ranges of characters that make up a passage of the current text, or `None` if the text at the
    /// passage's place is different.
    pub(super) async fn locate(&self, passage: Passage) -> Result<Option<Vec<Range>>, OpenError> {
        let Passage { target, from, text, .. } = passage;
        let find = move |task: &mut Task| locate(task.room().state().doc(), &target, from, &text);
        self.read(Priority::Essential, find).await
    }
}

/// Changes. Each method returns once its change is on disk. The result contains the number of the document's last
/// entry.
///
/// # Errors
/// Every method returns an error if the document can't be opened, if too many requests of this requester wait for its
/// room, or if the document refuses the change.
impl RoomHandle {
    /// Gives a moment a name. A named moment is a version.
    pub(crate) async fn name_version(
        &self,
        actor: &Actor,
        version: Version,
    ) -> Result<Seq, RequestError<VersionError>> {
        let name =
            move |room: &mut Room, actor: &Actor, now: u64| room.name_version(actor, version, now);
        self.change(Priority::Ordinary, actor, Action::NameVersion, name).await
    }

    /// Appends an edit that restores the text of an earlier moment.
    pub(crate) async fn restore(
        &self,
        actor: &Actor,
        restore: Restore,
    ) -> Result<Seq, RequestError<Refusal>> {
        let go_back = move |room: &mut Room, actor: &Actor, now: u64| {
            let Restore { update, claims, moment } = restore;
            room.restore(actor, &update, claims, moment, now)
        };
        self.change(Priority::Ordinary, actor, Action::Restore, go_back).await
    }

    /// Appends an edit that removes hidden characters.
    pub(crate) async fn clean(
        &self,
        actor: &Actor,
        update: Vec<u8>,
    ) -> Result<Seq, RequestError<Refusal>> {
        let clean = move |room: &mut Room, actor: &Actor, now: u64| room.clean(actor, &update, now);
        self.change(Priority::Ordinary, actor, Action::Write, clean).await
    }

    /// Proposes the current text for a release.
    pub(crate) async fn propose(
        &self,
        actor: &Actor,
        wanted: ProposalRequest,
    ) -> Result<Seq, RequestError<ProposeError>> {
        let propose =
            move |room: &mut Room, actor: &Actor, now: u64| room.propose(actor, wanted, now);
        self.change(Priority::Ordinary, actor, Action::Propose, propose).await
    }

    /// Takes a step on the path to a release. If the step freezes a release, `seal` is called with the number of the
    /// release once the freeze is on disk, even if the caller has gone. The answer waits for the future that `seal`
    /// returns. Only [`crate::sealing`] calls this method, because that module signs the releases that steps freeze.
    pub(crate) async fn step<F: Future<Output = ()> + Send + 'static>(
        &self,
        actor: &Actor,
        step: Step,
        seal: impl FnOnce(u32) -> F + Clone + Send + 'static,
    ) -> Result<StepTaken, RequestError<StepError>> {
        let action = action_of(&step);
        let take = move |room: &mut Room, actor: &Actor, now: u64| {
            let effects = room.step(actor, step, now)?;
            let state = room.state();
            Ok((effects, state.releases().frozen_by(state.position().seq)))
        };
        let actor = actor.clone();
        let done = self.ask(Priority::Essential, move |task, reply| {
            match task.change(&actor, action, take) {
                Ok((seq, froze)) => task.answer_when_durable(move || {
                    let answer = move || drop(reply.send(Ok(Ok(StepTaken { seq, froze }))));
                    let Some(number) = froze else { return answer() };
                    let sealed = seal(number);
                    tokio::spawn(async move {
                        sealed.await;
                        answer();
                    });
                }),
                Err(refused) => drop(reply.send(Ok(Err(refused)))),
            }
        });
        done.await?
    }

    /// Appends the entry that announces a redaction.
    pub(super) async fn append_redaction(
        &self,
        actor: &Actor,
        redaction: Redaction,
    ) -> Result<Seq, RequestError<RedactionError>> {
        let redact =
            move |room: &mut Room, actor: &Actor, now: u64| room.redact(actor, redaction, now);
        self.change(Priority::Essential, actor, Action::Redact, redact).await
    }
}

impl RoomHandle {
    pub(super) fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    pub(crate) fn document(&self) -> &DocumentId {
        &self.document
    }

    async fn read<T: Send + 'static>(
        &self,
        priority: Priority,
        read: impl FnOnce(&mut Task) -> T + Clone + Send + 'static,
    ) -> Result<T, OpenError> {
        self.ask(priority, move |task, reply| {
            let answer = read(task);
            task.answer_when_durable(move || drop(reply.send(Ok(answer))));
        })
        .await
    }

    async fn change<E: Send + 'static>(
        &self,
        priority: Priority,
        actor: &Actor,
        action: Action,
        change: impl FnOnce(&mut Room, &Actor, u64) -> Result<Vec<Effect>, E> + Clone + Send + 'static,
    ) -> Result<Seq, RequestError<E>> {
        let actor = actor.clone();
        let done = self.ask(priority, move |task, reply| {
            match task
                .change(&actor, action, |room, actor, now| Ok((change(room, actor, now)?, ())))
            {
                Ok((seq, ())) => task.answer_when_durable(move || drop(reply.send(Ok(Ok(seq))))),
                Err(refused) => drop(reply.send(Ok(Err(refused)))),
            }
        });
        done.await?
    }

    /// Sends a request to the document's room, which is opened if necessary. Returns the answer to the request.
    async fn ask<T: Send + 'static>(
        &self,
        priority: Priority,
        run: impl FnOnce(&mut Task, Reply<T>) + Clone + Send + 'static,
    ) -> Result<T, OpenError> {
        let waiting = &self.rooms.shared.waiting_requests;
        let _place = waiting.enter(&self.document, &self.requester, priority)?;
        let request = |reply| {
            let requester = self.requester.clone();
            RoomEvent::Request(Request::new(requester, priority, run.clone(), reply))
        };
        Ok(self.rooms.ask(&self.document, request).await?.1)
    }
}

/// Returns the action that a role must permit for a step that is requested. What the ledger needs is almost the same
/// (`Step::needs`).
fn action_of(step: &Step) -> Action {
    match step {
        Step::Propose { .. } => Action::Propose,
        // Authors who are no signatories any more can still withdraw their own proposals.
        Step::Withdraw { .. } => Action::Write,
        Step::Approve { .. } | Step::Decline { .. } => Action::Sign,
        Step::Reopen { .. } => Action::SteerReleases,
    }
}
