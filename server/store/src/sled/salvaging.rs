//! Reads what can be read of a damaged database, for a salvage: each value by itself, so that one that is damaged hides no
//! other.
//!
//! sled panics at some kinds of damage, so each step is made under `catch_unwind`. If a page is missing, sled looks for it a
//! million times before that, which takes seconds. So nothing is read that is not needed.

use super::pieces::{DOCUMENTS, PLANS, ledger_prefix, pieced_upto};
use super::records::read_stored;
use super::{FORMAT, FORMAT_BEFORE, FORMAT_KEY, Form, SledStore, failed};
use crate::{Record, StoreError};
use accord_document::ids::{DocumentId, LedgerId, PlanId, Seq};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// A key or value of sled.
type Bytes = sled::IVec;

impl SledStore {
    /// Opens a database of which parts can be missing, also the mark of its form.
    ///
    /// # Errors
    /// Returns an error if sled can't open the database, or if another version of Accord wrote it.
    pub(crate) fn open_what_is_left(path: &Path) -> Result<Self, StoreError> {
        let opened = catch_unwind(|| {
            let store = Self::open_trees(path)?;
            let form = match store.db.get(FORMAT_KEY).map_err(failed)? {
                Some(found) if *found == FORMAT_BEFORE => Form::Before,
                Some(found) if *found != FORMAT => return Err(store.other_version()),
                Some(_) => Form::Present,
                None => Form::New,
            };
            Ok(Self { form, ..store })
        });
        opened.unwrap_or_else(|_| Err(StoreError::Damaged("sled can't open it".into())))
    }

    /// Whether nothing at all can be read.
    pub(crate) fn is_bare(&self) -> bool {
        [&self.ledger, &self.segments, &self.records].iter().all(|tree| first(tree, b"").is_none())
    }

    /// Returns the ledgers of which at least one key can be read.
    pub(crate) fn readable_ledgers(&self) -> BTreeSet<LedgerId> {
        let mut all = BTreeSet::new();
        for tree in [&self.ledger, &self.segments] {
            let documents = readable_names(tree, DOCUMENTS).into_iter();
            all.extend(documents.map(|id| LedgerId::from(DocumentId::new(id))));
            let plans = readable_names(tree, PLANS).into_iter();
            all.extend(plans.map(|id| LedgerId::from(PlanId::new(id))));
            let place = ledger_prefix(&LedgerId::Audit);
            if first(tree, &place).is_some_and(|key| key.starts_with(&place)) {
                all.insert(LedgerId::Audit);
            }
        }
        all
    }

    /// Returns the number after the last entry of a ledger, as far as this can be read.
    pub(crate) fn readable_end(&self, ledger: &LedgerId) -> u64 {
        read(|| self.end(ledger)).unwrap_or(0)
    }

    /// Returns the records that can be read, each with its kind and key, and the number of those that are damaged.
    pub(crate) fn readable_records(&self) -> (Vec<(String, String, Record)>, usize) {
        let pairs = readable_pairs(&self.records);
        let count = pairs.len();
        let read = pairs.iter().filter_map(|(key, value)| read_stored(key, value).ok());
        let records: Vec<_> = read.collect();
        let damaged = count - records.len();
        (records, damaged)
    }
}

/// The entries of one ledger, read one after the other.
#[derive(Debug)]
pub(crate) struct ReadableEntries<'s> {
    store: &'s SledStore,
    ledger: &'s LedgerId,
    /// The segment that was read last, with the number of its first entry.
    segment: Option<(u64, Vec<Vec<u8>>)>,
}

impl<'s> ReadableEntries<'s> {
    pub(crate) fn new(store: &'s SledStore, ledger: &'s LedgerId) -> Self {
        Self { store, ledger, segment: None }
    }

    /// Returns an entry, or `None` if it can't be read.
    pub(crate) fn get(&mut self, seq: u64) -> Option<Vec<u8>> {
        if let Some(packed) = self.packed(seq) {
            return Some(packed);
        }
        let store = self.store;
        let loose = read(|| pieced_upto(&store.ledger, self.ledger, Seq(seq), Seq(seq)));
        if let Some((_, bytes)) = loose.ok().and_then(|mut found| found.pop()) {
            return Some(bytes);
        }
        let first = read(|| store.segment_before(self.ledger, Seq(seq))).ok()?;
        let segment = read(|| store.segment(self.ledger, first)).ok().flatten()?;
        self.segment = Some((first, segment));
        self.packed(seq)
    }

    /// Returns an entry of the segment that was read last.
    fn packed(&self, seq: u64) -> Option<Vec<u8>> {
        let (first, segment) = self.segment.as_ref()?;
        segment.get(usize::try_from(seq.checked_sub(*first)?).ok()?).cloned()
    }
}

/// Reads something. A panic of sled is an error.
fn read<T>(read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let result = catch_unwind(AssertUnwindSafe(read));
    result.unwrap_or_else(|_| Err(StoreError::Damaged("sled can't read it".into())))
}

/// Returns the first key at or after a place.
fn first(tree: &sled::Tree, from: &[u8]) -> Option<Bytes> {
    read(|| tree.range(from..).keys().next().transpose().map_err(failed)).ok().flatten()
}

/// Returns the last key before a place.
fn last_before(tree: &sled::Tree, end: &[u8]) -> Option<Bytes> {
    read(|| tree.range(..end).keys().next_back().transpose().map_err(failed)).ok().flatten()
}

/// Returns the names of ledgers whose keys start with `kind`: forwards up to the first damaged place of the tree, and
/// backwards down to the last one.
fn readable_names(tree: &sled::Tree, kind: &[u8]) -> BTreeSet<String> {
    let name_of = |key: &[u8]| {
        let rest = key.strip_prefix(kind)?;
        let end = rest.iter().position(|&byte| byte == 0)?;
        Some(rest[..end].to_vec())
    };
    let mut names = BTreeSet::new();
    let mut from = kind.to_vec();
    while let Some(name) = first(tree, &from).and_then(|key| name_of(&key)) {
        from = [kind, &name, &[1]].concat();
        names.insert(name);
    }
    let mut end = kind.to_vec();
    end.push(u8::MAX);
    while let Some(name) = last_before(tree, &end).and_then(|key| name_of(&key)) {
        end = [kind, &name, &[0]].concat();
        if !names.insert(name) {
            break;
        }
    }
    names.into_iter().filter_map(|name| String::from_utf8(name).ok()).collect()
}

/// Returns the pairs of a tree: forwards up to the first damaged place, and backwards down to the last one.
fn readable_pairs(tree: &sled::Tree) -> BTreeMap<Bytes, Bytes> {
    let mut pairs = BTreeMap::new();
    let mut all = tree.iter();
    while let Ok(Some((key, value))) = read(|| all.next().transpose().map_err(failed)) {
        pairs.insert(key, value);
    }
    while let Ok(Some((key, value))) = read(|| all.next_back().transpose().map_err(failed)) {
        if pairs.insert(key, value).is_some() {
            break;
        }
    }
    pairs
}
