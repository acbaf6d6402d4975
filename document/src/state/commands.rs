//! Entries other than edits: redactions, versions, steps to a release, and new lineages. The same check applies to an
//! entry before it is appended and when it is applied at a replay.

use super::source::Source;
use super::versions::NamedVersion;
use super::void::{RedactionError, VoidReason};
use super::{DocumentState, RedactionNotice};
use crate::body::{
    Body, MAX_REDACTION_REASON_CHARS, NewLineage, Redaction, Step, Version, VersionError,
};
use crate::ids::{DocumentId, LineageId, Seq};
use crate::ledger::{Entry, Salt};
use crate::model::content::Content;
use crate::people::{Action, Actor, Seat, permits};
use crate::release::canonical::{Identity, Released};
#[cfg(feature = "readable")]
use crate::release::unreleasable::{Unreleasable, outside_template, unreleasable};
use crate::release::{Releases, StepError};
use crate::update::{Provenance, Range};
#[cfg(feature = "readable")]
use yrs::Doc;

impl DocumentState {
    /// Returns the entries that a redaction has announced as blanked but that are not blanked yet, with the elements to
    /// remove from each.
    #[must_use]
    pub fn unfinished_redactions(&self) -> Vec<(Seq, Vec<Range>)> {
        self.redactions.unfinished()
    }

    /// Returns the redactions of this document, with their authors and reasons.
    #[must_use]
    pub fn redactions(&self) -> &[RedactionNotice] {
        &self.redactions.notices
    }

    /// Deletes the elements of a redaction. Returns the two entries to append, in this order: the deletion (`None` if
    /// everything is deleted already) and the redaction. `now` is in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// Returns an error if the seat of `actor` does not permit redactions, if the reason is empty or too long, or if
    /// the deletion can't be integrated. The state is then unchanged, unless integration failed halfway (see
    /// [`is_broken`](Self::is_broken)).
    pub fn redact(
        &mut self,
        actor: &Actor,
        now: u64,
        salts: [Salt; 2],
        redaction: Redaction,
    ) -> Result<(Option<Entry>, Entry), RedactionError> {
        may_redact(actor, &redaction)?;
        let [first, salt] = salts;
        let deletion = match self.integrate(actor, &redaction.deletion(), Source::Redaction)? {
            Some(net) => Some(self.entry_of(actor, now, first, net, Provenance::default())?),
            None => None,
        };
        let body = Body::Redaction(redaction.clone());
        let entry = self.chain.next(actor.clone(), now, salt, body);
        self.redactions.announce(&entry, &redaction);
        self.chain.advance(&entry);
        Ok((deletion, entry))
    }

    /// Announces blanked entries whose redaction is lost, so that the ledger explains them again. Returns the entry to
    /// append, or `None` if every blanked entry is announced. `now` is in milliseconds since the Unix epoch. Only the
    /// repair of a ledger whose end is lost does this.
    ///
    /// # Errors
    /// Returns an error if the seat of `actor` does not permit redactions, or if the reason is empty or too long. The
    /// state is then unchanged.
    pub fn announce_blanked(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        reason: String,
    ) -> Result<Option<Entry>, RedactionError> {
        let targets: Vec<_> = self.redactions.unexplained().collect();
        if targets.is_empty() {
            return Ok(None);
        }
        let redaction = Redaction { reason, ranges: Vec::new(), targets };
        may_redact(actor, &redaction)?;
        let entry = self.chain.next(actor.clone(), now, salt, Body::Redaction(redaction.clone()));
        self.redactions.announce(&entry, &redaction);
        self.chain.advance(&entry);
        Ok(Some(entry))
    }

    pub(super) fn apply_redaction(
        &mut self,
        entry: &Entry,
        redaction: &Redaction,
    ) -> Result<(), VoidReason> {
        may_redact(&entry.actor, redaction)?;
        self.redactions.announce(entry, redaction);
        Ok(())
    }

    /// Names a version of the document, and returns the entry to append. `now` is in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// Returns an error if the seat of `actor` does not permit naming versions, or if the version is malformed. The
    /// state is then unchanged.
    pub fn name_version(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        version: Version,
    ) -> Result<Entry, VersionError> {
        self.may_name(actor, &version)?;
        let entry = self.chain.next(actor.clone(), now, salt, Body::Version(version.clone()));
        self.versions.push(NamedVersion::new(&entry, &version));
        self.chain.advance(&entry);
        Ok(entry)
    }

    pub(super) fn apply_version(
        &mut self,
        entry: &Entry,
        version: &Version,
    ) -> Result<(), VoidReason> {
        self.may_name(&entry.actor, version)?;
        self.versions.push(NamedVersion::new(entry, version));
        Ok(())
    }

    fn may_name(&self, actor: &Actor, version: &Version) -> Result<(), VersionError> {
        if !permits(actor.seat, Action::NameVersion) {
            return Err(VersionError::Seat);
        }
        version.check(self.position().seq)
    }

    /// Returns the versions of the document, in the order in which they were named.
    #[must_use]
    pub fn versions(&self) -> &[NamedVersion] {
        &self.versions
    }

    /// Checks whether a step is allowed now.
    ///
    /// # Errors
    /// Returns the reason if the step is not allowed.
    pub fn check_step(&self, actor: &Actor, step: &Step) -> Result<(), StepError> {
        self.releases.check(actor, self.position().seq, step)
    }

    /// Takes a step on the path to a release, and returns the entry to append. The caller must first check that the
    /// digest of a proposal is that of the text, and that a person who signs is a signatory. `now` is in milliseconds
    /// since the Unix epoch.
    ///
    /// # Errors
    /// Returns the reason if the step is not allowed. The state is then unchanged.
    pub fn step(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        step: Step,
    ) -> Result<Entry, StepError> {
        self.check_step(actor, &step)?;
        let entry = self.chain.next(actor.clone(), now, salt, Body::Step(step.clone()));
        self.releases.take(&entry, &step);
        self.chain.advance(&entry);
        Ok(entry)
    }

    pub(super) fn apply_step(&mut self, entry: &Entry, step: &Step) -> Result<(), VoidReason> {
        self.check_step(&entry.actor, step)?;
        self.releases.take(entry, step);
        Ok(())
    }

    /// Returns the path of the document to its releases: its proposals, signatures and releases.
    #[must_use]
    pub fn releases(&self) -> &Releases {
        &self.releases
    }

    /// Returns the release that the current text would become.
    #[must_use]
    pub fn to_release(&self, document: &DocumentId) -> Released {
        Released::of(self.next_identity(document), &Content::read(&self.doc))
    }

    /// Returns the identity of release `number`, such as its language and the release that it supersedes.
    #[must_use]
    pub fn identity(&self, document: &DocumentId, number: u32) -> Identity {
        let genesis = self.genesis();
        let before = number.checked_sub(2).and_then(|at| self.releases.all().get(at as usize));
        Identity {
            document: document.clone(),
            number,
            language: genesis.language.clone(),
            template: genesis.schema.clone(),
            supersedes: before.map(|release| self.releases.proposal_of(release).digest),
        }
    }

    /// Returns the content that nobody may sign, because readers do not see it or this version does not know it.
    #[cfg(feature = "readable")]
    #[must_use]
    pub fn unreleasable(&self) -> Vec<Unreleasable> {
        unreleasable(&self.doc, &Content::read(&self.doc), outside_template(&self.basis.index))
    }

    /// Returns the release that the current text would become, and the content that nobody may sign. The text is read only
    /// once.
    #[cfg(feature = "readable")]
    #[must_use]
    pub fn read_release(&self, document: &DocumentId) -> (Released, Vec<Unreleasable>) {
        release_of(&self.doc, self.next_identity(document), outside_template(&self.basis.index))
    }

    /// Returns the identity of the release that the current text would become.
    pub(super) fn next_identity(&self, document: &DocumentId) -> Identity {
        self.identity(document, self.releases.next_number())
    }

    /// Begins a new lineage after the entries of a backup, and returns the entry to append. Only the installation
    /// itself begins lineages, with an administrator as `actor`. `now` is in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// Returns an error if the actor is not an administrator. The state is then unchanged.
    pub fn begin_lineage(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        lineage: LineageId,
    ) -> Result<Entry, VoidReason> {
        may_begin_lineage(actor)?;
        let body = Body::NewLineage(NewLineage { lineage: lineage.clone() });
        let entry = self.chain.next(actor.clone(), now, salt, body);
        self.chain.begin_lineage(entry.seq, lineage);
        self.chain.advance(&entry);
        Ok(entry)
    }

    pub(super) fn apply_new_lineage(
        &mut self,
        entry: &Entry,
        NewLineage { lineage }: &NewLineage,
    ) -> Result<(), VoidReason> {
        may_begin_lineage(&entry.actor)?;
        self.chain.begin_lineage(entry.seq, lineage.clone());
        Ok(())
    }
}

fn may_redact(actor: &Actor, redaction: &Redaction) -> Result<(), RedactionError> {
    if !permits(actor.seat, Action::Redact) {
        return Err(RedactionError::Seat);
    }
    let length = redaction.reason.chars().count();
    if (1..=MAX_REDACTION_REASON_CHARS).contains(&length) {
        Ok(())
    } else {
        Err(RedactionError::Reason)
    }
}

fn may_begin_lineage(actor: &Actor) -> Result<(), VoidReason> {
    if actor.seat == Seat::Administrator { Ok(()) } else { Err(VoidReason::NotAdministrator) }
}

/// Returns the release that the text of a document becomes, and the content that nobody may sign. `outside` is the content
/// outside the template. The text is read only once.
#[cfg(feature = "readable")]
pub(super) fn release_of(
    doc: &Doc,
    identity: Identity,
    outside: Vec<Unreleasable>,
) -> (Released, Vec<Unreleasable>) {
    let content = Content::read(doc);
    let found = unreleasable(doc, &content, outside);
    (Released::of(identity, &content), found)
}
