//! Stores ledgers in sled: the newest entries one by one (*loose*), older ones in segments.

use super::pieces::{
    DOCUMENTS, PLANS, ledger_key, missing_entry, named, pieced, pieced_upto, put, put_entry,
};
use super::segments::unpack_segment;
use super::{SledStore, failed};
use crate::{Append, StoreError};
use accord_document::ids::{DocumentId, LedgerId, PlanId, Seq};
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional as _};
use std::collections::BTreeMap;
use std::sync::PoisonError;

/// Maximum number of loose entries that `read_some` returns.
const MAX_LOOSE_ENTRIES_READ: usize = 64;

impl SledStore {
    /// Returns the number of the next entry of a ledger.
    pub(crate) fn end(&self, ledger: &LedgerId) -> Result<u64, StoreError> {
        // Packing leaves the newest entries of each ledger loose.
        Ok(self.loose_end(ledger)?.unwrap_or(0))
    }

    /// Returns the ids of all ledgers.
    pub(crate) fn ledgers(&self) -> Result<Vec<LedgerId>, StoreError> {
        let mut all: Vec<LedgerId> = self.documents()?.into_iter().map(Into::into).collect();
        all.extend(self.plans()?.into_iter().map(LedgerId::from));
        if self.end(&LedgerId::Audit)? > 0 {
            all.push(LedgerId::Audit);
        }
        Ok(all)
    }

    pub(super) fn write_entries(
        &self,
        entries: impl Iterator<Item = Append>,
    ) -> Result<(), StoreError> {
        let mut writes = sled::Batch::default();
        for entry in entries {
            put_entry(&mut writes, &entry)?;
        }
        self.ledger.apply_batch(writes).map_err(failed)
    }

    /// Returns the entries from `from` on and before the number `before`, in order.
    pub(crate) fn read_before(
        &self,
        ledger: &LedgerId,
        from: Seq,
        before: u64,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        if from.0 >= before {
            return Ok(Vec::new());
        }
        let _settled = self.move_lock.read().unwrap_or_else(PoisonError::into_inner);
        let mut entries = Vec::new();
        let mut next = from.0;
        // If the first entry is loose, so are all later ones, and no segment has to be read.
        let is_loose = self.ledger.contains_key(ledger_key(ledger, from, 0)).map_err(failed)?;
        let segments = if is_loose { Vec::new() } else { self.segments_from(ledger, from)? };
        for (first, segment) in segments {
            let unpacked = unpack_segment(ledger, &segment)?;
            let end = first + unpacked.len() as u64;
            if first > next {
                return Err(missing_entry(ledger, next));
            }
            let known = usize::try_from(next - first).unwrap_or(usize::MAX);
            entries.extend(unpacked.into_iter().skip(known));
            next = next.max(end);
        }
        for (seq, bytes) in pieced_upto(&self.ledger, ledger, Seq(next), Seq(before - 1))? {
            if seq != next {
                return Err(missing_entry(ledger, next));
            }
            entries.push(bytes);
            next += 1;
        }
        let count = usize::try_from(before - from.0).unwrap_or(usize::MAX);
        entries.truncate(count);
        Ok(entries)
    }

    /// Returns the next entries from `from` on, in order: at least one, if there are any.
    pub(crate) fn read_some(
        &self,
        ledger: &LedgerId,
        from: Seq,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let _settled = self.move_lock.read().unwrap_or_else(PoisonError::into_inner);
        let first = self.segment_before(ledger, from)?;
        if let Some(segment) = self.segment(ledger, first)? {
            let known = usize::try_from(from.0 - first).unwrap_or(usize::MAX);
            let packed: Vec<_> = segment.into_iter().skip(known).collect();
            if !packed.is_empty() {
                return Ok(packed);
            }
        }
        let loose = self.some_loose(ledger, from.0, MAX_LOOSE_ENTRIES_READ)?;
        // If nothing was read although later entries exist, the entry `from` is missing.
        if loose.is_empty() && self.has_entries_from(ledger, from)? {
            return Err(missing_entry(ledger, from.0));
        }
        Ok(loose)
    }

    /// Returns an entry, or `None` if the ledger does not have it.
    pub(crate) fn entry(&self, ledger: &LedgerId, seq: Seq) -> Result<Option<Vec<u8>>, StoreError> {
        let _settled = self.move_lock.read().unwrap_or_else(PoisonError::into_inner);
        // A loose entry is cheap to read. A packed one needs its whole segment.
        let loose = pieced_upto(&self.ledger, ledger, seq, seq)?.pop();
        if let Some((_, bytes)) = loose {
            return Ok(Some(bytes));
        }
        let first = self.segment_before(ledger, seq)?;
        let Some(segment) = self.segment(ledger, first)? else { return Ok(None) };
        let place = usize::try_from(seq.0 - first).unwrap_or(usize::MAX);
        Ok(segment.into_iter().nth(place))
    }

    /// Replaces the bytes of entries, and removes the checkpoints of their ledgers. This is on disk when it returns.
    pub(crate) fn rewrite(&self, entries: &[Append]) -> Result<(), StoreError> {
        let _moving = self.move_lock.write().unwrap_or_else(PoisonError::into_inner);
        let (mut loose, mut packed) = (sled::Batch::default(), sled::Batch::default());
        let mut outdated = sled::Batch::default();
        let mut by_segment: BTreeMap<(&LedgerId, u64), Vec<&Append>> = BTreeMap::new();
        for entry in entries {
            let first = self.segment_before(&entry.ledger, entry.seq)?;
            by_segment.entry((&entry.ledger, first)).or_default().push(entry);
        }
        for ((ledger, first), entries) in by_segment {
            let states = ledger_key(ledger, Seq(0), 0)..=ledger_key(ledger, Seq(0), u16::MAX);
            for key in self.checkpoints.range(states).keys() {
                outdated.remove(key.map_err(failed)?);
            }
            // If a stop interrupted the packing, an entry is stored both loose and in a segment. Both copies are replaced.
            for entry in &entries {
                if self.is_loose(entry)? {
                    put(&self.ledger, &mut loose, entry)?;
                }
            }
            for entry in self.replace_in_segment(ledger, first, entries, &mut packed)? {
                if !self.is_loose(entry)? {
                    return Err(StoreError::Conflict);
                }
            }
        }
        let trees = (&self.ledger, &self.segments, &self.checkpoints);
        let all = trees.transaction(|(ledger, segments, checkpoints)| {
            ledger.apply_batch(&loose)?;
            segments.apply_batch(&packed)?;
            checkpoints.apply_batch(&outdated)?;
            Ok::<_, ConflictableTransactionError<sled::Error>>(())
        });
        all.map_err(|error| match error {
            TransactionError::Abort(error) | TransactionError::Storage(error) => failed(error),
        })?;
        self.sync()
    }

    /// Packs the older entries of a ledger, which are all but the newest 64, into segments. Returns their number.
    pub(crate) fn pack(&self, ledger: &LedgerId) -> Result<usize, StoreError> {
        let mut packed = 0;
        loop {
            match self.pack_some(ledger)? {
                0 => break,
                entries => packed += entries,
            }
        }
        if packed > 0 {
            self.sync()?;
        }
        Ok(packed)
    }

    /// Removes a whole ledger. The removal is on disk when this returns.
    pub(crate) fn erase(&self, ledger: &LedgerId) -> Result<(), StoreError> {
        let _moving = self.move_lock.write().unwrap_or_else(PoisonError::into_inner);
        for tree in [&self.ledger, &self.segments, &self.checkpoints] {
            let all = ledger_key(ledger, Seq(0), 0)..=ledger_key(ledger, Seq(u64::MAX), u16::MAX);
            let mut writes = sled::Batch::default();
            for key in tree.range(all).keys() {
                writes.remove(key.map_err(failed)?);
            }
            tree.apply_batch(writes).map_err(failed)?;
        }
        self.sync()
    }

    /// Stores a checkpoint of a ledger in place of the one before.
    pub(crate) fn keep_checkpoint(
        &self,
        ledger: &LedgerId,
        state: &[u8],
    ) -> Result<(), StoreError> {
        let _moving = self.move_lock.write().unwrap_or_else(PoisonError::into_inner);
        let mut writes = sled::Batch::default();
        let state = Append { ledger: ledger.clone(), seq: Seq(0), bytes: state.to_vec() };
        put(&self.checkpoints, &mut writes, &state)?;
        self.checkpoints.apply_batch(writes).map_err(failed)?;
        // Without a sync, the checkpoint would be lost when the process ends.
        self.sync()
    }

    /// Returns the last checkpoint of a ledger, if it is stored and whole.
    pub(crate) fn checkpoint(&self, ledger: &LedgerId) -> Result<Option<Vec<u8>>, StoreError> {
        let _settled = self.move_lock.read().unwrap_or_else(PoisonError::into_inner);
        match pieced(&self.checkpoints, ledger, Seq(0)) {
            Ok(mut found) => Ok(found.pop().map(|(_, state)| state)),
            // A damaged checkpoint counts as none, because it can be made again.
            Err(StoreError::Damaged(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the documents that have a ledger.
    pub(crate) fn documents(&self) -> Result<Vec<DocumentId>, StoreError> {
        // Packing leaves the newest entries of each ledger loose, so every ledger has entries in this tree.
        Ok(named(&self.ledger, DOCUMENTS)?.into_iter().map(DocumentId::new).collect())
    }

    /// Returns the plans that have a ledger.
    pub(crate) fn plans(&self) -> Result<Vec<PlanId>, StoreError> {
        Ok(named(&self.ledger, PLANS)?.into_iter().map(PlanId::new).collect())
    }
}

impl SledStore {
    /// Whether an entry is stored by itself, outside segments.
    fn is_loose(&self, entry: &Append) -> Result<bool, StoreError> {
        self.ledger.contains_key(ledger_key(&entry.ledger, entry.seq, 0)).map_err(failed)
    }
}
