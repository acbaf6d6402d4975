//! What is known of a document's elements, written down and read again: for checkpoints.

use super::check::{Known, Place};
use super::scan::Id;
use crate::ids::PersonId;
use crate::lib0::{ReadError, Reader, Write};
use yrs::{ClientID, ID, IdSet};

impl Known {
    /// Everything, as bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_var(self.clocks.len() as u64);
        for (client, clock) in &self.clocks {
            out.put_var(*client);
            out.put_var(u64::from(*clock));
            let owner = self.owners.get(client).map_or("", PersonId::as_str);
            out.put_buf(owner.as_bytes());
            let runs = self.runs.get(client).map_or(&[][..], Vec::as_slice);
            out.put_var(runs.len() as u64);
            for (clock, place) in runs {
                out.put_var(u64::from(*clock));
                out.put_var(u64::from(*place));
            }
        }
        out.put_var(self.places.len() as u64);
        for place in &self.places {
            match place {
                Place::Root(name) => {
                    out.put_var(0);
                    out.put_buf(name.as_bytes());
                }
                Place::Nested(id) => {
                    out.put_var(1);
                    put_id(&mut out, *id);
                }
                Place::Gone => out.put_var(2),
            }
        }
        out.put_var(self.types.len() as u64);
        for (id, depth) in &self.types {
            put_id(&mut out, *id);
            out.put_var(u64::from(*depth));
        }
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
        out
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// When the bytes are not that.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, ReadError> {
        let mut r = Reader::new(bytes);
        let mut known = Self::default();
        for _ in 0..r.count()? {
            let client = r.var_u64()?;
            known.clocks.insert(client, r.var_u32()?);
            known.owners.insert(client, PersonId::new(r.string()?));
            let mut runs = Vec::new();
            for _ in 0..r.count()? {
                runs.push((r.var_u32()?, r.var_u32()?));
            }
            known.runs.insert(client, runs);
        }
        for _ in 0..r.count()? {
            let place = match r.var_u64()? {
                0 => Place::Root(r.string()?.into()),
                1 => Place::Nested(read_id(&mut r)?),
                _ => Place::Gone,
            };
            known.place_of.insert(place.clone(), known.places.len() as u32);
            known.places.push(place);
        }
        for _ in 0..r.count()? {
            let id = read_id(&mut r)?;
            let depth = u8::try_from(r.var_u64()?).map_err(|_| ReadError::Overflow)?;
            known.types.insert(id, depth);
        }
        let mut deleted = IdSet::new();
        for _ in 0..r.count()? {
            let (client, clock, len) = (r.var_u64()?, r.var_u32()?, r.var_u32()?);
            deleted.insert(ID::new(ClientID::new(client), clock), len);
        }
        known.deleted = deleted;
        if r.is_empty() { Ok(known) } else { Err(ReadError::Overflow) }
    }
}

fn put_id(out: &mut Vec<u8>, id: Id) {
    out.put_var(id.client);
    out.put_var(u64::from(id.clock));
}

fn read_id(r: &mut Reader<'_>) -> Result<Id, ReadError> {
    Ok(Id { client: r.var_u64()?, clock: r.var_u32()? })
}
