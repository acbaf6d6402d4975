//! The order of all elements that were ever written, deleted ones included.
//!
//! The order is that of YATA as Yjs and yrs integrate it (Nicolaescu et al., "Near Real-Time Peer-to-Peer
//! Shared Editing on Extensible Data Types", 2016; Yjs 13 `Item.integrate`). yrs has no public way to ask for
//! it, nor to walk what is deleted. It is kept for two ends: to judge where new elements may stand, and to tell
//! what a document said before.

use super::scan::{Id, Parent, Scan, Struct, StructBody};
use super::walk::causal_walk;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

pub(crate) type RunIndex = u32;
pub(crate) type LineIndex = u32;
pub(crate) const NONE: u32 = u32::MAX;

/// An element's identity, with the client as a number of ours: half the width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompactId {
    pub(crate) client: u32,
    pub(crate) clock: u32,
}

pub(crate) const NO_ID: CompactId = CompactId { client: NONE, clock: NONE };

impl CompactId {
    /// The element so many behind this one of the same client.
    pub(crate) fn plus(self, offset: u32) -> Self {
        if self == NO_ID { NO_ID } else { Self { clock: self.clock + offset, ..self } }
    }
}

/// What is kept with a run beside its place.
pub(crate) trait RunPayload: Copy {
    /// What the elements from an offset on hold.
    fn cut(self, offset: u32) -> Self;

    /// Whether elements may be one run with those directly before them, which hold `self`.
    fn joins(self, next: Self) -> bool;
}

impl RunPayload for () {
    fn cut(self, _: u32) -> Self {}

    fn joins(self, (): Self) -> bool {
        true
    }
}

/// Elements of one client that follow each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ItemRun<T> {
    pub(crate) name: CompactId,
    pub(crate) len: u32,
    pub(crate) origin: CompactId,
    pub(crate) right_origin: CompactId,
    pub(crate) line: LineIndex,
    pub(crate) left: RunIndex,
    pub(crate) right: RunIndex,
    pub(crate) held: T,
}

/// Where elements stand in order: in a text, or one after the other under a key of a map.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Container {
    pub(crate) parent: Holder,
    pub(crate) key: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    Root(Arc<str>),
    /// The shared type that an element made.
    Nested(Id),
}

/// Between which elements an item was written, and where those are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InsertPosition {
    pub(crate) line: LineIndex,
    pub(crate) left: Option<RunIndex>,
    pub(crate) right: Option<RunIndex>,
    origin: CompactId,
    right_origin: CompactId,
}

#[derive(Debug)]
pub(crate) struct Order<T> {
    clients: Vec<u64>,
    numbers: HashMap<u64, u32>,
    /// Of each client: where its runs begin, and its next clock.
    starts: Vec<BTreeMap<u32, RunIndex>>,
    next: Vec<u32>,
    pub(crate) runs: Vec<ItemRun<T>>,
    heads: Vec<RunIndex>,
    places: Vec<Container>,
    lines: HashMap<Container, LineIndex>,
    /// The keys of each map, in the order in which they first came.
    keys: HashMap<Holder, Vec<Arc<str>>>,
    names: HashSet<Arc<str>>,
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
            places: Vec::new(),
            lines: HashMap::new(),
            keys: HashMap::new(),
            names: HashSet::new(),
        }
    }
}

impl<T: RunPayload> Order<T> {
    /// Hands out what is new in an update, each struct once what it refers to has been handed out, as
    /// integration does. Gives whether that was all of it.
    ///
    /// # Errors
    /// With the first error of `take`, after which nothing more is handed out.
    pub(crate) fn walk_new<E>(
        &mut self,
        scan: &Scan<'_>,
        mut take: impl FnMut(&mut Self, u32, &Struct<'_>) -> Result<(), E>,
    ) -> Result<bool, E> {
        let mut fronts: Vec<(u32, &[Struct<'_>])> = Vec::with_capacity(scan.runs.len());
        for run in &scan.runs {
            fronts.push((self.number(run.client), &run.structs));
        }
        causal_walk(fronts, |client, item| {
            if !self.is_ready(item) {
                return Ok(false);
            }
            if item.end() > self.next(client) {
                take(self, client, item)?;
                self.next[client as usize] = item.end();
            }
            Ok(true)
        })
    }

    fn is_ready(&self, item: &Struct<'_>) -> bool {
        let StructBody::Item { origin, right_origin, parent, .. } = &item.body else { return true };
        let parent = match parent {
            Some(Parent::Nested(id)) => Some(*id),
            _ => None,
        };
        let has = |id: Id| {
            self.numbers.get(&id.client).is_some_and(|&n| id.clock < self.next[n as usize])
        };
        [*origin, *right_origin, parent].into_iter().flatten().all(has)
    }

    /// The first clock of a client that is not here yet.
    pub(crate) fn next(&self, client: u32) -> u32 {
        self.next[client as usize]
    }

    /// Where what is new of an item stands: none where that is beside, or in, what is here no more.
    pub(crate) fn spot(&mut self, client: u32, item: &Struct<'_>) -> Option<InsertPosition> {
        let StructBody::Item { origin, right_origin, parent, key, .. } = &item.body else {
            return None;
        };
        let next = self.next(client);
        // A struct of which a part is known begins where it is new.
        let origin = if item.clock < next {
            CompactId { client, clock: next - 1 }
        } else {
            origin.map_or(NO_ID, |id| self.name(id))
        };
        let right_origin = right_origin.map_or(NO_ID, |id| self.name(id));
        let right = self.starting_at(right_origin);
        let left = self.ending_at(origin);
        let line = match parent {
            Some(parent) => {
                let parent = match parent {
                    Parent::Root(name) => Holder::Root(self.intern(name)),
                    Parent::Nested(id) => Holder::Nested(*id),
                };
                let key = key.map(|key| self.intern(key));
                self.line(Container { parent, key })
            }
            None => left.or(right).map(|beside| self.runs[beside as usize].line)?,
        };
        Some(InsertPosition { line, left, right, origin, right_origin })
    }

    /// The run that stands first behind the element before a spot.
    pub(crate) fn after(&self, spot: &InsertPosition) -> RunIndex {
        match spot.left {
            Some(left) => self.runs[left as usize].right,
            None => self.heads[spot.line as usize],
        }
    }

    /// Gives elements their place between those that they were written between.
    pub(crate) fn insert(
        &mut self,
        spot: InsertPosition,
        name: CompactId,
        len: u32,
        held: T,
    ) -> RunIndex {
        let InsertPosition { line, left, right, origin, right_origin } = spot;
        let left = self.resolve(left, right, name, &spot);
        let right = match left {
            Some(left) => self.runs[left as usize].right,
            None => self.heads[line as usize],
        };
        if let Some(before) = left
            && self.continues(before, name, &spot, held)
        {
            self.runs[before as usize].len += len;
            return before;
        }
        let index = index(self.runs.len());
        let run = ItemRun {
            name,
            len,
            origin,
            right_origin,
            line,
            left: left.unwrap_or(NONE),
            right,
            held,
        };
        self.runs.push(run);
        self.link(index);
        self.starts[name.client as usize].insert(name.clock, index);
        index
    }

    /// Whether elements can be part of the run before them.
    fn continues(&self, before: RunIndex, name: CompactId, spot: &InsertPosition, held: T) -> bool {
        let run = &self.runs[before as usize];
        run.name.plus(run.len) == name
            && run.name.plus(run.len - 1) == spot.origin
            && run.right_origin == spot.right_origin
            && run.held.joins(held)
    }

    /// What an item goes behind, where others wrote at the same place without knowing of each other.
    fn resolve(
        &self,
        mut left: Option<RunIndex>,
        right: Option<RunIndex>,
        name: CompactId,
        spot: &InsertPosition,
    ) -> Option<RunIndex> {
        let right = right.unwrap_or(NONE);
        let mut other = self.after(spot);
        if other == right {
            return left;
        }
        let (mut seen, mut rivals) = (HashSet::new(), HashSet::new());
        while other != NONE && other != right {
            seen.insert(other);
            rivals.insert(other);
            let rival = &self.runs[other as usize];
            if rival.origin == spot.origin {
                if self.client(rival.name) < self.client(name) {
                    left = Some(other);
                    rivals.clear();
                } else if rival.right_origin == spot.right_origin {
                    break;
                }
            } else {
                let Some(origin) = self.holding(rival.origin) else { break };
                if !seen.contains(&origin) {
                    break;
                }
                if !rivals.contains(&origin) {
                    left = Some(other);
                    rivals.clear();
                }
            }
            other = rival.right;
        }
        left
    }

    /// Lets a run's neighbours know of it.
    fn link(&mut self, index: RunIndex) {
        let ItemRun { left, right, line, .. } = self.runs[index as usize];
        match left {
            NONE => self.heads[line as usize] = index,
            left => self.runs[left as usize].right = index,
        }
        if right != NONE {
            self.runs[right as usize].left = index;
        }
    }

    /// Takes elements of a client out again, from a clock on: the last that it brought.
    pub(crate) fn take_back(&mut self, client: u32, from: u32) {
        let last =
            |order: &Self| order.starts[client as usize].last_key_value().map(|(_, &run)| run);
        while let Some(at) = last(self) {
            let ItemRun { name, len, left, right, line, .. } = self.runs[at as usize];
            if name.clock + len <= from {
                break;
            }
            if name.clock < from {
                self.runs[at as usize].len = from - name.clock;
                break;
            }
            match left {
                NONE => self.heads[line as usize] = right,
                left => self.runs[left as usize].right = right,
            }
            if right != NONE {
                self.runs[right as usize].left = left;
            }
            self.starts[client as usize].pop_last();
        }
        self.next[client as usize] = from;
    }

    /// The run that holds an element, if it is here.
    pub(crate) fn holding(&self, name: CompactId) -> Option<RunIndex> {
        let starts = self.starts.get(name.client as usize)?;
        let (_, &run) = starts.range(..=name.clock).next_back()?;
        let found = &self.runs[run as usize];
        (name.clock < found.name.clock + found.len).then_some(run)
    }

    /// The run that begins with an element, split off if need be.
    pub(crate) fn starting_at(&mut self, name: CompactId) -> Option<RunIndex> {
        let run = self.holding(name)?;
        let offset = name.clock - self.runs[run as usize].name.clock;
        Some(if offset == 0 { run } else { self.split(run, offset) })
    }

    /// The run that ends with an element, split if need be.
    fn ending_at(&mut self, name: CompactId) -> Option<RunIndex> {
        let run = self.holding(name)?;
        let keep = name.clock + 1 - self.runs[run as usize].name.clock;
        if keep < self.runs[run as usize].len {
            self.split(run, keep);
        }
        Some(run)
    }

    /// Makes the elements from an offset on a run of their own.
    pub(crate) fn split(&mut self, at: RunIndex, offset: u32) -> RunIndex {
        let new = index(self.runs.len());
        let run = &mut self.runs[at as usize];
        let rest = ItemRun {
            name: run.name.plus(offset),
            len: run.len - offset,
            origin: run.name.plus(offset - 1),
            left: at,
            held: run.held.cut(offset),
            ..*run
        };
        run.len = offset;
        self.runs.push(rest);
        self.link(new);
        self.starts[rest.name.client as usize].insert(rest.name.clock, new);
        new
    }

    /// The runs of a client that begin within these clocks.
    pub(crate) fn within(&self, client: u32, from: u32, to: u32) -> Vec<RunIndex> {
        self.starts[client as usize].range(from..to).map(|(_, &run)| run).collect()
    }

    pub(crate) fn number(&mut self, client: u64) -> u32 {
        *self.numbers.entry(client).or_insert_with(|| {
            self.clients.push(client);
            self.starts.push(BTreeMap::new());
            self.next.push(0);
            index(self.clients.len() - 1)
        })
    }

    /// The number of a client that has brought something.
    pub(crate) fn known(&self, client: u64) -> Option<u32> {
        self.numbers.get(&client).copied()
    }

    pub(crate) fn name(&self, id: Id) -> CompactId {
        self.known(id.client).map_or(NO_ID, |client| CompactId { client, clock: id.clock })
    }

    pub(crate) fn client(&self, name: CompactId) -> u64 {
        self.clients[name.client as usize]
    }

    /// The client with a number.
    pub(crate) fn client_of(&self, number: u32) -> u64 {
        self.clients[number as usize]
    }

    pub(crate) fn id(&self, run: &ItemRun<T>) -> Id {
        Id { client: self.client(run.name), clock: run.name.clock }
    }

    pub(crate) fn place(&self, line: LineIndex) -> &Container {
        &self.places[line as usize]
    }

    fn line(&mut self, place: Container) -> LineIndex {
        if let Some(&line) = self.lines.get(&place) {
            return line;
        }
        let line = index(self.heads.len());
        self.heads.push(NONE);
        if let Some(key) = &place.key {
            self.keys.entry(place.parent.clone()).or_default().push(key.clone());
        }
        self.places.push(place.clone());
        self.lines.insert(place, line);
        line
    }

    /// One copy of each name.
    pub(crate) fn intern(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let new: Arc<str> = name.into();
        self.names.insert(new.clone());
        new
    }

    /// All that was ever written in one place, in order.
    pub(crate) fn walk(&self, place: &Container) -> impl Iterator<Item = &ItemRun<T>> {
        let head = self.lines.get(place).map_or(NONE, |&line| self.heads[line as usize]);
        std::iter::successors(self.runs.get(head as usize), |run| self.runs.get(run.right as usize))
    }

    /// The first run of a place.
    pub(crate) fn head(&self, place: &Container) -> RunIndex {
        self.lines.get(place).map_or(NONE, |&line| self.heads[line as usize])
    }

    /// The keys that a map ever had.
    pub(crate) fn keys(&self, holder: &Holder) -> &[Arc<str>] {
        self.keys.get(holder).map_or(&[], Vec::as_slice)
    }
}

pub(crate) fn index(len: usize) -> u32 {
    u32::try_from(len).expect("a document has fewer elements than clocks, which fit 32 bits")
}
