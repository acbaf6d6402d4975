//! Commands on a document other than edits: redactions, versions, restorations, cleanings and steps to a release.

use super::{Effect, Room};
use crate::body::{Quorum, Redaction, Step, Version, VersionError};
use crate::ids::{Digest, DocumentId, Seq};
use crate::people::{Action, Actor, permits};
use crate::release::StepError;
#[cfg(feature = "readable")]
use crate::release::unreleasable::Unreleasable;
use crate::state::RedactionError;
use crate::sync::close::Close;
use crate::sync::wire::ServerNote;
use crate::update::{Claim, Provenance, Refusal};
use thiserror::Error;

/// A request to propose a text for a release.
#[derive(Debug, Clone)]
pub struct ProposalRequest {
    /// The document whose text is proposed.
    pub document: DocumentId,
    /// The digest of the text that the proposer has read.
    pub digest: Digest,
    /// The number of signatures of each side that the proposal needs.
    pub quorum: Quorum,
    /// A message to the signatories, which can be empty.
    pub message: String,
}

/// The reason why a text is not proposed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProposeError {
    /// The proposal is refused as a step on the path to a release.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The text contains something that its readers can't see.
    #[cfg(feature = "readable")]
    #[error(
        "This text contains something that its readers can’t see: {}. Nobody may sign what they can’t see.",
        named(.0)
    )]
    Unreleasable(Vec<Unreleasable>),
}

/// Names up to three pieces of unreleasable content, and the number of the others.
#[cfg(feature = "readable")]
fn named(all: &[Unreleasable]) -> String {
    const NAMED: usize = 3;
    let plain = |text: &str| text.chars().take(64).flat_map(char::escape_debug).collect::<String>();
    let name = |one: &Unreleasable| {
        let name = one.character.as_ref().and_then(|character| character.name.as_deref());
        let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
        format!("{}{name} in {}", plain(&one.content), plain(&one.place))
    };
    let first: Vec<String> = all.iter().take(NAMED).map(name).collect();
    let more =
        if all.len() > NAMED { format!(", and {} more", all.len() - NAMED) } else { String::new() };
    format!("{}{more}", first.join(", "))
}

impl Room {
    /// Redacts a passage: deletes the passage for everybody, and appends the redaction. The entries that the redaction
    /// names must be blanked once the redaction is durable. Rule A6.
    ///
    /// # Errors
    /// Returns an error if the person of `actor` may not redact, if the redaction's own reason is empty or too long, or
    /// if the deletion can't be integrated. Nothing has changed then.
    pub fn redact(
        &mut self,
        actor: &Actor,
        redaction: Redaction,
        now: u64,
    ) -> Result<Vec<Effect>, RedactionError> {
        self.now = now;
        let salts = [self.salt(0), self.salt(1)];
        let (deletion, entry) = self.state.redact(actor, now, salts, redaction)?;
        if let Some(deletion) = deletion {
            self.append_edit(deletion, None);
        }
        self.out.push(Effect::Append(entry));
        let accord: Vec<_> =
            self.connections.keys().copied().filter(|&id| self.is_accord(id)).collect();
        for id in accord {
            self.note_when_durable(id, &ServerNote::Redacted);
        }
        Ok(self.take())
    }

    /// Names a moment, which makes it a version.
    ///
    /// # Errors
    /// Returns the reason why the moment can't be named. Nothing has changed then.
    pub fn name_version(
        &mut self,
        actor: &Actor,
        version: Version,
        now: u64,
    ) -> Result<Vec<Effect>, VersionError> {
        self.now = now;
        let salt = self.salt(0);
        let entry = self.state.name_version(actor, now, salt, version)?;
        self.out.push(Effect::Append(entry));
        Ok(self.take())
    }

    /// Restores a moment with an edit, which everybody receives like any other edit. The moment before the edit
    /// becomes a version.
    ///
    /// # Errors
    /// Returns an error if this person may not restore, or if the update is refused. Nothing has changed then.
    pub fn restore(
        &mut self,
        actor: &Actor,
        update: &[u8],
        claims: Vec<Claim>,
        moment: Seq,
        now: u64,
    ) -> Result<Vec<Effect>, Refusal> {
        self.now = now;
        if !permits(actor.seat, Action::Restore) {
            return Err(Refusal::ReadOnly);
        }
        let before = self.state.position().seq;
        let provenance = Provenance { claims, restores: Some(moment) };
        let salt = self.salt(0);
        // An update that adds nothing gets no entry, and no version is made.
        if let Some(entry) = self.state.edit_from(actor, now, salt, update, provenance)? {
            self.append_edit(entry, None);
            let version = Version {
                name: String::new(),
                description: String::new(),
                moment: before,
                before_restoring: Some(moment),
            };
            let salt = self.salt(0);
            let named = self.state.name_version(actor, now, salt, version);
            self.out.extend(named.ok().map(Effect::Append));
        }
        Ok(self.take())
    }

    /// Removes content that readers can't see, with an edit that everybody receives like any other edit.
    ///
    /// # Errors
    /// Returns an error if this person may not write, or if the update is refused. Nothing has changed then.
    pub fn clean(
        &mut self,
        actor: &Actor,
        update: &[u8],
        now: u64,
    ) -> Result<Vec<Effect>, Refusal> {
        self.now = now;
        if !permits(actor.seat, Action::Write) {
            return Err(Refusal::ReadOnly);
        }
        let salt = self.salt(0);
        // An update that adds nothing gets no entry: the text had no hidden characters.
        if let Some(entry) =
            self.state.edit_from(actor, now, salt, update, Provenance::default())?
        {
            self.append_edit(entry, None);
        }
        Ok(self.take())
    }

    /// Proposes the current text for a release.
    ///
    /// # Errors
    /// Returns an error if the text is not what the proposer has read, has unreleasable content, or can't be proposed at
    /// this point. Nothing has changed then.
    #[cfg(all(feature = "digest", feature = "readable"))]
    pub fn propose(
        &mut self,
        actor: &Actor,
        wanted: ProposalRequest,
        now: u64,
    ) -> Result<Vec<Effect>, ProposeError> {
        let ProposalRequest { document, digest, quorum, message } = wanted;
        let (released, unreleasable) = self.state.read_release(&document);
        if released.digest() != digest {
            return Err(StepError::Stale.into());
        }
        if !unreleasable.is_empty() {
            return Err(ProposeError::Unreleasable(unreleasable));
        }
        let moment = self.state.position().seq;
        let step = Step::Propose { moment, digest, quorum, gaps: released.gaps, message };
        Ok(self.step(actor, step, now)?)
    }

    /// Takes a step on the path to a release.
    ///
    /// The text is judged again before a signature, because the proposal can be older than the server's present rules
    /// about hidden characters.
    ///
    /// # Errors
    /// Returns the reason why the step is not taken. Nothing has changed then.
    pub fn step(&mut self, actor: &Actor, step: Step, now: u64) -> Result<Vec<Effect>, StepError> {
        self.now = now;
        #[cfg(feature = "readable")]
        if matches!(step, Step::Approve { .. }) {
            self.state.check_step(actor, &step)?;
            if !self.state.unreleasable().is_empty() {
                return Err(StepError::Unreleasable);
            }
        }
        let was_frozen = self.state.releases().is_frozen();
        let salt = self.salt(0);
        let entry = self.state.step(actor, now, salt, step)?;
        self.out.push(Effect::Append(entry));
        let is_frozen = self.state.releases().is_frozen();
        let ids: Vec<_> = self.connections.keys().copied().collect();
        if was_frozen && !is_frozen {
            // Edits that are on their way to the server were written before this draft began, so all connections are
            // closed. When a client syncs again, the room takes such edits only if the client knows the beginning of
            // the draft (rule U10).
            for id in ids {
                self.disconnect(id, Close::RESYNC, "The next draft begins.");
            }
            return Ok(self.take());
        }
        for id in ids.into_iter().filter(|_| is_frozen) {
            let wrote = self.connections.get(&id).is_some_and(|s| s.admission.may_write);
            if wrote && self.is_accord(id) {
                self.note_when_durable(id, &ServerNote::Access { may_write: false });
            }
        }
        self.announce_release();
        Ok(self.take())
    }

    /// Sends every `accord.v1` client a note that a step was taken, or that the text is no longer what was proposed
    /// (rule A8).
    pub(super) fn announce_release(&mut self) {
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids.into_iter().filter(|&id| self.is_accord(id)).collect::<Vec<_>>() {
            self.note_when_durable(id, &ServerNote::Release);
        }
    }
}
