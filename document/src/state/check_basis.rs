//! The basis on which new updates are checked: everything that the checks read, except the live document itself.
//!
//! The check of a large update takes long, so it is made on a copy of this basis, while others write (rule C8).

use super::measures::Measures;
use super::source::Source;
use crate::ids::PersonId;
use crate::limits;
use crate::people::{Action, Actor, permits};
use crate::update::{
    AnnouncedClients, CheckedUpdate, ClientStructs, Refusal, Scan, StructIndex, merge, scan,
};
use std::borrow::Cow;
use std::collections::BTreeSet;

#[derive(Debug, Clone, Default)]
pub(super) struct CheckBasis {
    pub(super) index: StructIndex,
    pub(super) measures: Measures,
    /// The owners of client ids that pages have announced. They are not part of the ledger, and only new edits are
    /// checked against them.
    pub(super) announced: AnnouncedClients,
}

impl CheckBasis {
    /// Returns whether a client id belongs to a person, or to nobody yet (rule U2).
    pub(super) fn may_use(&self, client: u64, person: &PersonId) -> bool {
        let owner = self.index.owner(client).or_else(|| self.announced.owner(client));
        owner.is_none_or(|owner| owner == person)
    }

    /// Checks that the person may write and that the text is not frozen. If a connection or a request sent the update,
    /// also checks that its client ids belong to nobody else, and that no key gets several values (rules U2, U6, U10, U14).
    pub(super) fn may_integrate(
        &self,
        actor: &Actor,
        novelty: &CheckedUpdate,
        source: Source,
        is_frozen: bool,
    ) -> Result<(), Refusal> {
        if source.max_costs().is_some() {
            let foreign = novelty.clients().find(|&client| !self.may_use(client, &actor.person));
            if let Some(client) = foreign {
                return Err(Refusal::Forged { client });
            }
            if novelty.leaves_several_values() {
                return Err(Refusal::SeveralValues);
            }
        }
        if !permits(actor.seat, Action::Write) {
            return Err(Refusal::ReadOnly);
        }
        // Nothing may be added to a frozen text (rule U10).
        if is_frozen { Err(Refusal::Frozen) } else { Ok(()) }
    }

    /// Merges the adjacent items of an update, except those under keys of maps (rule U12).
    ///
    /// # Errors
    /// Returns an error if the bytes are not a valid update, if it has more than `max_items` items after merging, or if the
    /// checks of its elements refuse it.
    pub(super) fn merged<'u>(
        &self,
        actor: &Actor,
        update: &'u [u8],
        max_items: usize,
    ) -> Result<Cow<'u, [u8]>, Refusal> {
        let known = |client| self.index.next_clock(client);
        let mut merged = merge(update, known, &BTreeSet::new())?;
        if merged.structs <= max_items && matches!(merged.bytes, Cow::Owned(_)) {
            let novelty = self.index.check(&actor.person, &scan(&merged.bytes)?)?;
            if !novelty.keyed().is_empty() {
                merged = merge(update, known, novelty.keyed())?;
            }
        }
        if merged.structs > max_items { Err(Refusal::TooManyItems) } else { Ok(merged.bytes) }
    }

    /// Returns how many elements that the document has already one turn may delete, or `None` if the update deletes few
    /// enough of them. Items that are deleted together are joined, and the join of two moves all later items of their client
    /// (rule C8).
    pub(super) fn max_deleted(&self, checked: &CheckedUpdate) -> Option<u32> {
        let (mut moves, mut most_items) = (0, 1);
        for (client, from, to) in checked.new_ranges() {
            let known = to.min(self.index.next_clock(client)).saturating_sub(from);
            let items = self.measures.items.of_client(client);
            if known > 0 {
                moves += u64::from(known).min(items) * items;
                most_items = most_items.max(items);
            }
        }
        let max = limits::MAX_JOINING_MOVES_PER_TURN;
        (moves > max).then(|| u32::try_from(max / most_items).unwrap_or(u32::MAX).max(1))
    }

    /// Returns the number of new structs in an update, or the number of newly deleted ranges if that is larger.
    pub(super) fn steps(&self, scan: &Scan<'_>, checked: &CheckedUpdate) -> usize {
        let new = |run: &ClientStructs<'_>| {
            let next = self.index.next_clock(run.client);
            run.structs.len() - run.structs.partition_point(|item| item.end() <= next)
        };
        scan.runs.iter().map(new).sum::<usize>().max(checked.new_ranges().count())
    }
}
