//! Stores many older entries of a ledger together as a segment, under the number of the first entry.

use super::pieces::{damaged, ledger_key, missing_entry, pieced, pieced_upto, put, seq_of};
use super::{SledStore, failed};
use crate::{Append, StoreError};
use accord_document::ids::{LedgerId, Seq};
use accord_document::ledger::{MAX_SEGMENT_ENTRIES, pack, unpack};
use std::sync::PoisonError;

/// Number of the newest entries of a ledger that are never packed. Appending looks up the last entry among the loose ones.
pub(super) const MIN_LOOSE_ENTRIES: usize = 64;
/// Maximum size of the entries that are read together or packed into one segment, in bytes before compression. It bounds the
/// memory for reading and packing. A larger entry is read alone, and has a segment of its own.
pub(super) const MAX_ENTRY_BYTES_AT_A_TIME: usize = 8 * 1024 * 1024;
/// Minimum number of entries, without the newest [`MIN_LOOSE_ENTRIES`], for which packing is worth it.
pub(crate) const MIN_PACKED_ENTRIES: usize = 768;

impl SledStore {
    /// Returns the segments that can contain entries from the number `from` on, each with the number of its first
    /// entry.
    pub(super) fn segments_from(
        &self,
        ledger: &LedgerId,
        from: Seq,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        pieced(&self.segments, ledger, Seq(self.segment_before(ledger, from)?))
    }

    /// Returns the number of the first entry of the only segment that can contain an entry: the last segment that
    /// begins at or before this entry. Returns the number of the entry itself if there is no such segment.
    pub(super) fn segment_before(&self, ledger: &LedgerId, seq: Seq) -> Result<u64, StoreError> {
        let upto = ledger_key(ledger, Seq(0), 0)..=ledger_key(ledger, seq, u16::MAX);
        match self.segments.range(upto).next_back() {
            Some(pair) => Ok(seq_of(ledger, &pair.map_err(failed)?.0)?.0),
            None => Ok(seq.0),
        }
    }

    /// Returns the entries of the segment whose first entry has the number `first`, or `None` if there is no such segment.
    pub(super) fn segment(
        &self,
        ledger: &LedgerId,
        first: u64,
    ) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        let stored = pieced_upto(&self.segments, ledger, Seq(first), Seq(first))?.pop();
        stored.map(|(_, segment)| unpack_segment(ledger, &segment)).transpose()
    }

    /// Whether the ledger has an entry with this number or a higher one.
    pub(super) fn has_entries_from(
        &self,
        ledger: &LedgerId,
        from: Seq,
    ) -> Result<bool, StoreError> {
        let rest = || ledger_key(ledger, from, 0)..=ledger_key(ledger, Seq(u64::MAX), u16::MAX);
        for tree in [&self.ledger, &self.segments] {
            if tree.range(rest()).next().transpose().map_err(failed)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the number after the ledger's last loose entry, or `None` if no entry is loose.
    pub(super) fn loose_end(&self, ledger: &LedgerId) -> Result<Option<u64>, StoreError> {
        let all = ledger_key(ledger, Seq(0), 0)..=ledger_key(ledger, Seq(u64::MAX), u16::MAX);
        let Some(key) = self.ledger.range(all).keys().next_back() else { return Ok(None) };
        let (seq, _) = seq_of(ledger, &key.map_err(failed)?)?;
        Ok(Some(seq + 1))
    }

    /// Returns the loose entries from the number `first` on, up to the first gap, but at most `at_most` of them. Together they
    /// have at most [`MAX_ENTRY_BYTES_AT_A_TIME`] bytes, unless the first entry alone is larger.
    pub(super) fn some_loose(
        &self,
        ledger: &LedgerId,
        first: u64,
        at_most: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let (mut some, mut bytes) = (Vec::new(), 0);
        for seq in (first..).take(at_most) {
            let entry = pieced_upto(&self.ledger, ledger, Seq(seq), Seq(seq))?.pop();
            let Some((_, entry)) = entry else { break };
            bytes += entry.len();
            if bytes > MAX_ENTRY_BYTES_AT_A_TIME && !some.is_empty() {
                break;
            }
            some.push(entry);
        }
        Ok(some)
    }

    /// Packs the oldest loose entries into one segment, and returns the number of entries packed: 0 if there are too few. The
    /// lock is held for one segment at a time, so that readers wait for at most one.
    pub(super) fn pack_some(&self, ledger: &LedgerId) -> Result<usize, StoreError> {
        let _moving = self.move_lock.write().unwrap_or_else(PoisonError::into_inner);
        let Some(end) = self.loose_end(ledger)? else { return Ok(0) };
        let first = self.packed_end(ledger)?;
        let loose = usize::try_from(end.saturating_sub(first)).unwrap_or(usize::MAX);
        let settled = loose.saturating_sub(MIN_LOOSE_ENTRIES);
        if settled < MIN_PACKED_ENTRIES {
            return Ok(0);
        }
        let chunk = self.some_loose(ledger, first, settled.min(MAX_SEGMENT_ENTRIES))?;
        if chunk.is_empty() {
            return Err(missing_entry(ledger, first));
        }
        let segment = pack_segment(ledger, &chunk)?;
        // The segment must unpack to the same entries before the loose ones are removed.
        if unpack_segment(ledger, &segment)? != chunk {
            return Err(damaged(ledger, "can't be packed"));
        }
        let mut writes = sled::Batch::default();
        let segment = Append { ledger: ledger.clone(), seq: Seq(first), bytes: segment };
        put(&self.segments, &mut writes, &segment)?;
        self.segments.apply_batch(writes).map_err(failed)?;
        self.sync()?;
        // If the server stops here, the entries are stored both in the segment and loose. The next packing removes the
        // loose ones.
        let mut removals = sled::Batch::default();
        let behind = Seq(first + chunk.len() as u64);
        for key in
            self.ledger.range(ledger_key(ledger, Seq(0), 0)..ledger_key(ledger, behind, 0)).keys()
        {
            removals.remove(key.map_err(failed)?);
        }
        self.ledger.apply_batch(removals).map_err(failed)?;
        Ok(chunk.len())
    }

    /// Returns the number of the first entry that is in no segment.
    fn packed_end(&self, ledger: &LedgerId) -> Result<u64, StoreError> {
        match self.segments_from(ledger, Seq(u64::MAX))?.pop() {
            Some((first, segment)) => Ok(first + unpack_segment(ledger, &segment)?.len() as u64),
            None => Ok(0),
        }
    }

    /// Replaces those of `entries` that the segment with the first entry `first` contains, and returns the others, which that
    /// segment does not contain.
    pub(super) fn replace_in_segment<'e>(
        &self,
        ledger: &LedgerId,
        first: u64,
        entries: Vec<&'e Append>,
        writes: &mut sled::Batch,
    ) -> Result<Vec<&'e Append>, StoreError> {
        let Some(mut segment) = self.segment(ledger, first)? else { return Ok(entries) };
        let mut others = Vec::new();
        let mut is_changed = false;
        for entry in entries {
            let place = usize::try_from(entry.seq.0 - first).unwrap_or(usize::MAX);
            match segment.get_mut(place) {
                Some(old) => {
                    old.clone_from(&entry.bytes);
                    is_changed = true;
                }
                None => others.push(entry),
            }
        }
        if is_changed {
            let bytes = pack_segment(ledger, &segment)?;
            let segment = Append { ledger: ledger.clone(), seq: Seq(first), bytes };
            put(&self.segments, writes, &segment)?;
        }
        Ok(others)
    }
}

fn pack_segment(ledger: &LedgerId, entries: &[Vec<u8>]) -> Result<Vec<u8>, StoreError> {
    pack(entries).map_err(|error| damaged(ledger, &error.to_string()))
}

pub(super) fn unpack_segment(
    ledger: &LedgerId,
    segment: &[u8],
) -> Result<Vec<Vec<u8>>, StoreError> {
    unpack(segment).map_err(|error| damaged(ledger, &error.to_string()))
}
