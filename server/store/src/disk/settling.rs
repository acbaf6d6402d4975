//! Settles: writes to sled what was committed, writes the witness, frees the log, and notes the last batch (`noted.rs`).

use super::comparing::compare;
use super::errors::{failed, words_of};
use super::layer::Layer;
use super::noted::Noted;
use super::witness::Witness;
use super::{Settlement, Settler, Shared, Writer, lock};
use crate::StoreError;
use crate::log::{Position, zero_all};
use crate::staging::Resolved;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Size of a layer, in bytes, from which it is settled.
const SETTLED_BYTES: usize = 512 * 1024;
/// Size of the newest layer, in bytes, from which commits wait until the layer before has settled.
const MAX_LAYER_BYTES: usize = 8 * 1024 * 1024;
/// Maximum time that a removal waits until sled, which has failed, is opened again.
const MAX_WAIT_FOR_SLED: Duration = Duration::from_secs(5);
/// Maximum time between two rounds of the settler. Each round notes the last batch, and tries again to settle what could
/// not be settled before.
const MAX_ROUND_INTERVAL: Duration = Duration::from_secs(1);

impl Settler {
    /// Starts the thread.
    ///
    /// # Errors
    /// Returns an error if the system can't create the thread.
    pub(super) fn start(shared: Arc<Shared>, noted: Noted) -> io::Result<Self> {
        let own = shared.clone();
        let thread =
            thread::Builder::new().name("settler".into()).spawn(move || own.settle_on(noted))?;
        Ok(Self { shared, thread: Some(thread) })
    }
}

impl Drop for Settler {
    fn drop(&mut self) {
        lock(&self.shared.settlement).is_stopping = true;
        self.shared.due.notify_all();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        let mut writer = lock(&self.shared.writer);
        if self.shared.stopped.get().is_none() {
            let witness = lock(&self.shared.witness);
            // If this fails, the log still has everything.
            drop(catch_unwind(AssertUnwindSafe(|| {
                self.shared.settle_all_and(&mut writer, witness, &[])
            })));
        }
    }
}

impl Shared {
    fn settle_on(&self, mut noted: Noted) {
        loop {
            let (is_due, is_stopping) = {
                let state = lock(&self.settlement);
                let waits = |state: &mut Settlement| {
                    let can_settle = state.failed.is_none() && self.stopped.get().is_none();
                    !(state.is_stopping || state.is_due && can_settle)
                };
                let waited = self.due.wait_timeout_while(state, MAX_ROUND_INTERVAL, waits);
                let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
                (state.is_due, state.is_stopping)
            };
            let last = *lock(&self.acknowledged);
            // The note is only a help for the next opening. If it can't be written, the next one is tried.
            drop(noted.note(last));
            if is_stopping {
                return;
            }
            if self.stopped.get().is_some() {
                self.settled.notify_all();
                continue;
            }
            if self.sled.has_failed() {
                // The layer is written again, and sled is compared with the witness.
                self.settle_from(0);
                self.settle();
            } else if is_due {
                self.settle();
            }
        }
    }

    /// Begins to settle the newest layer if it is large enough and no other is being settled.
    pub(super) fn settle_if_large(&self) {
        self.settle_from(SETTLED_BYTES);
    }

    /// Begins to settle the newest layer if it has at least so many bytes and no other is being settled.
    fn settle_from(&self, min_bytes: usize) {
        let mut state = lock(&self.settlement);
        let mut layers = self.layers_mut();
        let is_over = self.stopped.get().is_some() || layers.settling.is_some();
        if layers.newest.bytes < min_bytes || is_over {
            return;
        }
        let upto = layers.newest.upto;
        let full = std::mem::replace(&mut layers.newest, Layer::new(upto));
        layers.settling = Some(Arc::new(full));
        state.is_due = true;
        self.due.notify_all();
    }

    /// Waits until the newest layer has room for another commit.
    ///
    /// # Errors
    /// Returns the reason why nothing can be settled, for example that the disk is full.
    pub(super) fn wait_for_space(&self) -> Result<(), StoreError> {
        let has_space = || {
            let layers = self.layers();
            layers.newest.bytes < MAX_LAYER_BYTES
        };
        while !has_space() {
            self.settle_if_large();
            if has_space() {
                break;
            }
            self.wait_until_settled()?;
        }
        Ok(())
    }

    /// Waits until sled is open again if it has failed, but not for ever. A removal that comes before is refused.
    pub(super) fn wait_for_sled(&self) {
        let state = lock(&self.settlement);
        let waits = |_: &mut Settlement| self.sled.has_failed() && self.stopped.get().is_none();
        drop(self.settled.wait_timeout_while(state, MAX_WAIT_FOR_SLED, waits));
    }

    /// Settles everything that was committed before this call, and waits until that is done.
    ///
    /// # Errors
    /// Returns the reason why nothing can be settled.
    pub(super) fn settle_now(&self) -> Result<(), StoreError> {
        self.wait_until_settled()?;
        self.settle_from(0);
        self.wait_until_settled()
    }

    /// Waits until nothing is being settled.
    fn wait_until_settled(&self) -> Result<(), StoreError> {
        let state = lock(&self.settlement);
        let is_over = |state: &Settlement| state.failed.is_some() || self.stopped.get().is_some();
        let state = self.settled.wait_while(state, |state| state.is_due && !is_over(state));
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let error = self.stopped.get().or(state.failed.as_ref());
        error.cloned().map_or(Ok(()), Err)
    }

    /// Settles the layer that is due.
    fn settle(&self) {
        let mut witness = lock(&self.witness);
        let settling = {
            let layers = self.layers();
            layers.settling.clone()
        };
        let Some(layer) = settling else { return };
        // sled panics at some kinds of damage. The callers that wait for this settlement must learn that it failed.
        let result = catch_unwind(AssertUnwindSafe(|| self.settle_layer(&mut witness, &layer)));
        let result = result.unwrap_or_else(|panic| {
            let error = StoreError::Failed(words_of(&*panic).into());
            self.sled.notice(&error);
            Err(error)
        });
        let mut state = lock(&self.settlement);
        match (&result, &state.failed) {
            (Err(error), None) => tracing::error!(%error, "the store can't settle"),
            (Ok(()), Some(_)) => tracing::info!("the store settles again"),
            _ => {}
        }
        let is_settled = result.is_ok();
        state.failed = result.err();
        if let Some(error @ StoreError::Damaged(_)) = &state.failed {
            self.stop(StoreError::Failed(error.to_string()));
        }
        let mut upto = None;
        if is_settled {
            self.layers_mut().settling = None;
            state.is_due = false;
            upto = state.last.replace(witness.settled);
        }
        drop((state, witness));
        self.settled.notify_all();
        // A segment that can't be freed now is freed with the next ones.
        if let Some(Err(error)) = upto.map(|upto| self.free_upto(upto)) {
            tracing::error!(%error, "a part of the log can't be freed");
        }
    }

    fn settle_layer(&self, witness: &mut Witness, layer: &Layer) -> Result<(), StoreError> {
        self.reopen_if_failed(&[layer], witness)?;
        self.room.check()?;
        let next = self.write_layers(&[layer], witness)?;
        next.write(&self.path).map_err(|error| failed(&error))?;
        *witness = next;
        Ok(())
    }

    /// Opens sled again if it has failed. It must have everything that the witness says, and can have any part of the layers
    /// that are being settled.
    fn reopen_if_failed(&self, layers: &[&Layer], witness: &Witness) -> Result<(), StoreError> {
        if !self.sled.has_failed() {
            return Ok(());
        }
        self.sled.reopen(|sled| {
            let damaged = compare(sled, witness, layers)?;
            let new = damaged.into_iter().find(|(ledger, _)| !self.damaged.contains_key(ledger));
            new.map_or(Ok(()), |(_, what)| Err(StoreError::Damaged(what)))
        })?;
        tracing::warn!("the database had failed and was opened again");
        Ok(())
    }

    /// Writes layers to sled. They are on disk when this returns. Returns what sled must contain then.
    fn write_layers(&self, layers: &[&Layer], witness: &Witness) -> Result<Witness, StoreError> {
        self.sled.with(|sled| {
            for layer in layers {
                sled.write(layer.appends(), layer.records.iter().map(|(id, c)| (id, &c.new)))?;
            }
            sled.sync()
        })?;
        let mut next = witness.clone();
        layers.iter().for_each(|layer| next.settle(layer));
        Ok(next)
    }

    /// Frees the segments of the log whose batches are all at or before a place.
    fn free_upto(&self, upto: Position) -> io::Result<()> {
        let mut freeing = {
            let mut writer = lock(&self.writer);
            // Locked before the writer is free, so that a removal waits until these segments are zero.
            let mut freeing = lock(&self.freeing);
            writer.log.take_upto(upto.batch, &mut freeing)?;
            freeing
        };
        let freed = zero_all(&mut freeing)?;
        drop(freeing);
        let mut writer = lock(&self.writer);
        freed.into_iter().try_for_each(|freed| writer.log.give_back(freed))
    }

    /// Frees the whole log. No old bytes are left in it when this returns.
    fn free_all(&self, writer: &mut Writer) -> io::Result<()> {
        let mut freeing = lock(&self.freeing);
        let last = writer.log.position().batch;
        writer.log.take_upto(last, &mut freeing)?;
        zero_all(&mut freeing)?.into_iter().try_for_each(|freed| writer.log.give_back(freed))
    }

    /// Settles everything that was committed, and then rewrites and erases. No copy of what was rewritten or erased stays
    /// in the log.
    pub(super) fn remove_at_once(
        &self,
        writer: &mut Writer,
        witness: MutexGuard<'_, Witness>,
        removals: &[Resolved],
    ) -> Result<(), StoreError> {
        let result = self
            .settle_all_and(writer, witness, removals)
            .and_then(|()| self.free_all(writer).map_err(|error| failed(&error)));
        if let Err(error) = &result {
            // The log has the change, and the next opening makes it. Until then, nothing more is committed.
            self.stop(StoreError::Failed(error.to_string()));
        }
        result
    }

    /// Settles everything that was committed, and makes the rewrites and erasures among `removals`. If this fails, nothing
    /// more is settled: the witness would say that sled has taken in what failed.
    fn settle_all_and(
        &self,
        writer: &mut Writer,
        mut witness: MutexGuard<'_, Witness>,
        removals: &[Resolved],
    ) -> Result<(), StoreError> {
        let result = self.try_to_settle_all(writer, &mut witness, removals);
        if let Err(error) = &result {
            self.stop(StoreError::Failed(error.to_string()));
        }
        drop(witness);
        self.settled.notify_all();
        result
    }

    fn try_to_settle_all(
        &self,
        writer: &Writer,
        witness: &mut Witness,
        removals: &[Resolved],
    ) -> Result<(), StoreError> {
        let (settling, newest) = {
            let layers = self.layers();
            (layers.settling.clone(), layers.newest.clone())
        };
        let layers: Vec<&Layer> = settling.as_deref().into_iter().chain([&newest]).collect();
        self.reopen_if_failed(&layers, witness)?;
        let mut next = self.write_layers(&layers, witness)?;
        self.removals.fetch_add(1, Ordering::AcqRel);
        let made = self.rewrite_and_erase(removals, &mut next).and_then(|()| {
            next.write(&self.path).map_err(|error| failed(&error))?;
            *witness = next;
            let mut state = lock(&self.settlement);
            let mut layers = self.layers_mut();
            layers.settling = None;
            layers.newest = Layer::new(writer.log.position());
            state.is_due = false;
            state.failed = None;
            state.last = Some(writer.log.position());
            Ok(())
        });
        self.removals.fetch_add(1, Ordering::AcqRel);
        made
    }

    fn rewrite_and_erase(
        &self,
        removals: &[Resolved],
        witness: &mut Witness,
    ) -> Result<(), StoreError> {
        let rewritten = removals.iter().filter_map(|change| match change {
            Resolved::Rewrite(append) => Some(append.clone()),
            _ => None,
        });
        let rewritten: Vec<_> = rewritten.collect();
        if !rewritten.is_empty() {
            self.sled.with(|sled| sled.rewrite(&rewritten))?;
        }
        rewritten.iter().for_each(|append| witness.rewrite(append));
        for change in removals {
            if let Resolved::Erase(ledger) = change {
                self.sled.with(|sled| sled.erase(ledger))?;
                witness.ledgers.remove(ledger);
            }
        }
        Ok(())
    }
}
