//! Edits: an update is checked and integrated, and becomes an entry, or it is refused as a whole (rules U1 to U14). An update
//! that costs more than one turn allows is cut into parts, each of which becomes an entry of its own (rule C8).

use super::DocumentState;
use super::edit_outcome::{EditOutcome, LargeEdit};
use super::measuring::measured;
use super::source::{MaxCosts, Source};
use super::void::VoidReason;
use crate::body::Body;
use crate::ids::PersonId;
use crate::ledger::{Entry, Salt};
use crate::limits;
use crate::people::Actor;
use crate::update::{
    AnnouncedClients, CheckedUpdate, Claim, ClientIdClaim, PartLimits, Provenance, Refusal, Scan,
    ScanError, encoded_structs, parts, scan,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{IdSet, ReadTxn, Transact, TransactionMut, Update};

/// The error for an update that passed the scan, but that yrs can't decode or integrate.
const UNDECODABLE: Refusal = Refusal::Scan(ScanError::Malformed("it can't be decoded"));

impl DocumentState {
    /// Integrates the update of a stored edit, and records the edit, so that an open proposal becomes stale. An edit
    /// whose update changes nothing any more is recorded as well. For example, the edit deleted characters that a
    /// redaction has removed since.
    pub(super) fn integrate_stored(
        &mut self,
        entry: &Entry,
        update: &[u8],
    ) -> Result<(), VoidReason> {
        self.integrate(&entry.actor, update, Source::Stored)?;
        self.releases.edited(entry.seq);
        Ok(())
    }

    /// Checks and integrates a new update. Returns the entry to append, or `None` if the update adds nothing. Until that entry
    /// is on disk, the state is ahead of the store.
    ///
    /// `now` is in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// Returns the refusal. The state is then unchanged, unless integration failed halfway (see
    /// [`is_broken`](Self::is_broken)).
    pub fn edit(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        update: &[u8],
    ) -> Result<Option<Entry>, Refusal> {
        self.edit_from(actor, now, salt, update, Provenance::default())
    }

    /// Integrates a new update as [`edit`](Self::edit) does, and records the provenance of its characters. A claim is
    /// left out if the update does not insert the claim's new characters, or if the document does not have the older
    /// characters that the claim names (rule A7).
    ///
    /// # Errors
    /// Returns the same errors as [`edit`](Self::edit).
    pub fn edit_from(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        update: &[u8],
        provenance: Provenance,
    ) -> Result<Option<Entry>, Refusal> {
        match self.integrate(actor, update, Source::Sent(MaxCosts::WHOLE))? {
            Some(net) => self.entry_of(actor, now, salt, net, provenance).map(Some),
            None => Ok(None),
        }
    }

    /// Integrates a new update as [`edit_from`](Self::edit_from) does, but only if that takes one turn at most. An
    /// update that costs more is not integrated, but returned whole or in parts, so that other people in the document
    /// are not delayed (rule C8). An update of more than [`limits::MAX_BYTES_CHECKED_IN_TURN`] bytes is returned whole,
    /// and nothing of it is checked.
    ///
    /// # Errors
    /// Returns the same errors as [`edit`](Self::edit).
    pub fn edit_in_turn(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        update: &[u8],
        claims: Vec<Claim>,
    ) -> Result<EditOutcome, Refusal> {
        if update.len() > limits::MAX_BYTES_CHECKED_IN_TURN {
            return Ok(EditOutcome::NeedsCheck(LargeEdit::new(update.to_vec(), claims)));
        }
        self.edit_part(actor, now, salt, update, claims)
    }

    /// Integrates an update as [`edit_in_turn`](Self::edit_in_turn) does, however many bytes it has. The update is a part
    /// of a large edit, so it has few items.
    ///
    /// # Errors
    /// Returns the same errors as [`edit`](Self::edit).
    pub fn edit_part(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        update: &[u8],
        claims: Vec<Claim>,
    ) -> Result<EditOutcome, Refusal> {
        let update = self.basis.merged(actor, update, limits::MAX_ITEMS_PER_UPDATE)?;
        let scan = scan(&update)?;
        let checked = self.basis.index.check(&actor.person, &scan)?;
        if checked.is_empty() {
            return Ok(EditOutcome::Taken(None));
        }
        let steps = self.basis.steps(&scan, &checked);
        let max = if steps == 1 { MaxCosts::STEP } else { MaxCosts::TURN };
        let source = Source::Sent(max);
        self.basis.may_integrate(actor, &checked, source, self.releases.is_frozen())?;
        if steps > limits::MAX_STEPS_PER_TURN {
            return Ok(EditOutcome::NeedsCheck(LargeEdit::new(update.into_owned(), claims)));
        }
        if let Some(deleted) = self.basis.max_deleted(&checked) {
            let part_limits = PartLimits { steps: limits::MAX_STEPS_PER_TURN, deleted };
            return self.cut(&update, &scan, &checked, &claims, part_limits);
        }
        match self.integrate_checked(actor, &update, &scan, checked, source) {
            Ok(net) => {
                let entry = self.entry_of(actor, now, salt, net, claims.into())?;
                Ok(EditOutcome::Taken(Some(entry)))
            }
            Err(Refusal::Fragmented | Refusal::TooManyBetween) if steps > 1 => {
                let checked = self.basis.index.check(&actor.person, &scan)?;
                let part_limits = PartLimits { steps: steps.div_ceil(4), deleted: u32::MAX };
                self.cut(&update, &scan, &checked, &claims, part_limits)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Checks the size, the formatting and the splits of a whole update, and cuts it into parts.
    fn cut(
        &mut self,
        update: &[u8],
        scan: &Scan<'_>,
        checked: &CheckedUpdate,
        claims: &[Claim],
        part_limits: PartLimits,
    ) -> Result<EditOutcome, Refusal> {
        let doc = &self.doc;
        self.basis.check_whole(update.len(), scan, checked, &|| measured(doc))?;
        let known = |client| self.basis.index.next_clock(client);
        parts(update, scan, checked, claims, known, part_limits).map(EditOutcome::InParts)
    }

    /// Makes the entry of an update that was integrated, and adds it to the chain.
    pub(super) fn entry_of(
        &mut self,
        actor: &Actor,
        now: u64,
        salt: Salt,
        net: Vec<u8>,
        mut provenance: Provenance,
    ) -> Result<Entry, Refusal> {
        if !provenance.claims.is_empty() {
            let scan = scan(&net)?;
            let claims = provenance.claims.iter().flat_map(|claim| claim.of_those_in(&scan));
            provenance.claims =
                claims.filter(|claim| self.basis.index.has(claim.old, claim.len)).collect();
        }
        let body = Body::Edit { update: net, provenance };
        let entry = self.chain.next(actor.clone(), now, salt, body);
        self.releases.edited(entry.seq);
        self.chain.advance(&entry);
        Ok(entry)
    }

    /// Checks that an update adds nothing. A person whose edits are not accepted now may send only such updates
    /// (rules M4, U6, U10).
    ///
    /// # Errors
    /// Returns `otherwise` if the update adds something, or the refusal if the update is not valid.
    pub fn compare(&self, actor: &Actor, update: &[u8], otherwise: Refusal) -> Result<(), Refusal> {
        let update = self.basis.merged(actor, update, limits::MAX_ITEMS_PER_UPDATE)?;
        let novelty = self.basis.index.check(&actor.person, &scan(&update)?)?;
        if novelty.is_empty() { Ok(()) } else { Err(otherwise) }
    }

    /// Returns the client ids that pages have announced in this document.
    #[must_use]
    pub fn announced(&self) -> &AnnouncedClients {
        &self.basis.announced
    }

    /// Sets the client ids that were announced before the document was opened.
    pub fn set_announced(&mut self, announced: AnnouncedClients) {
        self.basis.announced = announced;
    }

    /// Records that a person's page will write under a client id. Returns the claim to store, or `None` if the id already had
    /// an owner.
    pub fn announce(&mut self, client: u64, person: &PersonId) -> Option<ClientIdClaim> {
        if self.basis.index.owner(client).is_some() {
            return None;
        }
        self.basis.announced.announce(client, person)
    }

    /// Forgets the announced client ids under which something has been written since, because the ledger itself names their
    /// owners. Returns these ids.
    pub fn forget_written_ids(&mut self) -> Vec<u64> {
        let index = &self.basis.index;
        self.basis.announced.forget(|client| index.owner(client).is_some())
    }

    /// Returns whether a client id belongs to a person, or to nobody yet (rule U2).
    #[must_use]
    pub fn may_use(&self, client: u64, person: &PersonId) -> bool {
        self.basis.may_use(client, person)
    }

    /// Integrates what is new in an update. Returns the new content as an encoded update, or `None` if nothing is new.
    ///
    /// # Errors
    /// Returns the refusal. The state is then unchanged, unless integration failed halfway.
    pub(super) fn integrate(
        &mut self,
        actor: &Actor,
        update: &[u8],
        source: Source,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let max = source.max_costs();
        let update =
            &*self.basis.merged(actor, update, max.map_or(usize::MAX, |max| max.structs))?;
        let scan = scan(update)?;
        let novelty = self.basis.index.check(&actor.person, &scan)?;
        if novelty.is_empty() {
            return Ok(None);
        }
        self.basis.may_integrate(actor, &novelty, source, self.releases.is_frozen())?;
        self.integrate_checked(actor, update, &scan, novelty, source).map(Some)
    }

    /// Integrates an update that has been merged and checked. Returns what was new in the update, encoded as an update.
    fn integrate_checked(
        &mut self,
        actor: &Actor,
        update: &[u8],
        scan: &Scan<'_>,
        novelty: CheckedUpdate,
        source: Source,
    ) -> Result<Vec<u8>, Refusal> {
        let max = source.max_costs();
        let doc = &self.doc;
        let measure = || measured(doc);
        self.basis.fits(update.len(), scan, source, &measure)?;
        let splits = self.basis.splits(scan, &novelty, max, &measure)?;
        if max.is_some() {
            self.basis.check_formatting(scan, &measure)?;
        }
        // The scan has bounded what is decoded. Nevertheless, yrs has panicked while it decoded some randomly changed
        // updates, so a panic is caught and refuses the update.
        let decoded = catch_unwind(|| Update::decode_v1(update)).map_err(|_| UNDECODABLE)?;
        let decoded = decoded.map_err(|_| UNDECODABLE)?;
        let keeps_structs = self.basis.index.keeps_structs(scan, &novelty);
        let encode = || keeps_structs.then(|| encoded_structs(&decoded));
        let structs = catch_unwind(AssertUnwindSafe(encode)).map_err(|_| UNDECODABLE)?;
        let items = |client| self.basis.measures.items.of_client_after(client, &splits);
        self.basis.index.check_origins(scan, items, max.map(|max| max.between))?;
        let (net, deleted) = self.apply_decoded(decoded, structs)?;
        let ranges = deleted.iter().flat_map(|(_, ranges)| ranges.iter());
        let count = ranges.map(|range| range.len()).sum();
        self.basis.measures.take(scan, &splits, net.len(), count);
        self.basis.index.commit(&actor.person, novelty, &deleted);
        if max.is_some() && self.basis.measures.is_doubtful_and_nearly_full() {
            self.measure();
        }
        Ok(net)
    }

    /// Integrates an update with yrs. Returns what the update added, encoded as an update, and the set of all elements
    /// that it deleted. `structs` are the encoded structs that the update adds, or `None` if only yrs can tell them.
    ///
    /// A panic in yrs leaves the document half changed, so the state is marked as broken and must be rebuilt.
    fn apply_decoded(
        &mut self,
        update: Update,
        structs: Option<Vec<u8>>,
    ) -> Result<(Vec<u8>, IdSet), Refusal> {
        let doc = &self.doc;
        let integrated = catch_unwind(AssertUnwindSafe(move || {
            let mut txn = doc.transact_mut();
            txn.apply_update(update).ok()?;
            let complete = txn.store().pending_update().is_none()
                && txn.store().pending_ds().is_none_or(IdSet::is_empty);
            complete.then(|| (encode_net(&txn, structs), txn.delete_set().clone()))
        }));
        let Ok(Some(added)) = integrated else {
            self.broken = true;
            return Err(UNDECODABLE);
        };
        Ok(added)
    }
}

/// Encodes what a transaction has added, as an update. `structs` are its encoded structs. If they are `None`, yrs finds
/// them, which takes longer: yrs visits every client that ever wrote.
fn encode_net(txn: &TransactionMut<'_>, structs: Option<Vec<u8>>) -> Vec<u8> {
    let Some(mut net) = structs else { return txn.encode_update_v1() };
    net.extend_from_slice(&txn.delete_set().encode_v1());
    debug_assert_eq!(net, txn.encode_update_v1(), "the structs are those that yrs has");
    net
}
