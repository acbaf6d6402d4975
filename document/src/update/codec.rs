//! Encodes a [`StructIndex`] for checkpoints, and decodes it.

use super::causal_histories::CausalHistories;
use super::index::{KnownClient, Location, LocationRuns, StructIndex};
use super::order::{self, CompactId, Holder, Order};
use super::scan::{Id, Scan};
use crate::ids::PersonId;
use crate::lib0::{ReadError, Reader, Write};
use std::collections::HashMap;
use std::convert::Infallible;
use yrs::{ClientID, ID, IdSet};

/// The tag of an encoded location whose parent is a root type.
const ROOT: u64 = 0;
/// The tag of an encoded location whose parent is a nested shared type.
const NESTED: u64 = 1;
/// The number that is added to `ROOT` or `NESTED` if the location has a key.
const KEYED: u64 = 2;
/// The tag of an encoded location that is `Collected`.
const GONE: u64 = 4;

impl StructIndex {
    /// Encodes the index without its order.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.put_clients(&mut out);
        self.put_locations(&mut out);
        out.put_var(self.types.len() as u64);
        for (id, depth) in &self.types {
            put_id(&mut out, *id);
            out.put_var(u64::from(*depth));
        }
        self.put_sightings(&mut out);
        self.put_deleted(&mut out);
        out
    }

    /// Writes the next clock, the owner and the location runs of each client.
    fn put_clients(&self, out: &mut Vec<u8>) {
        let mut clients: Vec<_> = self.clients.iter().collect();
        clients.sort_unstable_by_key(|(client, _)| **client);
        out.put_var(clients.len() as u64);
        for (client, known) in clients {
            out.put_var(*client);
            out.put_var(u64::from(known.next));
            out.put_buf(known.owner.as_str().as_bytes());
            out.put_var(known.location_runs.len() as u64);
            for (clock, location) in &known.location_runs {
                out.put_var(u64::from(*clock));
                out.put_var(u64::from(*location));
            }
        }
    }

    fn put_locations(&self, out: &mut Vec<u8>) {
        out.put_var(self.locations.len() as u64);
        for location in &self.locations {
            let Location::In(order::Container { parent, key }) = location else {
                out.put_var(GONE);
                continue;
            };
            out.put_var(u64::from(key.is_some()) * KEYED + kind(parent));
            match parent {
                Holder::Root(name) => out.put_buf(name.as_bytes()),
                Holder::Nested(id) => put_id(out, *id),
            }
            if let Some(key) = key {
                out.put_buf(key.as_bytes());
            }
        }
    }

    /// Writes the causal history of each client (the viewer). A history has a list of pairs for each other client. A
    /// pair is a clock of the viewer, and the other client's first clock that the viewer had not seen at that clock.
    fn put_sightings(&self, out: &mut Vec<u8>) {
        let viewers: Vec<_> = self.seen.viewers().collect();
        out.put_var(viewers.len() as u64);
        for (client, others) in viewers {
            out.put_var(client);
            out.put_var(others as u64);
            for (other, all) in self.seen.sightings_of(client) {
                out.put_var(other);
                out.put_var(all.len() as u64);
                for (at, upto) in all {
                    out.put_var(u64::from(*at));
                    out.put_var(u64::from(*upto));
                }
            }
        }
    }

    fn put_deleted(&self, out: &mut Vec<u8>) {
        let deleted: Vec<_> = self
            .deleted
            .iter()
            .flat_map(|(client, ranges)| ranges.iter().map(|range| (client.get(), range.clone())))
            .collect();
        out.put_var(deleted.len() as u64);
        for (client, range) in deleted {
            out.put_var(client);
            out.put_var(u64::from(range.start));
            out.put_var(u64::from(range.end - range.start));
        }
    }

    /// Rebuilds the order, which [`encode`](Self::encode) leaves out, from the whole document. The elements were
    /// checked before, and are not checked again. Returns the index of the run of each struct, in the order in which the
    /// structs can be integrated, or `None` if a struct refers to content that the document does not contain.
    pub(crate) fn reorder(&mut self, document: &Scan<'_>) -> Option<Vec<u32>> {
        let mut order = Order::default();
        let mut causal_order = Vec::new();
        let all = order.walk_new(document, |order, client, item| {
            // The clients of an order that was empty have the numbers of their runs.
            causal_order.push(client);
            if let Some(position) = order.insert_position(client, item) {
                let id = CompactId { client, clock: item.clock };
                order.insert(position, id, item.len, ());
            }
            Ok::<_, Infallible>(())
        });
        self.order = order;
        (all == Ok(true)).then_some(causal_order)
    }

    /// Decodes an index that [`encode`](Self::encode) has encoded.
    ///
    /// # Errors
    /// Returns an error if the bytes are not an encoded index.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, ReadError> {
        let mut r = Reader::new(bytes);
        let mut known = Self { clients: read_clients(&mut r)?, ..Self::default() };
        for _ in 0..r.count()? {
            let kind = r.var_u64()?;
            let location = if kind == GONE {
                Location::Collected
            } else {
                let parent = match kind % KEYED {
                    ROOT => Holder::Root(r.string()?.into()),
                    _ => Holder::Nested(read_id(&mut r)?),
                };
                let key = if kind >= KEYED { Some(r.string()?.into()) } else { None };
                Location::In(order::Container { parent, key })
            };
            known.location_indexes.insert(location.clone(), known.locations.len() as u32);
            known.locations.push(location);
        }
        for _ in 0..r.count()? {
            let id = read_id(&mut r)?;
            let depth = u8::try_from(r.var_u64()?).map_err(|_| ReadError::Overflow)?;
            known.types.insert(id, depth);
        }
        known.seen = read_sightings(&mut r)?;
        let mut deleted = IdSet::new();
        for _ in 0..r.count()? {
            let (client, clock, len) = (r.var_u64()?, r.var_u32()?, r.var_u32()?);
            deleted.insert(ID::new(ClientID::new(client), clock), len);
        }
        known.deleted = deleted;
        if r.is_empty() { Ok(known) } else { Err(ReadError::Trailing) }
    }
}

fn read_clients(r: &mut Reader<'_>) -> Result<HashMap<u64, KnownClient>, ReadError> {
    let count = r.count()?;
    let mut clients = HashMap::with_capacity(count);
    // Many ids belong to few people, so they share the text of the person's id.
    let mut people: HashMap<&str, PersonId> = HashMap::new();
    for _ in 0..count {
        let client = r.var_u64()?;
        let next = r.var_u32()?;
        let person = r.string()?;
        let owner = people.entry(person).or_insert_with(|| PersonId::new(person)).clone();
        let runs = r.count()?;
        let mut location_runs = LocationRuns::with_capacity(runs);
        for _ in 0..runs {
            location_runs.push((r.var_u32()?, r.var_u32()?));
        }
        clients.insert(client, KnownClient { next, owner, location_runs });
    }
    Ok(clients)
}

fn read_sightings(r: &mut Reader<'_>) -> Result<CausalHistories, ReadError> {
    let mut sightings = Vec::new();
    for _ in 0..r.count()? {
        let viewer = r.var_u64()?;
        for _ in 0..r.count()? {
            let seen = r.var_u64()?;
            let count = r.count()?;
            let mut all = Vec::with_capacity(count);
            for _ in 0..count {
                all.push((r.var_u32()?, r.var_u32()?));
            }
            sightings.push(((viewer, seen), all));
        }
    }
    Ok(CausalHistories::restore(sightings))
}

fn kind(parent: &Holder) -> u64 {
    match parent {
        Holder::Root(_) => ROOT,
        Holder::Nested(_) => NESTED,
    }
}

fn put_id(out: &mut Vec<u8>, id: Id) {
    out.put_var(id.client);
    out.put_var(u64::from(id.clock));
}

fn read_id(r: &mut Reader<'_>) -> Result<Id, ReadError> {
    Ok(Id { client: r.var_u64()?, clock: r.var_u32()? })
}
