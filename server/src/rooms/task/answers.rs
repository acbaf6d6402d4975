//! The answers of a room's task to requests. An answer is never sent before everything that it shows is on disk.

use super::Task;
use super::taking_turns::is_long;
use crate::rooms::OpenError;
use crate::rooms::handle::{ReleaseStatus, RequestError, Summary};
use accord_document::ids::Seq;
use accord_document::model::completeness::checklist;
use accord_document::model::content::Content;
use accord_document::people::Actor;
use accord_document::sync::{Effect, Room};
use std::sync::{Arc, OnceLock, Weak};

/// The release status that the room computed last.
#[derive(Debug, Default)]
pub(super) struct RecentStatus {
    shared: Weak<ReleaseStatus>,
    /// The same status as in `shared`, kept in memory even while no caller uses it. `None` if the document is long.
    kept: Option<Arc<ReleaseStatus>>,
}

impl RecentStatus {
    fn of(status: &Arc<ReleaseStatus>, is_kept: bool) -> Self {
        Self { shared: Arc::downgrade(status), kept: is_kept.then(|| status.clone()) }
    }

    fn get(&self) -> Option<Arc<ReleaseStatus>> {
        self.kept.clone().or_else(|| self.shared.upgrade())
    }
}

impl Task {
    pub(in crate::rooms) fn room(&self) -> &Room {
        &self.room
    }

    /// Calls `answer` once everything that the answer shows is on disk. If the room closes first, `answer` is dropped,
    /// and `Rooms::ask` sends the request again.
    pub(in crate::rooms) fn answer_when_durable(&mut self, answer: impl FnOnce() + Send + 'static) {
        if self.is_settled() {
            answer();
        } else {
            self.answers.push_back((self.room.state().position().seq, Box::new(answer)));
        }
    }

    /// Carries out a change that was requested over HTTP. Returns the number of the document's last entry, and the
    /// value that `change` returned.
    ///
    /// # Errors
    /// Returns [`OpenError::RoleChanged`] if the person of `actor` may no longer change the document, because the request
    /// can wait long for its turn. Also returns the reason why the document refuses the change.
    pub(in crate::rooms) fn change<T, E>(
        &mut self,
        actor: &Actor,
        change: impl FnOnce(&mut Room, &Actor, u64) -> Result<(Vec<Effect>, T), E>,
    ) -> Result<(Seq, T), RequestError<E>> {
        if !self.rooms.shared.access.still_permits(actor, &self.document) {
            return Err(OpenError::RoleChanged.into());
        }
        let now = self.now();
        let (effects, answer) =
            change(&mut self.room, actor, now).map_err(RequestError::Refused)?;
        self.carry_out(effects);
        Ok((self.room.state().position().seq, answer))
    }

    /// Returns the release status of the current text. A short text is read only once for each position of the ledger.
    /// The status of a long text takes many times as much memory as the text, so it is kept only while a caller holds
    /// it.
    pub(in crate::rooms) fn release_status(&mut self) -> Arc<ReleaseStatus> {
        let state = self.room.state();
        let known = self.release_status.get().filter(|known| known.position == *state.position());
        let status = known.unwrap_or_else(|| {
            Arc::new(ReleaseStatus {
                releases: state.releases().clone(),
                draft: state.to_release(&self.document),
                unreleasable: state.unreleasable(),
                position: state.position().clone(),
                digest: OnceLock::new(),
            })
        });
        self.release_status = RecentStatus::of(&status, !is_long(state));
        status
    }

    /// Returns the data that a list of documents shows for this document. The text is read only once for each position
    /// of the ledger, but the connected people and the last editor are always current.
    pub(in crate::rooms) fn summary(&mut self) -> Summary {
        let present = self.room.people().cloned().collect();
        let (state, last_editor) = (self.room.state(), self.last_editor.clone());
        let known = self.summary.take().filter(|known| known.position == *state.position());
        let summary = known.unwrap_or_else(|| {
            let content = Content::read_plain(state.doc());
            Summary {
                title: content.plain("title").trim().to_owned(),
                checklist: checklist(&content),
                releases: state.releases().clone(),
                present: Vec::new(),
                position: state.position().clone(),
                time: state.time(),
                last_editor: None,
            }
        });
        let summary = self.summary.insert(summary);
        Summary { present, last_editor, ..summary.clone() }
    }
}
