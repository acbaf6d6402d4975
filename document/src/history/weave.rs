//! The weave: every element that was ever written in a document, in order, including deleted ones.
//!
//! A live document discards the content of deleted elements. The weave discards nothing: each element keeps its place,
//! the number of the entry that inserted it, and the number of the entry that deleted it. To read a text at a moment,
//! walk over the elements of the text and take those that were inserted by that moment and not yet deleted.

mod repeats;
mod sentences;
mod value_memory;

use crate::model::attributes::any_to_json;
use crate::update::order::{
    self, CompactId, ContainerIndex, NO_ID, NONE, Order, RunIndex, RunPayload, index,
};
use crate::update::{Id, ItemContent, Range, Scan, Struct, StructBody};
use serde_json::Value;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use value_memory::memory_of;
use yrs::Any;
use yrs::encoding::read::Cursor;

pub(super) use crate::update::order::{Container, Holder};

/// The number of an entry. It has half the width of a [`Seq`](crate::ids::Seq), because every run stores several.
pub(super) type Number = u32;

/// The value of `died` for a run that is not deleted.
pub(super) const NEVER: Number = Number::MAX;

/// A run: consecutive elements of one client that were inserted by one entry and deleted by one entry.
pub(super) type Run = order::ItemRun<Lifetime>;

/// The data that the weave stores for a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetime {
    /// The entry that inserted the run.
    pub(super) born: Number,
    /// The entry that deleted the run, or [`NEVER`].
    pub(super) died: Number,
    /// The original of the run's first element if the run repeats older text, otherwise `NO_ID`. The originals of the
    /// other elements are the next elements of the same client.
    repeats: CompactId,
    /// The entry that placed the repeated words of this run in a new sentence, or 0 if no entry did. The same person
    /// can have written the words.
    placed: Number,
    pub(super) kind: RunContent,
}

impl Lifetime {
    /// Returns whether the run was in the document right after the entry `moment`.
    pub(super) fn is_present_at(&self, moment: Number) -> bool {
        self.born <= moment && moment < self.died
    }
}

impl RunPayload for Lifetime {
    fn cut(self, offset: u32) -> Self {
        let kind = match self.kind {
            RunContent::Text(at) => RunContent::Text(at + offset),
            RunContent::Values(at) => RunContent::Values(at + offset),
            one => one,
        };
        Self { repeats: self.repeats.plus(offset), kind, ..self }
    }

    fn joins(self, _: Self) -> bool {
        false
    }
}

/// The content of a run. The number in `Text`, `Embed`, `Format` and `Values` is the index of the content of the run's
/// first element in the weave's vector for this kind of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunContent {
    Text(u32),
    Embed(u32),
    /// A single element that gives an attribute a value for the elements after it.
    Format(u32),
    /// A single element that is a shared type. The number is the kind of type.
    Type(u8),
    Values(u32),
    /// Elements that were deleted already when they arrived, so their content is unknown.
    Deleted,
    Other,
}

#[derive(Debug, Default)]
pub(super) struct Weave {
    order: Order<Lifetime>,
    units: Vec<u16>,
    /// The surrogate pairs that were split: the index of the low half in `units`, and the entry that inserted an
    /// element between the halves or deleted only one of them. From that entry on, both halves read as U+FFFD, as in
    /// Yjs and yrs.
    split_pairs: HashMap<u32, Number>,
    values: Vec<Value>,
    formats: Vec<(Arc<str>, Arc<Value>)>,
    /// Approximate memory use of `values` and `formats`, in bytes.
    value_bytes: usize,
}

impl Weave {
    /// Adds the elements that an entry inserted, and marks those that it deleted.
    pub(super) fn integrate(&mut self, scan: &Scan<'_>, entry: Number) {
        let mut order = std::mem::take(&mut self.order);
        let woven = order.walk_new(scan, |order, client, item| {
            self.insert_item(order, client, item, entry);
            Ok::<_, Infallible>(())
        });
        self.order = order;
        debug_assert_eq!(woven, Ok(true), "what a checked entry refers to is here");
        for range in &scan.deletes {
            self.delete_range(range, entry);
        }
    }

    fn insert_item(
        &mut self,
        order: &mut Order<Lifetime>,
        client: u32,
        item: &Struct<'_>,
        entry: Number,
    ) {
        let StructBody::Item { content, .. } = &item.body else { return };
        // An item whose neighbours were all garbage-collected has no place, so nobody can read it, and it is skipped.
        let Some(position) = order.insert_position(client, item) else { return };
        if let Some(order::ItemRun {
            held: Lifetime { kind: RunContent::Text(at), .. }, len, ..
        }) = position.left.map(|left| order.runs[left as usize])
        {
            self.record_split(at + len, entry);
        }
        self.record_split_before(order, position.right, entry);
        // If a part of a struct is already known, the entry inserts only the rest of the struct.
        let known = order.next(client).saturating_sub(item.clock);
        let kind = self.store(order, content, known);
        let is_lost = kind == RunContent::Deleted || is_gone(order, position.container);
        let died = if is_lost { entry } else { NEVER };
        let id = CompactId { client, clock: item.clock + known };
        let held = Lifetime { born: entry, died, repeats: NO_ID, placed: 0, kind };
        let new = order.insert(position, id, item.len - known, held);
        // A key of a map has one value: the last item of the key. So an item that is inserted before another item is
        // deleted immediately, and an item that is inserted at the end deletes the item before it.
        if order.container(position.container).key.is_some() {
            let order::ItemRun { left, right, .. } = order.runs[new as usize];
            let replaced = if right == NONE { left } else { new };
            if replaced != NONE {
                delete_run(order, replaced, entry);
            }
        }
    }

    /// Records that an entry split a surrogate pair, if the low half is at the start of `run`.
    fn record_split_before(
        &mut self,
        order: &Order<Lifetime>,
        run: Option<RunIndex>,
        entry: Number,
    ) {
        let held = run.map(|run| order.runs[run as usize].held);
        if let Some(Lifetime { kind: RunContent::Text(at), .. }) = held {
            self.record_split(at, entry);
        }
    }

    /// Records that an entry split a surrogate pair, if the low half is the code unit at index `at`.
    fn record_split(&mut self, at: u32, entry: Number) {
        let unit = |at: u32| self.units.get(at as usize).copied().unwrap_or_default();
        if is_low(unit(at)) && at > 0 && is_high(unit(at - 1)) {
            self.split_pairs.entry(at).or_insert(entry);
        }
    }

    fn delete_range(&mut self, range: &Range, entry: Number) {
        let Some(client) = self.order.client_number(range.client) else { return };
        let mut order = std::mem::take(&mut self.order);
        let end = range.clock + range.len;
        for clock in [range.clock, end] {
            // Looking up the run that starts at this clock splits a run that is only partly deleted.
            let run = order.starting_at(CompactId { client, clock });
            self.record_split_before(&order, run, entry);
        }
        for run in order.within(client, range.clock, end) {
            delete_run(&mut order, run, entry);
        }
        self.order = order;
    }

    /// Returns whether any element of `range` was in the document right after the entry `moment`.
    pub(super) fn was_present(&self, range: &Range, moment: Number) -> bool {
        let Some(client) = self.order.client_number(range.client) else { return false };
        // The first element can be in the middle of a run, which `within` does not return.
        let first = self.holding(CompactId { client, clock: range.clock });
        let runs = self.order.within(client, range.clock, range.clock + range.len).into_iter();
        let mut runs = first.into_iter().chain(runs.map(|run| &self.order.runs[run as usize]));
        runs.any(|run| run.held.is_present_at(moment))
    }

    fn compact_id(&self, id: Id) -> CompactId {
        self.order.compact_id(id)
    }

    fn holding(&self, id: CompactId) -> Option<&Run> {
        self.order.holding(id).map(|run| &self.order.runs[run as usize])
    }

    /// Stores the content of an item, without its first `skip` elements.
    fn store(
        &mut self,
        order: &mut Order<Lifetime>,
        content: &ItemContent<'_>,
        skip: u32,
    ) -> RunContent {
        match *content {
            ItemContent::Text(text) => {
                let at = index(self.units.len());
                self.units.extend(text.encode_utf16().skip(skip as usize));
                RunContent::Text(at)
            }
            ItemContent::Embed(json) => {
                self.hold(json_value(json));
                RunContent::Embed(index(self.values.len() - 1))
            }
            ItemContent::Format(name, json) => {
                let name = order.intern(name);
                let value = json_value(json);
                self.value_bytes +=
                    2 * size_of::<(Arc<str>, Arc<Value>)>() + 16 + memory_of(&value);
                self.formats.push((name, Arc::new(value)));
                RunContent::Format(index(self.formats.len() - 1))
            }
            ItemContent::Any(bytes) => {
                let at = index(self.values.len());
                // The scan has already checked that these bytes can be decoded, and limited their nesting.
                let mut rest = Cursor::new(bytes);
                while rest.has_content()
                    && let Ok(any) = Any::decode(&mut rest)
                {
                    self.hold(any_to_json(&any));
                }
                RunContent::Values(at + skip)
            }
            ItemContent::Type(number) => RunContent::Type(number),
            ItemContent::Deleted => RunContent::Deleted,
            ItemContent::Other => RunContent::Other,
        }
    }

    fn hold(&mut self, value: Value) {
        self.value_bytes += memory_of(&value);
        self.values.push(value);
    }

    /// Returns all runs that were ever written in one container, in order.
    pub(super) fn walk(&self, container: &Container) -> impl Iterator<Item = &Run> {
        self.order.walk(container)
    }

    /// Returns the value of a map's key right after the entry `moment`, or `None` if the key had none.
    pub(super) fn at_key(&self, holder: &Holder, key: &str, moment: Number) -> Option<&Run> {
        let container = Container { parent: holder.clone(), key: Some(key.into()) };
        let last = self.walk(&container).filter(|run| run.held.born <= moment).last();
        // When the last value is deleted, the values before it do not come back.
        last.filter(|run| run.held.is_present_at(moment))
    }

    /// Returns the last entry after `after` and up to `upto` that wrote or deleted a value of a map's key, or `None` if no
    /// entry did.
    pub(super) fn last_written(
        &self,
        holder: &Holder,
        key: &str,
        after: Number,
        upto: Number,
    ) -> Option<Number> {
        let container = Container { parent: holder.clone(), key: Some(key.into()) };
        let written = self.walk(&container).flat_map(|run| [run.held.born, run.held.died]);
        written.filter(|&number| after < number && number <= upto).max()
    }

    /// Returns the keys that a map ever had.
    pub(super) fn keys(&self, holder: &Holder) -> &[Arc<str>] {
        self.order.keys(holder)
    }

    pub(super) fn id_of(&self, run: &Run) -> Id {
        self.order.id_of(run)
    }

    /// Appends the text of a run at a moment to `out`. If the run begins with the low half of a surrogate pair that was split
    /// at that moment, or whose high half is missing, both halves become U+FFFD. [`TextBuffer::take`] replaces a high half
    /// at the end of the text.
    pub(super) fn append_text(&self, out: &mut TextBuffer, (at, len): (u32, u32), moment: Number) {
        let units = self.units(at, len);
        let is_whole =
            out.end == Some(at) && self.split_pairs.get(&at).is_none_or(|&from| moment < from);
        if units.first().copied().is_some_and(is_low) && !is_whole {
            if let Some(last) = out.units.last_mut().filter(|last| is_high(**last)) {
                *last = ILLEGIBLE;
            }
            out.units.push(ILLEGIBLE);
            out.units.extend_from_slice(&units[1..]);
        } else {
            out.units.extend_from_slice(units);
        }
        out.end = Some(at + len);
    }

    pub(super) fn units(&self, at: u32, len: u32) -> &[u16] {
        &self.units[at as usize..(at + len) as usize]
    }

    pub(super) fn value(&self, at: u32) -> &Value {
        self.values.get(at as usize).unwrap_or(&Value::Null)
    }

    pub(super) fn format(&self, at: u32) -> &(Arc<str>, Arc<Value>) {
        &self.formats[at as usize]
    }

    /// Returns the approximate memory use of the weave, in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.order.runs.len() * (size_of::<Run>() + 16) + self.units.len() * 2 + self.value_bytes
    }
}

/// Returns whether the shared type to which the container belongs was deleted.
fn is_gone(order: &Order<Lifetime>, container: ContainerIndex) -> bool {
    let Holder::Nested(id) = order.container(container).parent else { return false };
    let run = order.holding(order.compact_id(id));
    run.is_none_or(|run| order.runs[run as usize].held.died != NEVER)
}

/// Marks a run as deleted. If it is a shared type, everything in that type is deleted with it.
fn delete_run(order: &mut Order<Lifetime>, run: RunIndex, entry: Number) {
    let mut dying = vec![run];
    while let Some(at) = dying.pop() {
        let run = &mut order.runs[at as usize];
        if run.held.died != NEVER {
            continue;
        }
        run.held.died = entry;
        if matches!(run.held.kind, RunContent::Type(_)) {
            let holder = Holder::Nested(order.id_of(&order.runs[at as usize]));
            let keys = order.keys(&holder).iter().cloned().map(Some);
            let heads = keys
                .chain([None])
                .map(|key| order.head(&Container { parent: holder.clone(), key }));
            for head in heads {
                let right = |&at: &RunIndex| order.runs.get(at as usize).map(|run| run.right);
                let runs = std::iter::successors(Some(head), right);
                dying.extend(runs.take_while(|&at| at != NONE));
            }
        }
    }
}

/// The text of consecutive runs.
#[derive(Debug, Default)]
pub(super) struct TextBuffer {
    units: Vec<u16>,
    /// The end of the run that was appended last, as an index into the weave's `units`.
    end: Option<u32>,
}

impl TextBuffer {
    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Returns the text, and leaves this value empty.
    pub(super) fn take(&mut self) -> String {
        let text = std::mem::take(self);
        String::from_utf16_lossy(&text.units)
    }
}

/// The code unit that replaces half a surrogate pair (U+FFFD).
const ILLEGIBLE: u16 = 0xfffd;

fn is_high(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

fn is_low(unit: u16) -> bool {
    (0xdc00..0xe000).contains(&unit)
}

fn json_value(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or(Value::Null)
}
