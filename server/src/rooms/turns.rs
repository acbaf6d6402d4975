//! The order of turns in a room. Frames and HTTP requests are taken from each party in turn. A party is a person, or
//! the readers without a user account in one address group. The number of a party's frames and connections does not
//! change when its turn comes.
//!
//! A party that has used up its [`Budget`] is skipped until the budget has grown again. Only its essential requests are
//! still taken, a few seconds apart.
//!
//! Rule C7.

use super::frame_places::FramePlaces;
use super::pace::{Budget, LongTurns, TimeAccount};
use crate::fair_queue::Requester;
use accord_document::ids::PersonId;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Number of parties from which on a new party makes the room forget idle parties: those that have a full budget, no
/// connection, and no waiting item.
const MAX_IDLE_PARTIES: usize = 1_024;

/// Maximum time for which an essential request waits when its party's budget is overdrawn.
const MAX_ESSENTIAL_WAIT: Duration = Duration::from_secs(10);
/// Wait between two essential requests of a party whose budget is overdrawn, as a multiple of the time that the first
/// request took. With this multiple, essential requests get the same share of the time as long turns: a fiftieth.
const ESSENTIAL_WAIT_FACTOR: u32 = 50;

/// The urgency of an item compared with other items of the same party. A priority never puts one party before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Priority {
    /// An item that is taken after everything that its party sent earlier, once the party's budget allows another turn.
    Ordinary,
    /// A request that earlier requests must not delay for long: to sign, decline, withdraw, reopen or redact, or to see
    /// the list of documents or the top of a document's page. It is taken before the party's ordinary items.
    Essential,
}

/// The waiting items of one party, with its budget.
#[derive(Debug)]
struct Line<T> {
    essential: VecDeque<T>,
    ordinary: VecDeque<T>,
    budget: Budget,
    /// Time from which on an essential item is taken even if the budget is overdrawn.
    essential_from: Instant,
    /// The places of a person's frames, or `None` for readers and for a person who has not connected yet.
    frame_places: Option<FramePlaces>,
}

impl<T> Line<T> {
    fn new(party: &Requester, left: Option<TimeAccount>, long: &LongTurns, now: Instant) -> Self {
        let (essential, ordinary) = (VecDeque::new(), VecDeque::new());
        let budget = Budget::new(party, left, long, now);
        Self { essential, ordinary, budget, essential_from: now, frame_places: None }
    }

    fn is_empty(&self) -> bool {
        self.essential.is_empty() && self.ordinary.is_empty()
    }

    /// Whether this line must be kept: its party is connected, has items waiting, or has spent some of its budget.
    fn is_needed(&mut self, now: Instant) -> bool {
        let is_connected = self.frame_places.as_ref().is_some_and(FramePlaces::is_shared);
        is_connected || !self.is_empty() || !self.budget.is_full(now)
    }

    /// Returns the time until [`take`](Self::take) returns an item. At least one item must be waiting.
    fn wait(&mut self, now: Instant) -> Duration {
        let wait = self.budget.wait(now);
        if self.essential.is_empty() {
            return wait;
        }
        wait.min(self.essential_from.saturating_duration_since(now))
    }

    /// Returns the item that [`take`](Self::take) takes out next, or `None` if no item waits.
    fn head(&self) -> Option<(Priority, &T)> {
        let essential = self.essential.front().map(|item| (Priority::Essential, item));
        essential.or_else(|| Some((Priority::Ordinary, self.ordinary.front()?)))
    }

    fn take(&mut self, now: Instant) -> Option<(Priority, T)> {
        if !self.wait(now).is_zero() {
            return None;
        }
        let essential = self.essential.pop_front().map(|item| (Priority::Essential, item));
        essential.or_else(|| Some((Priority::Ordinary, self.ordinary.pop_front()?)))
    }

    fn spend(&mut self, priority: Priority, time: Duration, now: Instant) {
        self.budget.spend(time, now);
        if priority == Priority::Essential {
            self.essential_from = now + (time * ESSENTIAL_WAIT_FACTOR).min(MAX_ESSENTIAL_WAIT);
        }
    }
}

/// The next item to handle, with its party and priority.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Turn<T> {
    pub(super) party: Requester,
    pub(super) priority: Priority,
    pub(super) item: T,
}

/// The waiting items of all parties, and the order in which the parties have their turns.
#[derive(Debug)]
pub(super) struct Turns<T> {
    lines: HashMap<Requester, Line<T>>,
    /// The parties with waiting items, in the order of their turns.
    ring: VecDeque<Requester>,
    long: LongTurns,
    /// The time accounts from an earlier opening of this room. When a party first does something after this opening,
    /// its account moves into the party's line.
    left: HashMap<Requester, TimeAccount>,
}

impl<T> Turns<T> {
    /// `long` has the time accounts for long turns in all rooms. `left` has the time accounts from an earlier opening
    /// of this room.
    pub(super) fn new(long: LongTurns, left: HashMap<Requester, TimeAccount>) -> Self {
        Self { lines: HashMap::new(), ring: VecDeque::new(), long, left }
    }

    /// Drops all waiting items and returns the time account of each party in this room, because the room closes.
    pub(super) fn close(&mut self) -> impl Iterator<Item = (Requester, TimeAccount)> {
        self.ring.clear();
        let (lines, left) = (std::mem::take(&mut self.lines), std::mem::take(&mut self.left));
        left.into_iter()
            .chain(lines.into_iter().map(|(party, line)| (party, line.budget.into_account())))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Adds an item behind all items of its party that have this priority.
    pub(super) fn push(&mut self, party: &Requester, priority: Priority, item: T, now: Instant) {
        self.enqueue(party, now, |line| match priority {
            Priority::Ordinary => line.ordinary.push_back(item),
            Priority::Essential => line.essential.push_back(item),
        });
    }

    /// Adds an ordinary item before all ordinary items of its party.
    pub(super) fn push_first(&mut self, party: &Requester, item: T, now: Instant) {
        self.enqueue(party, now, |line| line.ordinary.push_front(item));
    }

    fn enqueue(&mut self, party: &Requester, now: Instant, add: impl FnOnce(&mut Line<T>)) {
        let line = self.line(party, now);
        let is_first = line.is_empty();
        add(line);
        if is_first {
            self.ring.push_back(party.clone());
        }
    }

    /// Removes those waiting items of a party for which `is_wanted` returns false.
    pub(super) fn retain(&mut self, party: &Requester, is_wanted: impl Fn(&T) -> bool) {
        let Some(line) = self.lines.get_mut(party).filter(|line| !line.is_empty()) else { return };
        line.essential.retain(&is_wanted);
        line.ordinary.retain(&is_wanted);
        if line.is_empty() {
            self.ring.retain(|waiting| waiting != party);
        }
    }

    /// Returns the places of a person's frames. All connections of the person share these places. Uses `new` if the
    /// person has no places yet.
    pub(super) fn frame_places(
        &mut self,
        person: &PersonId,
        new: FramePlaces,
        now: Instant,
    ) -> FramePlaces {
        let line = self.line(&Requester::Person(person.clone()), now);
        line.frame_places.get_or_insert(new).clone()
    }

    fn line(&mut self, party: &Requester, now: Instant) -> &mut Line<T> {
        if self.lines.len() >= MAX_IDLE_PARTIES && !self.lines.contains_key(party) {
            self.lines.retain(|_, line| line.is_needed(now));
        }
        let (long, left) = (&self.long, &mut self.left);
        let new = || Line::new(party, left.remove(party), long, now);
        self.lines.entry(party.clone()).or_insert_with(new)
    }

    /// Whether items of a party wait.
    pub(super) fn has_waiting(&self, party: &Requester) -> bool {
        self.lines.get(party).is_some_and(|line| !line.is_empty())
    }

    /// Takes out the next item for which `may_begin` returns true, and returns it with its party and priority.
    /// Considers only the first item of each party's line. Returns `None` if `may_begin` returns true for none of them,
    /// or if the parties of all such items must wait for their budgets.
    pub(super) fn next(
        &mut self,
        now: Instant,
        may_begin: impl Fn(&Requester, Priority, &T) -> bool,
    ) -> Option<Turn<T>> {
        let lines = &mut self.lines;
        // The parties that are passed over keep their places in the ring, so that the same party is not overtaken for
        // ever.
        let at = self.ring.iter().position(|party| {
            let Some(line) = lines.get_mut(party) else { return false };
            let head = line.head();
            let is_allowed = head.is_some_and(|(priority, item)| may_begin(party, priority, item));
            is_allowed && line.wait(now).is_zero()
        })?;
        let party = self.ring.remove(at)?;
        let line = self.lines.get_mut(&party)?;
        let (priority, item) = line.take(now)?;
        if !line.is_empty() {
            self.ring.push_back(party.clone());
        }
        Some(Turn { party, priority, item })
    }

    /// Returns the time until [`next`](Self::next) returns an item, or `None` if `may_begin` returns false for every
    /// item that is next in its party's line.
    pub(super) fn wait(
        &mut self,
        now: Instant,
        may_begin: impl Fn(&Requester, Priority, &T) -> bool,
    ) -> Option<Duration> {
        let lines = &mut self.lines;
        let waits = self.ring.iter().filter_map(|party| {
            let line = lines.get_mut(party)?;
            let (priority, item) = line.head()?;
            may_begin(party, priority, item).then(|| line.wait(now))
        });
        waits.min()
    }

    /// Charges a party for the time that a turn took.
    pub(super) fn spend(
        &mut self,
        party: &Requester,
        priority: Priority,
        time: Duration,
        now: Instant,
    ) {
        if let Some(line) = self.lines.get_mut(party) {
            line.spend(priority, time, now);
        }
    }
}

#[cfg(test)]
mod tests;
