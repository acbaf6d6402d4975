//! What applying a ledger gives: the live document and what later entries are judged by.

use super::chain::{Chain, Position};
use super::entry::{Body, Entry, EntryError, Genesis, Salt};
use super::redaction::{Ledgered, REASON, Redacted, Redaction};
use super::version::{Named, Version, VersionError};
use crate::ids::{LineageId, Seq};
use crate::limits;
use crate::people::{Action, Actor, permits};
use crate::update::{Claim, Known, Provenance, Range, Refusal, scan};
use crate::ydoc;
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

/// A document as its ledger made it. Call [`begin`](Self::begin) once, then
/// [`apply`](Self::apply) for each stored entry, or [`edit`](Self::edit) for each new one.
#[derive(Debug)]
pub struct DocumentState {
    pub(super) doc: Doc,
    pub(super) known: Known,
    pub(super) chain: Chain,
    /// An upper bound of the encoded state: refined when it passes the limit.
    pub(super) size: usize,
    pub(super) broken: bool,
    pub(super) redactions: Ledgered,
    pub(super) versions: Vec<Named>,
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
            broken: false,
            redactions: Ledgered::default(),
            versions: Vec::new(),
        })
    }

    /// Applies a stored entry. Deterministic: reads nothing but the state and the entry.
    ///
    /// # Errors
    /// When the entry is not the next one of this ledger; the state is then as before.
    pub fn apply(&mut self, entry: &Entry) -> Result<Outcome, LedgerError> {
        self.chain.follows(entry)?;
        let outcome = match &entry.body {
            Body::Edit { update, .. } => self.integrate(&entry.actor, update).map(drop),
            Body::Blanked { replacement, .. } => {
                self.redactions.found_blanked(entry.seq, &entry.body);
                self.integrate(&entry.actor, replacement).map(drop)
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
        mut provenance: Provenance,
    ) -> Result<Option<Entry>, Refusal> {
        let Some(net) = self.integrate(actor, update)? else { return Ok(None) };
        if !provenance.claims.is_empty() {
            let scan = scan(&net)?;
            let is_real = |claim: &Claim| {
                scan.brings(claim.new, claim.len) && self.known.has(claim.old, claim.len)
            };
            provenance.claims.retain(is_real);
        }
        let body = Body::Edit { update: net, provenance };
        let entry = self.chain.next(actor.clone(), now, salt, body);
        self.chain.advance(&entry);
        Ok(Some(entry))
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
        let deletion = self.edit(actor, now, first, &redaction.deletion())?;
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

    /// Checks that an update of somebody who may not write now adds nothing.
    ///
    /// # Errors
    /// With [`Refusal::ReadOnly`] when it would, or with what else is wrong with it.
    pub fn compare(&self, actor: &Actor, update: &[u8]) -> Result<(), Refusal> {
        let novelty = self.known.check(&actor.person, update)?;
        if novelty.is_empty() { Ok(()) } else { Err(Refusal::ReadOnly) }
    }

    /// Integrates what is new in an update and returns it encoded, or `None` when nothing is.
    fn integrate(&mut self, actor: &Actor, update: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        let novelty = self.known.check(&actor.person, update)?;
        if novelty.is_empty() {
            return Ok(None);
        }
        if !permits(actor.seat, Action::Write) {
            return Err(Refusal::ReadOnly);
        }
        if self.size + update.len() > limits::STATE_BYTES {
            self.size = self.encode_since(&StateVector::default()).len();
            if self.size + update.len() > limits::STATE_BYTES {
                return Err(Refusal::TooLarge);
            }
        }
        let malformed = Refusal::Scan(crate::update::ScanError::Malformed("it can't be decoded"));
        // The scan has bounded what is decoded. yrs has still panicked on rare mutated bytes: a
        // panic in here leaves the document half changed, so it is marked broken and rebuilt.
        let decoded = catch_unwind(|| Update::decode_v1(update)).map_err(|_| malformed)?;
        let decoded = decoded.map_err(|_| malformed)?;
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
        self.known.commit(&actor.person, novelty, &deleted);
        Ok(Some(net))
    }

    /// Whether integration failed half way: the state must be rebuilt from the ledger.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{PersonId, SessionId};
    use crate::ledger::RULES;
    use crate::model::content::Content;
    use crate::model::delta::{Attributes, Op};
    use crate::model::{Replica, Target};
    use crate::people::{Seat, Sector};

    fn actor(person: &str, seat: Seat) -> Actor {
        Actor {
            person: PersonId::new(person),
            seat,
            sector: Sector::Other,
            session: SessionId::new("s"),
        }
    }

    fn genesis() -> Entry {
        let genesis = Genesis {
            lineage: LineageId::new("l"),
            schema: "s".into(),
            language: "en".into(),
            rules: RULES,
        };
        genesis.entry(actor("p", Seat::Author), 5, [0; 16])
    }

    /// Real updates of every shape, from two clients.
    fn updates() -> Vec<Vec<u8>> {
        let mut replicas = [Replica::new(1), Replica::new(2)];
        let mut all = Vec::new();
        for round in 0..12usize {
            let replica = &mut replicas[round % 2];
            let target = Target::field("problem");
            match round {
                4 => replica.add_milestone("m", None),
                6 => replica.remove_milestone("m"),
                5 | 7 => replica.edit(
                    &target,
                    &[Op::retain(2, Attributes::from_iter([("bold".to_owned(), true.into())]))],
                ),
                8 => replica.edit(&target, &[Op::retain(1, Attributes::new()), Op::delete(2)]),
                _ => replica.edit(&target, &[Op::text("some words, \u{d55c}\u{1f600}")]),
            }
            for update in replica.take_made() {
                replicas[(round + 1) % 2].apply(&update).unwrap();
                all.push(update);
            }
        }
        all
    }

    #[test]
    fn mutated_updates_are_refused_or_replay_to_the_same_document() {
        let updates = updates();
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = move |limit: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % limit as u64) as usize
        };
        let (mut taken, mut refused) = (0, 0);
        for _ in 0..1_500 {
            let mut state = DocumentState::begin(&genesis()).unwrap();
            let mut entries = Vec::new();
            for update in &updates {
                let mut bytes = update.clone();
                if next(3) == 0 {
                    for _ in 0..=next(3) {
                        let at = next(bytes.len());
                        bytes[at] = next(256) as u8;
                    }
                }
                match state.edit(&actor("p", Seat::Author), 9, [1; 16], &bytes) {
                    Ok(entry) => {
                        taken += 1;
                        entries.extend(entry);
                    }
                    Err(_) => refused += 1,
                }
                if state.is_broken() {
                    break;
                }
            }
            let mut replayed = DocumentState::begin(&genesis()).unwrap();
            for entry in &entries {
                let entry = Entry::decode(&entry.encode()).unwrap();
                assert_eq!(replayed.apply(&entry), Ok(Outcome::Applied));
            }
            assert_eq!(replayed.position(), state.position());
            if !state.is_broken() {
                assert_eq!(replayed.state_vector(), state.state_vector());
                assert_eq!(Content::read(replayed.doc()), Content::read(state.doc()));
            }
        }
        assert!(taken > 1_000 && refused > 1_000, "{taken} taken, {refused} refused");
    }

    #[test]
    fn a_client_id_belongs_to_the_first_person_who_used_it() {
        let mut state = DocumentState::begin(&genesis()).unwrap();
        let updates = updates();
        state.edit(&actor("ana", Seat::Author), 9, [1; 16], &updates[0]).unwrap();
        let mut stolen = Replica::new(1);
        stolen.apply(&updates[0]).unwrap();
        stolen.edit(&Target::field("problem"), &[Op::text("in her name")]);
        let forged = stolen.take_made().pop().unwrap();
        let refused = state.edit(&actor("ben", Seat::Author), 9, [1; 16], &forged);
        assert_eq!(refused, Err(Refusal::Forged { client: 1 }));
        assert!(state.edit(&actor("ana", Seat::Author), 9, [1; 16], &forged).is_ok());
    }

    #[test]
    fn what_adds_nothing_is_no_entry_also_for_readers() {
        let mut state = DocumentState::begin(&genesis()).unwrap();
        let update = &updates()[0];
        state.edit(&actor("ana", Seat::Author), 9, [1; 16], update).unwrap();
        let reader = actor("obi", Seat::Observer);
        assert_eq!(state.edit(&reader, 9, [1; 16], update), Ok(None));
        let new = &updates()[1];
        assert_eq!(state.edit(&reader, 9, [1; 16], new), Err(Refusal::ReadOnly));
    }

    /// A secret, typed in pieces by two people and redacted: nothing stored holds it, the chain
    /// verifies, and what is left is the same.
    #[test]
    fn a_redaction_takes_a_passage_out_of_the_ledger_and_leaves_the_chain() {
        let ana = actor("ana", Seat::Author);
        let fay = actor("fay", Seat::Facilitator);
        let target = Target::field("problem");
        let mut state = DocumentState::begin(&genesis()).unwrap();
        let mut entries = vec![genesis()];
        let mut replica = Replica::new(1);
        for (at, words) in [(0, "The key is hun"), (14, "ter2 and that is all."), (4, "good ")] {
            let retain = Op::retain(at, Attributes::new());
            let ops: Vec<_> =
                (at > 0).then_some(retain).into_iter().chain([Op::text(words)]).collect();
            replica.edit(&target, &ops);
            for update in replica.take_made() {
                entries.extend(state.edit(&ana, 9, [3; 16], &update).unwrap());
            }
        }
        let (before, from) = (state.position(), "The good key is ".len() as u32);
        let passage = crate::model::locate(state.doc(), &target, from, "hunter2").unwrap();
        assert!(crate::model::locate(state.doc(), &target, from, "hunter3").is_none());
        let reason = "A password was pasted".to_owned();
        let (redaction, blanked) = Redaction::of(reason, passage, &entries).unwrap();
        assert_eq!(blanked.len(), 2);
        let salts = [[4; 16], [5; 16]];
        let refused = state.redact(&ana, 10, salts, redaction.clone());
        assert_eq!(refused, Err(Refusal::ReadOnly), "an author may not");
        let unexplained = Redaction { reason: String::new(), ..redaction.clone() };
        assert_eq!(state.redact(&fay, 10, salts, unexplained), Err(Refusal::ReadOnly));
        assert_eq!(state.position(), before, "nothing half done");
        let (deletion, entry) = state.redact(&fay, 10, salts, redaction).unwrap();
        entries.extend(deletion);
        entries.push(entry);

        let replay = |entries: &[Entry]| {
            let mut replayed = DocumentState::begin(&entries[0]).unwrap();
            for entry in &entries[1..] {
                let entry = Entry::decode(&entry.encode()).unwrap();
                assert_eq!(replayed.apply(&entry), Ok(Outcome::Applied));
            }
            replayed
        };
        // Before the entries are blanked: the server may have stopped in between.
        let halfway = replay(&entries);
        halfway.settle().unwrap();
        let unfinished: Vec<_> = halfway.unfinished_redactions();
        assert_eq!(unfinished.len(), 2);
        for (seq, ranges) in unfinished {
            let again = Redaction::of(String::new(), ranges, [&entries[seq.0 as usize]]);
            let same = blanked.iter().find(|entry| entry.seq == seq).cloned();
            assert_eq!(again.unwrap().1.pop(), same, "finished later, it is the same");
        }
        for entry in blanked.clone() {
            let seq = entry.seq.0 as usize;
            entries[seq] = entry;
        }
        let stored: Vec<u8> = entries.iter().flat_map(Entry::encode).collect();
        let stored = String::from_utf8_lossy(&stored);
        assert!(!stored.contains("hun") && !stored.contains("ter2"), "{stored}");
        let replayed = replay(&entries);
        replayed.settle().unwrap();
        assert!(replayed.unfinished_redactions().is_empty());
        assert_eq!(replayed.position(), state.position());
        assert_ne!(replayed.position(), before);
        assert_eq!(Content::read(replayed.doc()), Content::read(state.doc()));
        assert_eq!(replayed.redactions()[0].reason, "A password was pasted");
        assert_eq!(replayed.redactions()[0].person.as_str(), "fay");

        // Blanking more than was announced, or without a redaction, is found.
        let all = [Range { client: 1, clock: 0, len: 40 }];
        let (_, more) = Redaction::of(String::new(), all.to_vec(), &entries).unwrap();
        for entry in more {
            let mut forged = entries.clone();
            let seq = entry.seq;
            forged[seq.0 as usize] = entry;
            let mut replayed = DocumentState::begin(&forged[0]).unwrap();
            for entry in &forged[1..] {
                replayed.apply(entry).unwrap();
            }
            assert_eq!(replayed.settle(), Err(LedgerError::Unexplained(seq)));
        }
    }

    #[test]
    fn time_never_runs_backwards() {
        let mut state = DocumentState::begin(&genesis()).unwrap();
        let entry =
            state.edit(&actor("p", Seat::Author), 1, [1; 16], &updates()[0]).unwrap().unwrap();
        assert_eq!(entry.time, 5, "not less than the entry before");
    }
}
