//! What applying a ledger gives: the live document and what later entries are judged by.

use super::chain::{Chain, Position};
use super::entry::{Body, Entry, EntryError, Genesis, Restored, Salt};
use super::redaction::{Ledgered, REASON, Redacted, Redaction};
use super::release::{Releases, Step, StepError};
use super::version::{Named, Version, VersionError};
use crate::ids::{DocumentId, LineageId, PersonId, Seq};
use crate::limits;
use crate::model::content::Content;
use crate::model::release::{Identity, Released};
#[cfg(feature = "readable")]
use crate::model::strange::{Strange, strange};
use crate::people::{Action, Actor, Seat, permits};
use crate::update::{
    AnnouncedClients, Claim, Formatting, ItemCounts, Known, Novelty, Provenance, Range, Refusal,
    Scan, Splits, merge, scan,
};
use crate::ydoc;
use std::borrow::Cow;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use thiserror::Error;
use yrs::updates::decoder::Decode;
use yrs::{Doc, ReadTxn, StateVector, Transact, Update};

/// Why a ledger can't be applied. Each means that what is stored is not what was written, or was
/// written by a newer version.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LedgerError {
    #[error("entry {0} does not follow the one before it")]
    Order(Seq),
    #[error("entry {0} does not match the hash chain")]
    Chain(Seq),
    #[error("the ledger does not begin with its genesis")]
    NoGenesis,
    #[error("the ledger follows rules version {0}, which this version does not know")]
    Rules(u32),
    #[error("entry {0} belongs into a ledger of another kind")]
    Foreign(Seq),
    #[error("entry {0} was blanked, and no redaction says so")]
    Unexplained(Seq),
    #[error("entry {seq}: {error}")]
    Entry { seq: Seq, error: EntryError },
    #[error("the document broke while an update was integrated, and must be rebuilt")]
    Broken,
}

/// What an applied entry did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<R = Refusal> {
    Applied,
    /// What the entry does is not allowed where it stands: it changes nothing, on any node.
    Void(R),
}

/// What an item takes in memory, in bytes, about, with what is kept of it beside the document.
const BYTES_PER_ITEM: usize = 320;

/// Where an update comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// From a connection: its costs are bounded, and ids that others have announced are not its sender's.
    Sent,
    /// Made by the server itself, to take out what a redaction names: it must be possible whatever the document has
    /// grown to.
    Redaction,
    /// From the ledger: it was accepted once, and is applied again whatever the limits are now.
    Stored,
}

/// A document as its ledger made it. Call [`begin`](Self::begin) once, then
/// [`apply`](Self::apply) for each stored entry, or [`edit`](Self::edit) for each new one.
#[derive(Debug)]
pub struct DocumentState {
    pub(super) doc: Doc,
    pub(super) known: Known,
    pub(super) chain: Chain,
    /// An upper bound of the encoded state: refined when it passes the limit.
    pub(super) size: usize,
    pub(super) items: ItemCounts,
    pub(super) formatting: Formatting,
    /// Whose the client ids are that nothing was written under yet. No part of the ledger: only new edits are
    /// held against it.
    pub(super) announced: AnnouncedClients,
    pub(super) broken: bool,
    pub(super) redactions: Ledgered,
    pub(super) versions: Vec<Named>,
    pub(super) releases: Releases,
}

impl DocumentState {
    /// Starts from entry 0.
    ///
    /// # Errors
    /// When `entry` is not a genesis that this version understands.
    pub fn begin(entry: &Entry) -> Result<Self, LedgerError> {
        let chain = Chain::begin(entry)?;
        Ok(Self {
            // The server's replica never writes: its client id is never used.
            doc: ydoc::new(0),
            known: Known::default(),
            chain,
            size: 0,
            items: ItemCounts::default(),
            formatting: Formatting::default(),
            announced: AnnouncedClients::default(),
            broken: false,
            redactions: Ledgered::default(),
            versions: Vec::new(),
            releases: Releases::default(),
        })
    }

    /// Applies a stored entry. Deterministic: reads nothing but the state and the entry.
    ///
    /// # Errors
    /// When the entry is not the next one of this ledger; the state is then as before.
    pub fn apply(&mut self, entry: &Entry) -> Result<Outcome, LedgerError> {
        self.chain.follows(entry)?;
        let outcome = match &entry.body {
            Body::Edit { update, .. } => self.integrate_stored(entry, update),
            Body::Blanked { replacement, .. } => {
                self.redactions.found_blanked(entry.seq, &entry.body);
                self.integrate_stored(entry, replacement)
            }
            Body::Redaction(redaction) => {
                let allowed = may_redact(&entry.actor, redaction);
                if allowed.is_ok() {
                    self.redactions.announce(entry, redaction);
                }
                allowed
            }
            Body::Version(version) => {
                let allowed = self.may_name(&entry.actor, version);
                if allowed.is_ok() {
                    self.note_version(entry, version);
                }
                allowed.map_err(|_| Refusal::ReadOnly)
            }
            Body::Step(step) => {
                let allowed = self.releases.check(&entry.actor, self.position().seq, step);
                if allowed.is_ok() {
                    self.releases.take(entry, step);
                }
                allowed.map_err(|_| Refusal::ReadOnly)
            }
            Body::Restored(restored) => {
                let allowed = may_restore(&entry.actor);
                if allowed.is_ok() {
                    self.chain.restore(entry.seq, restored.lineage.clone());
                }
                allowed
            }
            Body::Genesis(_) | Body::Act(_) | Body::Event(_) => {
                return Err(LedgerError::Foreign(entry.seq));
            }
        };
        let outcome = match outcome {
            Ok(()) => Outcome::Applied,
            Err(_) if self.broken => return Err(LedgerError::Broken),
            Err(refusal) => Outcome::Void(refusal),
        };
        self.chain.advance(entry);
        Ok(outcome)
    }

    /// Integrates the update of a stored edit. One that adds nothing any more, because a redaction took out
    /// what it deleted, was an edit all the same.
    fn integrate_stored(&mut self, entry: &Entry, update: &[u8]) -> Result<(), Refusal> {
        self.integrate(&entry.actor, update, Source::Stored)?;
        self.releases.edited(entry.seq);
        Ok(())
    }

    /// Checks and integrates a new update, and gives the entry to be appended for it: none when
    /// the update adds nothing. The state is then ahead of the store until the entry is durable.
    ///
    /// `now` is in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// With the refusal; the state is then as before, unless [`is_broken`](Self::is_broken).
    pub fn edit(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        update: &[u8],
    ) -> Result<Option<Entry>, Refusal> {
        self.edit_from(actor, now, salt, update, Provenance::default())
    }

    /// As [`edit`](Self::edit), with where the update's characters come from. Claims of characters that the
    /// update does not bring, or that repeat nothing here, are left out.
    ///
    /// # Errors
    /// As [`edit`](Self::edit).
    pub fn edit_from(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        update: &[u8],
        provenance: Provenance,
    ) -> Result<Option<Entry>, Refusal> {
        match self.integrate(actor, update, Source::Sent)? {
            Some(net) => self.entry_of(actor, now, salt, net, provenance).map(Some),
            None => Ok(None),
        }
    }

    /// The entry of an update that was integrated.
    fn entry_of(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        net: Vec<u8>,
        mut provenance: Provenance,
    ) -> Result<Entry, Refusal> {
        if !provenance.claims.is_empty() {
            let scan = scan(&net)?;
            let is_real = |claim: &Claim| {
                scan.brings(claim.new, claim.len) && self.known.has(claim.old, claim.len)
            };
            provenance.claims.retain(is_real);
        }
        let body = Body::Edit { update: net, provenance };
        let entry = self.chain.next(actor.clone(), now, salt, body);
        self.releases.edited(entry.seq);
        self.chain.advance(&entry);
        Ok(entry)
    }

    /// Whether all that is blanked in this ledger was announced by a redaction. Call when the whole
    /// ledger is applied.
    ///
    /// # Errors
    /// When an entry was blanked without one, or in another way.
    pub fn settle(&self) -> Result<(), LedgerError> {
        self.redactions.unexplained().map_or(Ok(()), |seq| Err(LedgerError::Unexplained(seq)))
    }

    /// The entries that a redaction has announced as blanked and that are not (yet), with what is to
    /// be taken out of each.
    #[must_use]
    pub fn unfinished_redactions(&self) -> Vec<(Seq, Vec<Range>)> {
        self.redactions.unfinished()
    }

    /// What was redacted here, by whom, and why.
    #[must_use]
    pub fn redactions(&self) -> &[Redacted] {
        &self.redactions.told
    }

    /// Deletes what a redaction takes out, and gives the entries to be appended: the deletion, unless
    /// all of it is deleted already, and the redaction.
    ///
    /// # Errors
    /// When the seat does not permit it, or no reason is given; the state is then as before.
    pub fn redact(
        &mut self,
        actor: &Actor,
        now: u64,
        salts: [Salt; 2],
        redaction: Redaction,
    ) -> Result<(Option<Entry>, Entry), Refusal> {
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

    /// Names a moment, and gives the entry to be appended.
    ///
    /// # Errors
    /// When the seat does not permit it, or with what is wrong with the version; the state is then as
    /// before.
    pub fn name_version(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        version: Version,
    ) -> Result<Entry, VersionError> {
        self.may_name(actor, &version)?;
        let entry = self.chain.next(actor.clone(), now, salt, Body::Version(version.clone()));
        self.note_version(&entry, &version);
        self.chain.advance(&entry);
        Ok(entry)
    }

    fn may_name(&self, actor: &Actor, version: &Version) -> Result<(), VersionError> {
        if !permits(actor.seat, Action::NameVersion) {
            return Err(VersionError::Seat);
        }
        version.check(self.position().seq)
    }

    fn note_version(&mut self, entry: &Entry, version: &Version) {
        self.versions.push(Named {
            seq: entry.seq,
            time: entry.time,
            person: entry.actor.person.clone(),
            version: version.clone(),
        });
    }

    /// The moments that were named here, in the order in which they were.
    #[must_use]
    pub fn versions(&self) -> &[Named] {
        &self.versions
    }

    /// Whether a step could be taken now.
    ///
    /// # Errors
    /// With the reason why not.
    pub fn check_step(&self, actor: &Actor, step: &Step) -> Result<(), StepError> {
        self.releases.check(actor, self.position().seq, step)
    }

    /// Takes a step on the path to a release, and gives the entry to be appended. That a proposal's digest is
    /// the text's, and that whoever signs is a signatory, the caller has seen to.
    ///
    /// # Errors
    /// With the reason why it is not taken; the state is then as before.
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

    /// The release that the text as it is now would become.
    #[must_use]
    pub fn to_release(&self, document: &DocumentId) -> Released {
        let identity = self.identity(document, self.releases.next_number());
        Released::of(identity, &Content::read(&self.doc))
    }

    /// What makes a text the release with a number.
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

    /// Begins a new lineage behind what a backup held, and gives the entry to be appended. For the installation
    /// itself, as its administrator.
    ///
    /// # Errors
    /// When somebody else asks; the state is then as before.
    pub fn restored(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        lineage: LineageId,
    ) -> Result<Entry, Refusal> {
        may_restore(actor)?;
        let body = Body::Restored(Restored { lineage: lineage.clone() });
        let entry = self.chain.next(actor.clone(), now, salt, body);
        self.chain.restore(entry.seq, lineage);
        self.chain.advance(&entry);
        Ok(entry)
    }

    /// Where that began which is worked on now: the entry of the last restoration or reopening; 0 without any.
    /// What was written of an earlier state comes in by an explicit act alone.
    #[must_use]
    pub fn begun(&self) -> Seq {
        let restored = self.chain.restored().map_or(Seq(0), |(seq, _)| *seq);
        restored.max(self.releases.draft_since())
    }

    /// The path that the document has gone: what was proposed, signed and frozen.
    #[must_use]
    pub fn releases(&self) -> &Releases {
        &self.releases
    }

    /// What stands in the document that no reader is shown, or that this version does not know.
    #[cfg(feature = "readable")]
    #[must_use]
    pub fn strange(&self) -> Vec<Strange> {
        strange(&self.doc, &self.known)
    }

    /// Checks that an update of somebody whose edits are not taken now adds nothing.
    ///
    /// # Errors
    /// With `otherwise` when it would, or with what else is wrong with it.
    pub fn compare(&self, actor: &Actor, update: &[u8], otherwise: Refusal) -> Result<(), Refusal> {
        let update = self.merged(actor, update, limits::ITEMS_PER_UPDATE)?;
        let novelty = self.known.check(&actor.person, &scan(&update)?)?;
        if novelty.is_empty() { Ok(()) } else { Err(otherwise) }
    }

    /// An update with its adjacent items joined, but for those under keys of maps.
    ///
    /// # Errors
    /// When the bytes are not an update that may be integrated, or hold more items than `most`.
    fn merged<'u>(
        &self,
        actor: &Actor,
        update: &'u [u8],
        most: usize,
    ) -> Result<Cow<'u, [u8]>, Refusal> {
        let known = |client| self.known.next_clock(client);
        let mut merged = merge(update, known, &HashSet::new())?;
        if merged.structs <= most && matches!(merged.bytes, Cow::Owned(_)) {
            let novelty = self.known.check(&actor.person, &scan(&merged.bytes)?)?;
            if !novelty.keyed().is_empty() {
                merged = merge(update, known, novelty.keyed())?;
            }
        }
        if merged.structs > most { Err(Refusal::TooManyItems) } else { Ok(merged.bytes) }
    }

    /// Estimates what an update splits, and counts the document's items again where there may be too many.
    fn splits(
        &mut self,
        scan: &Scan<'_>,
        novelty: &Novelty,
        source: Source,
    ) -> Result<Splits, Refusal> {
        if self.items.is_vague() {
            self.count_items()?;
        }
        let splits = self.items.splits(&self.known, scan, novelty);
        if source != Source::Sent || self.is_within(&splits).is_ok() {
            return Ok(splits);
        }
        self.count_items()?;
        let splits = self.items.splits(&self.known, scan, novelty);
        self.is_within(&splits)?;
        Ok(splits)
    }

    fn is_within(&self, splits: &Splits) -> Result<(), Refusal> {
        if self.items.after(splits) > limits::ITEMS_PER_DOCUMENT {
            return Err(Refusal::TooLarge);
        }
        if splits.moves > limits::MOVES { Err(Refusal::Fragmented) } else { Ok(()) }
    }

    fn count_items(&mut self) -> Result<(), Refusal> {
        let document = self.encode_since(&StateVector::default());
        self.items = ItemCounts::of(&crate::update::scan(&document)?);
        Ok(())
    }

    /// The client ids that pages have announced here.
    #[must_use]
    pub fn announced(&self) -> &AnnouncedClients {
        &self.announced
    }

    /// Takes over what was announced while the document was open before.
    pub fn set_announced(&mut self, announced: AnnouncedClients) {
        self.announced = announced;
    }

    /// Notes that a person's page will write under a client id.
    pub fn announce(&mut self, client: u64, person: &PersonId) {
        if self.known.owner(client).is_none() {
            self.announced.announce(client, person);
        }
    }

    /// Whether a client id is a person's, or nobody's yet.
    #[must_use]
    pub fn may_use(&self, client: u64, person: &PersonId) -> bool {
        let owner = self.known.owner(client).or_else(|| self.announced.owner(client));
        owner.is_none_or(|owner| owner == person)
    }

    /// Integrates what is new in an update and returns it encoded, or `None` when nothing is.
    fn integrate(
        &mut self,
        actor: &Actor,
        update: &[u8],
        source: Source,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let (most, limit) = match source {
            Source::Sent => (limits::ITEMS_PER_UPDATE, Some(limits::BETWEEN)),
            Source::Redaction | Source::Stored => (usize::MAX, None),
        };
        let update = &*self.merged(actor, update, most)?;
        let scan = scan(update)?;
        let novelty = self.known.check(&actor.person, &scan)?;
        if novelty.is_empty() {
            return Ok(None);
        }
        if source == Source::Sent {
            let foreign = novelty.clients().find(|&client| !self.may_use(client, &actor.person));
            if let Some(client) = foreign {
                return Err(Refusal::Forged { client });
            }
        }
        if !permits(actor.seat, Action::Write) {
            return Err(Refusal::ReadOnly);
        }
        if self.releases.is_frozen() {
            return Err(Refusal::Frozen);
        }
        if self.size + update.len() > limits::STATE_BYTES {
            self.size = self.encode_since(&StateVector::default()).len();
            if self.size + update.len() > limits::STATE_BYTES {
                return Err(Refusal::TooLarge);
            }
        }
        let splits = self.splits(&scan, &novelty, source)?;
        if source == Source::Sent {
            self.formatting.check(&scan, self.items.after(&splits))?;
        }
        let malformed = Refusal::Scan(crate::update::ScanError::Malformed("it can't be decoded"));
        // The scan has bounded what is decoded. yrs has still panicked on rare mutated bytes: a
        // panic in here leaves the document half changed, so it is marked broken and rebuilt.
        let decoded = catch_unwind(|| Update::decode_v1(update)).map_err(|_| malformed)?;
        let decoded = decoded.map_err(|_| malformed)?;
        self.known.arrange(&scan, limit)?;
        let doc = &self.doc;
        let integrated = catch_unwind(AssertUnwindSafe(move || {
            let mut txn = doc.transact_mut();
            txn.apply_update(decoded).ok()?;
            let complete = txn.store().pending_update().is_none()
                && txn.store().pending_ds().is_none_or(yrs::IdSet::is_empty);
            complete.then(|| (txn.encode_update_v1(), txn.delete_set().clone()))
        }));
        let Ok(Some((net, deleted))) = integrated else {
            self.broken = true;
            return Err(malformed);
        };
        self.size += net.len();
        self.items.take(&splits);
        self.formatting.take(&scan);
        self.known.commit(&actor.person, novelty, &deleted);
        Ok(Some(net))
    }

    /// Whether integration failed half way: the state must be rebuilt from the ledger.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// How much memory it takes, in bytes, about.
    #[must_use]
    pub fn weight(&self) -> usize {
        // The text, and yrs' items with what is known of each beside them.
        self.size + self.items.after(&Splits::default()) * BYTES_PER_ITEM
    }

    /// How many bytes the document has when it is encoded: never fewer than there are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    #[must_use]
    pub fn position(&self) -> Position {
        self.chain.position()
    }

    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        self.chain.genesis()
    }

    #[must_use]
    pub fn lineage(&self) -> &LineageId {
        self.chain.lineage()
    }

    #[must_use]
    pub fn doc(&self) -> &Doc {
        &self.doc
    }

    #[must_use]
    pub fn state_vector(&self) -> StateVector {
        self.doc.transact().state_vector()
    }

    /// Everything a replica with this state vector lacks, as an update v1.
    #[must_use]
    pub fn encode_since(&self, remote: &StateVector) -> Vec<u8> {
        self.doc.transact().encode_diff_v1(remote)
    }
}

fn may_redact(actor: &Actor, redaction: &Redaction) -> Result<(), Refusal> {
    let length = redaction.reason.chars().count();
    if !permits(actor.seat, Action::Redact) || length == 0 || length > REASON {
        return Err(Refusal::ReadOnly);
    }
    Ok(())
}

fn may_restore(actor: &Actor) -> Result<(), Refusal> {
    if actor.seat == Seat::Administrator { Ok(()) } else { Err(Refusal::ReadOnly) }
}

#[cfg(test)]
mod costs;
#[cfg(test)]
mod tests;
