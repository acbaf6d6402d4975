//! The answers of a room's task to requests. An answer is never sent before everything that it shows is on disk.

use super::Task;
use super::taking_turns::is_long;
use crate::rooms::OpenError;
use crate::rooms::handle::{RequestError, Summary};
use crate::rooms::reading::{LongText, Reading, ReleaseStatus};
use accord_document::ids::Seq;
use accord_document::model::completeness::checklist;
use accord_document::model::content::Content;
use accord_document::people::{Action, Actor};
use accord_document::sync::{Effect, Room};
use std::sync::Arc;

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
    /// Returns [`OpenError::RoleChanged`] if the person of `actor` may no longer do this, because the request can wait long
    /// for its turn. Also returns the reason why the document refuses the change.
    pub(in crate::rooms) fn change<T, E>(
        &mut self,
        actor: &Actor,
        action: Action,
        change: impl FnOnce(&mut Room, &Actor, u64) -> Result<(Vec<Effect>, T), E>,
    ) -> Result<(Seq, T), RequestError<E>> {
        if !self.rooms.shared.access.still_permits(actor, action, &self.document) {
            return Err(OpenError::RoleChanged.into());
        }
        let now = self.now();
        let (effects, answer) =
            change(&mut self.room, actor, now).map_err(RequestError::Refused)?;
        self.carry_out(effects);
        Ok((self.room.state().position().seq, answer))
    }

    /// Returns the release status of the current text, or a copy of a long document. A short text is read only once for each
    /// position of the ledger.
    pub(in crate::rooms) fn release_status(&mut self) -> Reading<Arc<ReleaseStatus>> {
        if is_long(self.room.state()) {
            return Reading::Copied(self.long_text());
        }
        let state = self.room.state();
        let known = self.release_status.take().filter(|known| known.position == *state.position());
        let status = known.unwrap_or_else(|| {
            let (releases, position) = (state.releases().clone(), state.position().clone());
            let text = state.read_release(&self.document);
            Arc::new(ReleaseStatus::new(text, releases, position))
        });
        self.release_status = Some(status.clone());
        Reading::Done(status)
    }

    /// Returns the content of the document, or a copy of a long document.
    pub(in crate::rooms) fn content(&mut self) -> Reading<Content> {
        if is_long(self.room.state()) {
            return Reading::Copied(self.long_text());
        }
        Reading::Done(Content::read(self.room.state().doc()))
    }

    /// Returns a copy of the document, which callers share while the document is the same and one of them uses it.
    fn long_text(&mut self) -> Arc<LongText> {
        let state = self.room.state();
        let shared = self.long_text.upgrade().filter(|text| text.position == *state.position());
        let text = shared.unwrap_or_else(|| {
            let (releases, position) = (state.releases().clone(), state.position().clone());
            Arc::new(LongText::new(state.copy_text(&self.document), releases, position))
        });
        self.long_text = Arc::downgrade(&text);
        text
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
