//! All open connections, counted by [`AddressGroup`], and which of them wait for their peer. A connection waits for its
//! peer until a request arrives, until more of a request's body arrives, or until the peer reads more of the response.
//!
//! When no place is left, one waiting connection is closed: the one that has waited longest in the group with the most
//! waiting connections. So a group that opens thousands of connections loses its own connections, and somebody from
//! elsewhere gets a place. WebSockets are never closed to make room. They belong to people who have signed in, and have
//! separate limits.

use super::open_files::connections_for;
use crate::site::AddressGroup;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// The identity of a connection while it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id(u64);

/// The reason why a connection gets no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The address group has reached its limit, and none of its connections waits for its peer.
    Group,
    /// The server has reached its limit, and no open connection waits for its peer.
    All,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    total: usize,
    /// Maximum number of connections of one address group, or `None` if all connections come from a proxy.
    group: Option<usize>,
}

#[derive(Debug)]
struct Connection {
    group: AddressGroup,
    /// Number that says since when this connection waits for its peer: a connection with a lower number has waited
    /// longer. `None` if this connection does not wait.
    waits: Option<u64>,
    evict: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Group {
    open: usize,
    waiting: BTreeMap<u64, Id>,
}

#[derive(Debug, Default)]
struct Held {
    next: u64,
    connections: HashMap<Id, Connection>,
    groups: HashMap<AddressGroup, Group>,
    /// Connections that wait for their peer, by the number in `waits`: the longest wait first.
    waiting: BTreeMap<u64, Id>,
    /// Address groups with waiting connections, ordered by the number of their waiting connections.
    crowded: BTreeSet<(usize, AddressGroup)>,
}

/// The connections that are currently open. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct OpenConnections {
    limits: Limits,
    held: Arc<Mutex<Held>>,
    count: watch::Sender<usize>,
}

impl OpenConnections {
    /// Creates the count of open connections. At most `most` connections can be open, or fewer if the process can open
    /// only `open_files` files. One address group can have at most `per_group` connections, and at most half of all
    /// connections that can be open. If `per_group` is `None`, groups have no limit.
    pub(crate) fn new(most: usize, open_files: usize, per_group: Option<usize>) -> Self {
        let total = most.min(connections_for(open_files)).max(1);
        let group = per_group.map(|group| group.min(total.div_ceil(2)));
        let limits = Limits { total, group };
        Self { limits, held: Arc::default(), count: watch::channel(0).0 }
    }

    /// Returns the maximum number of open connections.
    pub(crate) fn total(&self) -> usize {
        self.limits.total
    }

    /// Returns the number of open connections.
    pub(crate) fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Waits until no connection is open.
    pub(crate) async fn emptied(&self) {
        // Waiting can't fail, because `self` holds the sender of the channel.
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Takes a place for a new connection, which starts to wait for its first request. If no place is left, closes a
    /// waiting connection. The returned `Notify` is triggered when the new connection must be closed to make room.
    ///
    /// # Errors
    /// Returns an error if there is no place, and no waiting connection can be closed to free one.
    pub(super) fn enter(&self, group: AddressGroup) -> Result<(Id, Arc<Notify>), Full> {
        let mut held = self.held();
        let from_here = held.groups.get(&group).map_or(0, |group| group.open);
        if self.limits.group.is_some_and(|limit| from_here >= limit) {
            held.evict_from(group).ok_or(Full::Group)?;
        } else if held.connections.len() >= self.limits.total {
            held.evict_any().ok_or(Full::All)?;
        }
        let id = Id(held.next);
        let evict = Arc::new(Notify::new());
        held.connections.insert(id, Connection { group, waits: None, evict: evict.clone() });
        held.groups.entry(group).or_default().open += 1;
        held.wait(id);
        self.count.send_replace(held.connections.len());
        Ok((id, evict))
    }

    /// Closes one waiting connection, if there is one, because the operating system can't open more files.
    pub(super) fn evict_one(&self) {
        let mut held = self.held();
        held.evict_any();
        self.count.send_replace(held.connections.len());
    }

    /// Records that a connection waits for its peer. Does nothing if the connection waits already.
    pub(super) fn wait(&self, id: Id) {
        self.held().wait(id);
    }

    /// Records that a connection no longer waits for its peer. The connection can then not be closed to make room.
    pub(super) fn work(&self, id: Id) {
        self.held().work(id);
    }

    /// Frees the place of a connection. Does nothing if the place is free already.
    pub(super) fn leave(&self, id: Id) {
        let mut held = self.held();
        held.leave(id);
        self.count.send_replace(held.connections.len());
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn wait(&mut self, id: Id) {
        let turn = self.next;
        self.next += 1;
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.waits.is_some() {
            return;
        }
        connection.waits = Some(turn);
        let name = connection.group;
        self.waiting.insert(turn, id);
        let Some(group) = self.groups.get_mut(&name) else { return };
        self.crowded.remove(&(group.waiting.len(), name));
        group.waiting.insert(turn, id);
        self.crowded.insert((group.waiting.len(), name));
    }

    fn work(&mut self, id: Id) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let Some(turn) = connection.waits.take() else { return };
        let name = connection.group;
        self.waiting.remove(&turn);
        let Some(group) = self.groups.get_mut(&name) else { return };
        self.crowded.remove(&(group.waiting.len(), name));
        group.waiting.remove(&turn);
        if !group.waiting.is_empty() {
            self.crowded.insert((group.waiting.len(), name));
        }
    }

    fn leave(&mut self, id: Id) {
        self.work(id);
        let Some(connection) = self.connections.remove(&id) else { return };
        if let Some(group) = self.groups.get_mut(&connection.group) {
            group.open -= 1;
            if group.open == 0 {
                self.groups.remove(&connection.group);
            }
        }
    }

    fn evict_from(&mut self, group: AddressGroup) -> Option<()> {
        let (_, id) = self.groups.get(&group)?.waiting.first_key_value()?;
        self.evict(*id)
    }

    fn evict_any(&mut self) -> Option<()> {
        let (most, group) = *self.crowded.last()?;
        if most > 1 {
            return self.evict_from(group);
        }
        // No group has more than one waiting connection, so the longest wait decides.
        let (_, id) = self.waiting.first_key_value()?;
        self.evict(*id)
    }

    /// Frees the place of a connection immediately. The connection's task closes the socket as soon as the task runs.
    fn evict(&mut self, id: Id) -> Option<()> {
        self.connections.get(&id)?.evict.notify_one();
        self.leave(id);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn at(n: u8) -> AddressGroup {
        AddressGroup::of(IpAddr::from([10, 0, 0, n]))
    }

    async fn is_evicted(evict: &Notify) -> bool {
        tokio::time::timeout(std::time::Duration::ZERO, evict.notified()).await.is_ok()
    }

    #[tokio::test]
    async fn somebody_from_elsewhere_gets_in_where_one_group_keeps_all_places() {
        let open = OpenConnections::new(10, usize::MAX, None);
        let crowd: Vec<_> = (0..10).map(|_| open.enter(at(1)).unwrap()).collect();
        open.work(crowd[0].0);
        let (other, _evict) = open.enter(at(2)).expect("the newcomer gets a place");
        assert!(is_evicted(&crowd[1].1).await, "the longest waiting one of the crowd goes");
        assert!(!is_evicted(&crowd[0].1).await, "one that is at work stays");
        assert_eq!(open.count(), 10);
        open.work(other);
        for (id, _) in &crowd {
            open.work(*id);
        }
        assert_eq!(open.enter(at(3)).unwrap_err(), Full::All, "all are at work");
        open.leave(other);
        open.enter(at(3)).expect("a place was given back");
    }

    #[tokio::test]
    async fn one_group_has_at_most_half_and_its_own_go_first() {
        let open = OpenConnections::new(10, usize::MAX, Some(100));
        let crowd: Vec<_> = (0..6).map(|_| open.enter(at(1)).unwrap()).collect();
        assert!(is_evicted(&crowd[0].1).await);
        assert_eq!(open.count(), 5);
        for (id, _) in &crowd {
            open.work(*id);
        }
        assert_eq!(open.enter(at(1)).unwrap_err(), Full::Group);
        open.enter(at(2)).unwrap();
    }

    #[tokio::test]
    async fn among_groups_with_one_each_the_oldest_goes() {
        let open = OpenConnections::new(3, usize::MAX, None);
        let held: Vec<_> = [3, 1, 2].map(|n| open.enter(at(n)).unwrap()).into();
        open.enter(at(4)).unwrap();
        assert!(is_evicted(&held[0].1).await && !is_evicted(&held[1].1).await);
    }

    #[tokio::test]
    async fn a_place_is_given_back_once() {
        let open = OpenConnections::new(3, usize::MAX, None);
        let (id, _evict) = open.enter(at(1)).unwrap();
        open.leave(id);
        open.leave(id);
        open.wait(id);
        assert_eq!(open.count(), 0);
        open.emptied().await;
    }
}
