//! The order of all elements that were ever written, deleted ones included.
//!
//! The order is that of YATA as Yjs and yrs integrate it (Nicolaescu et al., "Near Real-Time Peer-to-Peer Shared
//! Editing on Extensible Data Types", 2016; Yjs 13 `Item.integrate`). yrs has no public way to ask for this order,
//! nor to walk deleted elements. The order has two uses: to check where new elements may go, and to reconstruct
//! earlier texts of a document.

mod element;
mod integrate;

pub(crate) use element::{
    CompactId, Container, ContainerIndex, Holder, ItemRun, NO_ID, NONE, RunIndex, RunPayload,
};
pub(crate) use integrate::InsertPosition;

use super::scan::Id;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

#[derive(Debug, Clone)]
pub(crate) struct Order<T> {
    /// The client ids. The index of a client in this list is its *number*.
    clients: Vec<u64>,
    /// The number of each client, by its id.
    numbers: HashMap<u64, u32>,
    /// For each client, by its number, the indices of its runs by their first clock.
    starts: Vec<BTreeMap<u32, RunIndex>>,
    next: Vec<u32>,
    pub(crate) runs: Vec<ItemRun<T>>,
    heads: Vec<RunIndex>,
    containers: Vec<Container>,
    container_indexes: HashMap<Container, ContainerIndex>,
    /// The keys that each map ever had, in the order of their first appearance.
    keys: HashMap<Holder, Vec<Arc<str>>>,
    interned: HashSet<Arc<str>>,
}

impl<T> Default for Order<T> {
    fn default() -> Self {
        Self {
            clients: Vec::new(),
            numbers: HashMap::new(),
            starts: Vec::new(),
            next: Vec::new(),
            runs: Vec::new(),
            heads: Vec::new(),
            containers: Vec::new(),
            container_indexes: HashMap::new(),
            keys: HashMap::new(),
            interned: HashSet::new(),
        }
    }
}

impl<T: RunPayload> Order<T> {
    /// Returns the number of runs, including those that [`take_back`](Self::take_back) has removed and
    /// [`rejoin`](Self::rejoin) has not deleted yet.
    pub(crate) fn run_count(&self) -> usize {
        self.runs.len()
    }

    /// Returns the client's first clock that the order does not contain yet.
    pub(crate) fn next(&self, client: u32) -> u32 {
        self.next[client as usize]
    }

    /// Makes the runs directly before and after a run point to that run.
    fn link(&mut self, index: RunIndex) {
        let ItemRun { left, right, container, .. } = self.runs[index as usize];
        match left {
            NONE => self.heads[container as usize] = index,
            left => self.runs[left as usize].right = index,
        }
        if right != NONE {
            self.runs[right as usize].left = index;
        }
    }

    /// Returns the run that contains an element, or `None` if the order does not contain the element.
    pub(crate) fn holding(&self, id: CompactId) -> Option<RunIndex> {
        let starts = self.starts.get(id.client as usize)?;
        let (_, &run) = starts.range(..=id.clock).next_back()?;
        let found = &self.runs[run as usize];
        (id.clock < found.id.clock + found.len).then_some(run)
    }

    /// Returns the run that begins with an element, or `None` if the order does not contain the element. Splits a run
    /// if necessary.
    pub(crate) fn starting_at(&mut self, id: CompactId) -> Option<RunIndex> {
        let run = self.holding(id)?;
        let offset = id.clock - self.runs[run as usize].id.clock;
        Some(if offset == 0 { run } else { self.split(run, offset) })
    }

    /// Returns the run that ends with an element, or `None` if the order does not contain the element. Splits a run
    /// if necessary.
    fn ending_at(&mut self, id: CompactId) -> Option<RunIndex> {
        let run = self.holding(id)?;
        let keep = id.clock + 1 - self.runs[run as usize].id.clock;
        if keep < self.runs[run as usize].len {
            self.split(run, keep);
        }
        Some(run)
    }

    /// Splits a run at an offset. Returns the new run, which contains the elements from the offset on.
    pub(crate) fn split(&mut self, at: RunIndex, offset: u32) -> RunIndex {
        let new = index(self.runs.len());
        let run = &mut self.runs[at as usize];
        let rest = ItemRun {
            id: run.id.plus(offset),
            len: run.len - offset,
            origin: run.id.plus(offset - 1),
            left: at,
            held: run.held.cut(offset),
            ..*run
        };
        run.len = offset;
        self.runs.push(rest);
        self.link(new);
        self.starts[rest.id.client as usize].insert(rest.id.clock, new);
        new
    }

    /// Returns the runs of a client whose first clocks are in `from..to`.
    pub(crate) fn within(&self, client: u32, from: u32, to: u32) -> Vec<RunIndex> {
        self.starts[client as usize].range(from..to).map(|(_, &run)| run).collect()
    }

    pub(crate) fn register_client(&mut self, client: u64) -> u32 {
        *self.numbers.entry(client).or_insert_with(|| {
            self.clients.push(client);
            self.starts.push(BTreeMap::new());
            self.next.push(0);
            index(self.clients.len() - 1)
        })
    }

    /// Returns the number of a client, or `None` if no update has contained structs of it.
    pub(crate) fn client_number(&self, client: u64) -> Option<u32> {
        self.numbers.get(&client).copied()
    }

    pub(crate) fn compact_id(&self, id: Id) -> CompactId {
        self.client_number(id.client).map_or(NO_ID, |client| CompactId { client, clock: id.clock })
    }

    pub(crate) fn client(&self, id: CompactId) -> u64 {
        self.clients[id.client as usize]
    }

    /// Returns the client id that belongs to a client number.
    pub(crate) fn client_id(&self, number: u32) -> u64 {
        self.clients[number as usize]
    }

    pub(crate) fn id_of(&self, run: &ItemRun<T>) -> Id {
        Id { client: self.client(run.id), clock: run.id.clock }
    }

    pub(crate) fn container(&self, index: ContainerIndex) -> &Container {
        &self.containers[index as usize]
    }

    fn container_index(&mut self, container: Container) -> ContainerIndex {
        if let Some(&known) = self.container_indexes.get(&container) {
            return known;
        }
        let new = index(self.heads.len());
        self.heads.push(NONE);
        if let Some(key) = &container.key {
            self.keys.entry(container.parent.clone()).or_default().push(key.clone());
        }
        self.containers.push(container.clone());
        self.container_indexes.insert(container, new);
        new
    }

    /// Returns the shared copy of a name, so that equal names are stored once.
    pub(crate) fn intern(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.interned.get(name) {
            return known.clone();
        }
        let new: Arc<str> = name.into();
        self.interned.insert(new.clone());
        new
    }

    /// Iterates over all runs of a container in order, including runs of deleted elements.
    pub(crate) fn walk(&self, container: &Container) -> impl Iterator<Item = &ItemRun<T>> {
        let head =
            self.container_indexes.get(container).map_or(NONE, |&index| self.heads[index as usize]);
        std::iter::successors(self.runs.get(head as usize), |run| self.runs.get(run.right as usize))
    }

    /// Returns the index of the first run of a container, or [`NONE`] if the container has no runs.
    pub(crate) fn head(&self, container: &Container) -> RunIndex {
        self.container_indexes.get(container).map_or(NONE, |&index| self.heads[index as usize])
    }

    /// Returns all keys that a map ever had.
    pub(crate) fn keys(&self, holder: &Holder) -> &[Arc<str>] {
        self.keys.get(holder).map_or(&[], Vec::as_slice)
    }
}

pub(crate) fn index(len: usize) -> u32 {
    u32::try_from(len).expect("a document has fewer elements than clocks, which fit 32 bits")
}
