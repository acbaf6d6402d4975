//! The order of everything that was ever written in a document, deleted or not.
//!
//! A live document forgets what was deleted. Here nothing is forgotten: each element keeps its place, the
//! number of the entry that brought it and of the one that deleted it. What stood at a moment is then a
//! walk over what was born by then and had not died.
//!
//! The order is that of YATA as Yjs and yrs integrate it (Nicolaescu et al., "Near Real-Time Peer-to-Peer
//! Shared Editing on Extensible Data Types", 2016; Yjs 13 `Item.integrate`). Entries come here checked and
//! in the order of the ledger, so whatever an element refers to is here already.

mod repeats;

use crate::model::delta::any_to_json;
use crate::update::{Body, Content, Id, Parent, Range, Scan, Struct};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use yrs::Any;
use yrs::encoding::read::Cursor;

/// The number of an entry. Half the width of a [`Seq`](crate::ids::Seq), since every element keeps two.
pub(super) type Number = u32;

/// The death of what lives.
pub(super) const NEVER: Number = Number::MAX;

type RunIndex = u32;
type LineIndex = u32;
const NONE: u32 = u32::MAX;

/// An element's identity, with the client as a number of ours: half the width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name {
    client: u32,
    clock: u32,
}

impl Name {
    /// The element so many behind this one of the same client.
    fn plus(self, offset: u32) -> Self {
        if self == NOBODY { NOBODY } else { Self { clock: self.clock + offset, ..self } }
    }
}

const NOBODY: Name = Name { client: NONE, clock: NONE };

/// Elements of one client that follow each other, came together and died together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    name: Name,
    pub(super) len: u32,
    pub(super) born: Number,
    pub(super) died: Number,
    origin: Name,
    right_origin: Name,
    /// What its first element repeats, and the others repeat what follows that.
    repeats: Name,
    pub(super) kind: Kind,
    line: LineIndex,
    right: RunIndex,
}

impl Run {
    /// Whether it was there once an entry was applied.
    pub(super) fn stood_at(&self, moment: Number) -> bool {
        self.born <= moment && moment < self.died
    }
}

/// What a run holds; the number is its first index in the weave's store of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text(u32),
    Embed(u32),
    /// One element: from here on an attribute has a value.
    Format(u32),
    /// One element: a shared type.
    Type(u8),
    Values(u32),
    /// Deleted when it came: what it was, nobody here knows.
    Deleted,
    Other,
}

/// Where elements stand in order: in a text, or one after the other under a key of a map.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) parent: Holder,
    pub(super) key: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    Root(Arc<str>),
    /// The shared type that an element made.
    Nested(Id),
}

#[derive(Debug, Default)]
pub(super) struct Weave {
    clients: Vec<u64>,
    numbers: HashMap<u64, u32>,
    /// Of each client: where its runs begin, and its next clock.
    starts: Vec<BTreeMap<u32, RunIndex>>,
    next: Vec<u32>,
    runs: Vec<Run>,
    heads: Vec<RunIndex>,
    lines: HashMap<Place, LineIndex>,
    /// The keys of each map, in the order in which they first came.
    keys: HashMap<Holder, Vec<Arc<str>>>,
    units: Vec<u16>,
    values: Vec<Value>,
    formats: Vec<(Arc<str>, Value)>,
    names: HashSet<Arc<str>>,
}

impl Weave {
    /// Brings in what an entry added and deleted.
    pub(super) fn integrate(&mut self, scan: &Scan<'_>, entry: Number) {
        let mut fronts: Vec<(u32, &[Struct<'_>])> = Vec::with_capacity(scan.runs.len());
        for run in &scan.runs {
            fronts.push((self.number(run.client), &run.structs));
        }
        // Each pass moves every client as far as it can go, as integration does.
        let mut progress = true;
        while progress {
            progress = false;
            for (client, structs) in &mut fronts {
                while let Some((first, rest)) = structs.split_first() {
                    if !self.is_ready(first) {
                        break;
                    }
                    self.bring(*client, first, entry);
                    *structs = rest;
                    progress = true;
                }
            }
            fronts.retain(|(_, structs)| !structs.is_empty());
        }
        debug_assert!(fronts.is_empty(), "what a checked entry refers to is here");
        for range in &scan.deletes {
            self.bury(range, entry);
        }
    }

    fn is_ready(&self, item: &Struct<'_>) -> bool {
        let Body::Item { origin, right_origin, parent, .. } = &item.body else { return true };
        let parent = match parent {
            Some(Parent::Nested(id)) => Some(*id),
            _ => None,
        };
        let has = |id: Id| {
            self.numbers.get(&id.client).is_some_and(|&n| id.clock < self.next[n as usize])
        };
        [*origin, *right_origin, parent].into_iter().flatten().all(has)
    }

    fn bring(&mut self, client: u32, item: &Struct<'_>, entry: Number) {
        let next = self.next[client as usize];
        if item.end() <= next {
            return;
        }
        // An entry holds what is new alone; a struct of which a part is old begins where it is new.
        let known = next.saturating_sub(item.clock);
        self.next[client as usize] = item.end();
        let Body::Item { origin, right_origin, parent, key, content } = &item.body else { return };
        let origin = match known {
            0 => origin.map_or(NOBODY, |id| self.name(id)),
            _ => Name { client, clock: next - 1 },
        };
        let right_origin = right_origin.map_or(NOBODY, |id| self.name(id));
        let left = self.ending_at(origin);
        let right = self.starting_at(right_origin);
        let line = match parent {
            Some(parent) => {
                let parent = match parent {
                    Parent::Root(name) => Holder::Root(self.intern(name)),
                    Parent::Nested(id) => Holder::Nested(*id),
                };
                let key = key.map(|key| self.intern(key));
                Some(self.line(Place { parent, key }))
            }
            None => left.or(right).map(|beside| self.runs[beside as usize].line),
        };
        // Beside what its sender had collected as garbage stands nothing that could be read.
        let Some(line) = line else { return };
        let kind = self.store(content, known);
        let died = if kind == Kind::Deleted { entry } else { NEVER };
        let name = Name { client, clock: item.clock + known };
        let len = item.len - known;
        let run = Run {
            name,
            len,
            born: entry,
            died,
            origin,
            right_origin,
            repeats: NOBODY,
            kind,
            line,
            right: NONE,
        };
        self.weave_in(run, left, right);
    }

    /// Gives a run its place between the runs it was written between.
    fn weave_in(&mut self, mut run: Run, left: Option<RunIndex>, right: Option<RunIndex>) {
        let index = index(self.runs.len());
        let after = |weave: &Self, left: Option<RunIndex>| match left {
            Some(left) => weave.runs[left as usize].right,
            None => weave.heads[run.line as usize],
        };
        let mut left = left;
        let right = right.unwrap_or(NONE);
        let mut other = after(self, left);
        if other != right {
            // Others wrote at the same place, without knowing of each other.
            let (mut seen, mut rivals) = (HashSet::new(), HashSet::new());
            while other != NONE && other != right {
                seen.insert(other);
                rivals.insert(other);
                let rival = self.runs[other as usize];
                if rival.origin == run.origin {
                    if self.client(rival.name) < self.client(run.name) {
                        left = Some(other);
                        rivals.clear();
                    } else if rival.right_origin == run.right_origin {
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
        }
        run.right = after(self, left);
        match left {
            Some(left) => self.runs[left as usize].right = index,
            None => self.heads[run.line as usize] = index,
        }
        self.starts[run.name.client as usize].insert(run.name.clock, index);
        self.runs.push(run);
    }

    fn bury(&mut self, range: &Range, entry: Number) {
        let Some(&client) = self.numbers.get(&range.client) else { return };
        let end = range.clock + range.len;
        for clock in [range.clock, end] {
            // Splits what is only half deleted.
            let _ = self.starting_at(Name { client, clock });
        }
        for (_, &run) in self.starts[client as usize].range(range.clock..end) {
            let died = &mut self.runs[run as usize].died;
            *died = (*died).min(entry);
        }
    }

    /// The run that holds an element, if it is not garbage.
    fn holding(&self, name: Name) -> Option<RunIndex> {
        let starts = self.starts.get(name.client as usize)?;
        let (_, &run) = starts.range(..=name.clock).next_back()?;
        let found = &self.runs[run as usize];
        (name.clock < found.name.clock + found.len).then_some(run)
    }

    /// The run that begins with an element, split off if need be.
    fn starting_at(&mut self, name: Name) -> Option<RunIndex> {
        let run = self.holding(name)?;
        let offset = name.clock - self.runs[run as usize].name.clock;
        Some(if offset == 0 { run } else { self.split(run, offset) })
    }

    /// The run that ends with an element, split if need be.
    fn ending_at(&mut self, name: Name) -> Option<RunIndex> {
        let run = self.holding(name)?;
        let keep = name.clock + 1 - self.runs[run as usize].name.clock;
        if keep < self.runs[run as usize].len {
            self.split(run, keep);
        }
        Some(run)
    }

    fn split(&mut self, at: RunIndex, offset: u32) -> RunIndex {
        let new = index(self.runs.len());
        let run = &mut self.runs[at as usize];
        let rest = Run {
            name: Name { clock: run.name.clock + offset, ..run.name },
            len: run.len - offset,
            origin: Name { clock: run.name.clock + offset - 1, ..run.name },
            repeats: run.repeats.plus(offset),
            kind: match run.kind {
                Kind::Text(at) => Kind::Text(at + offset),
                Kind::Values(at) => Kind::Values(at + offset),
                one => one,
            },
            ..*run
        };
        run.len = offset;
        run.right = new;
        self.starts[rest.name.client as usize].insert(rest.name.clock, new);
        self.runs.push(rest);
        new
    }

    fn number(&mut self, client: u64) -> u32 {
        *self.numbers.entry(client).or_insert_with(|| {
            self.clients.push(client);
            self.starts.push(BTreeMap::new());
            self.next.push(0);
            index(self.clients.len() - 1)
        })
    }

    fn name(&self, id: Id) -> Name {
        let number = self.numbers.get(&id.client);
        number.map_or(NOBODY, |&client| Name { client, clock: id.clock })
    }

    fn client(&self, name: Name) -> u64 {
        self.clients[name.client as usize]
    }

    fn line(&mut self, place: Place) -> LineIndex {
        if let Some(&line) = self.lines.get(&place) {
            return line;
        }
        let line = index(self.heads.len());
        self.heads.push(NONE);
        if let Some(key) = &place.key {
            self.keys.entry(place.parent.clone()).or_default().push(key.clone());
        }
        self.lines.insert(place, line);
        line
    }

    fn intern(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let new: Arc<str> = name.into();
        self.names.insert(new.clone());
        new
    }

    /// Keeps what an item holds, without its first `skip` elements.
    fn store(&mut self, content: &Content<'_>, skip: u32) -> Kind {
        match *content {
            Content::Text(text) => {
                let at = index(self.units.len());
                self.units.extend(text.encode_utf16().skip(skip as usize));
                Kind::Text(at)
            }
            Content::Embed(json) => {
                self.values.push(json_value(json));
                Kind::Embed(index(self.values.len() - 1))
            }
            Content::Format(name, json) => {
                let name = self.intern(name);
                self.formats.push((name, json_value(json)));
                Kind::Format(index(self.formats.len() - 1))
            }
            Content::Any(bytes) => {
                let at = index(self.values.len());
                // The scan has walked over these bytes, and bounded their nesting.
                let mut rest = Cursor::new(bytes);
                while rest.has_content()
                    && let Ok(any) = Any::decode(&mut rest)
                {
                    self.values.push(any_to_json(&any));
                }
                Kind::Values(at + skip)
            }
            Content::Type(number) => Kind::Type(number),
            Content::Deleted => Kind::Deleted,
            Content::Other => Kind::Other,
        }
    }

    /// All that was ever written in one place, in order.
    pub(super) fn walk(&self, place: &Place) -> impl Iterator<Item = &Run> {
        let head = self.lines.get(place).map_or(NONE, |&line| self.heads[line as usize]);
        std::iter::successors(self.runs.get(head as usize), |run| self.runs.get(run.right as usize))
    }

    /// What stands under a key of a map once an entry was applied.
    pub(super) fn at_key(&self, holder: &Holder, key: &str, moment: Number) -> Option<&Run> {
        let place = Place { parent: holder.clone(), key: Some(key.into()) };
        self.walk(&place).filter(|run| run.stood_at(moment)).last()
    }

    /// The last entry after one and up to another that wrote or deleted something under a key of a map.
    pub(super) fn last_written(
        &self,
        holder: &Holder,
        key: &str,
        after: Number,
        upto: Number,
    ) -> Option<Number> {
        let place = Place { parent: holder.clone(), key: Some(key.into()) };
        let written = self.walk(&place).flat_map(|run| [run.born, run.died]);
        written.filter(|&number| after < number && number <= upto).max()
    }

    /// The keys that a map ever had.
    pub(super) fn keys(&self, holder: &Holder) -> &[Arc<str>] {
        self.keys.get(holder).map_or(&[], Vec::as_slice)
    }

    pub(super) fn id(&self, run: &Run) -> Id {
        Id { client: self.client(run.name), clock: run.name.clock }
    }

    pub(super) fn units(&self, at: u32, len: u32) -> &[u16] {
        &self.units[at as usize..(at + len) as usize]
    }

    pub(super) fn value(&self, at: u32) -> &Value {
        self.values.get(at as usize).unwrap_or(&Value::Null)
    }

    pub(super) fn format(&self, at: u32) -> &(Arc<str>, Value) {
        &self.formats[at as usize]
    }

    /// How much memory it takes, about, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.runs.len() * (size_of::<Run>() + 16) + self.units.len() * 2 + self.values.len() * 64
    }
}

fn json_value(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or(Value::Null)
}

fn index(len: usize) -> u32 {
    u32::try_from(len).expect("a document has fewer elements than clocks, which fit 32 bits")
}
