//! Whose turn it is in a room: what people send is taken from each of them in turn, however much one of them
//! sends and over however many connections.
//!
//! Whoever has used up their [`Budget`] is passed over until it has grown again.

use super::pace::{Budget, InFlight};
use accord_document::ids::PersonId;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// So many people without a waiting item may be remembered before those with full budgets are forgotten.
const MAX_IDLE_PEOPLE: usize = 1_024;

/// Who takes turns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Party {
    /// A person's frames, over all of their connections.
    Person(PersonId),
    /// All that is asked over HTTP.
    Requests,
}

#[derive(Debug)]
struct Line<T> {
    waiting: VecDeque<T>,
    budget: Budget,
    /// The places of a person's frames, once they have connected.
    in_flight: Option<InFlight>,
}

/// What waits, by party.
#[derive(Debug)]
pub(super) struct Turns<T> {
    lines: HashMap<Party, Line<T>>,
    /// The parties for which something waits; the first is asked first.
    ring: VecDeque<Party>,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { lines: HashMap::new(), ring: VecDeque::new() }
    }
}

impl<T> Turns<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Lets something wait for its party's turn, behind what that party sent before.
    pub(super) fn push(&mut self, party: &Party, item: T, now: Instant) {
        let line = self.line(party, now);
        let is_first = line.waiting.is_empty();
        line.waiting.push_back(item);
        if is_first {
            self.ring.push_back(party.clone());
        }
    }

    /// The places of a person's frames, over all of their connections: as long as anything is remembered of them.
    pub(super) fn in_flight(&mut self, person: &PersonId, new: InFlight, now: Instant) -> InFlight {
        let line = self.line(&Party::Person(person.clone()), now);
        line.in_flight.get_or_insert(new).clone()
    }

    fn line(&mut self, party: &Party, now: Instant) -> &mut Line<T> {
        if self.lines.len() >= MAX_IDLE_PEOPLE && !self.lines.contains_key(party) {
            self.lines.retain(|_, line| !line.waiting.is_empty() || !line.budget.is_full(now));
        }
        let new = || Line { waiting: VecDeque::new(), budget: Budget::new(now), in_flight: None };
        self.lines.entry(party.clone()).or_insert_with(new)
    }

    /// Whether something of a party waits.
    pub(super) fn has_waiting(&self, party: &Party) -> bool {
        self.lines.get(party).is_some_and(|line| !line.waiting.is_empty())
    }

    /// What comes next, and whose it is. Nothing when nobody waits, or all who do must wait longer.
    pub(super) fn next(&mut self, now: Instant) -> Option<(Party, T)> {
        for _ in 0..self.ring.len() {
            let party = self.ring.pop_front()?;
            let line = self.lines.get_mut(&party)?;
            if !line.budget.wait(now).is_zero() {
                self.ring.push_back(party);
                continue;
            }
            let item = line.waiting.pop_front()?;
            if !line.waiting.is_empty() {
                self.ring.push_back(party.clone());
            }
            return Some((party, item));
        }
        None
    }

    /// How long until [`next`](Self::next) gives something; nothing when nobody waits.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Duration> {
        let lines = &mut self.lines;
        self.ring.iter().filter_map(|party| Some(lines.get_mut(party)?.budget.wait(now))).min()
    }

    /// Notes how long a turn took.
    pub(super) fn spend(&mut self, party: &Party, time: Duration, now: Instant) {
        if let Some(line) = self.lines.get_mut(party) {
            line.budget.spend(time, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> Party {
        Party::Person(PersonId::new(name))
    }

    #[test]
    fn one_turn_each_whatever_one_of_them_sends() {
        let now = Instant::now();
        let mut turns = Turns::default();
        (0..100).for_each(|n| turns.push(&person("flood"), n, now));
        turns.push(&person("ana"), 1_000, now);
        turns.push(&Party::Requests, 2_000, now);
        turns.push(&person("ana"), 1_001, now);
        let order: Vec<_> = std::iter::from_fn(|| turns.next(now)).map(|(_, item)| item).collect();
        assert_eq!(order[..7], [0, 1_000, 2_000, 1, 1_001, 2, 3]);
        assert_eq!(order.len(), 103);
        assert!(turns.is_empty());
    }

    #[test]
    fn an_overdrawn_budget_is_passed_over_until_it_has_grown() {
        let now = Instant::now();
        let mut turns = Turns::default();
        turns.push(&person("flood"), 1, now);
        assert_eq!(turns.next(now), Some((person("flood"), 1)));
        turns.spend(&person("flood"), Duration::from_secs(4), now);
        turns.push(&person("flood"), 2, now);
        let wait = turns.wait(now).unwrap();
        assert!(wait > Duration::from_secs(60), "{wait:?}");
        assert_eq!(turns.next(now), None);
        turns.push(&person("ana"), 3, now);
        assert_eq!(turns.wait(now), Some(Duration::ZERO));
        assert_eq!(turns.next(now), Some((person("ana"), 3)));
        assert_eq!(turns.next(now + wait), Some((person("flood"), 2)));
    }

    #[test]
    fn a_new_connection_brings_no_new_budget() {
        let now = Instant::now();
        let mut turns = Turns::default();
        for n in 0..5_000 {
            turns.push(&person(&format!("p{n}")), n, now);
            let (party, _) = turns.next(now).unwrap();
            turns.spend(&party, Duration::from_secs(u64::from(n == 0) * 10), now);
        }
        turns.push(&person("p0"), 1, now);
        assert_eq!(turns.next(now), None, "what p0 has spent is remembered");
        assert!(turns.lines.len() <= MAX_IDLE_PEOPLE + 1);
    }
}
