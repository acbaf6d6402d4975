//! A walk over structs in causal order: each struct is visited after everything that it refers to.

use super::scan::{Id, Struct};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// What became of a struct that was visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    /// The struct was handled.
    Done,
    /// The struct refers to this element, which has not been visited yet. Nothing was recorded.
    WaitsFor(Id),
}

/// The structs of one client, in ascending order of their clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Front<'s> {
    pub(super) client: u64,
    pub(super) structs: &'s [Struct<'s>],
}

/// Visits the structs of several clients in an order in which they can be integrated. `visit` receives the index of the
/// front and the struct. Returns whether all structs were visited.
///
/// The walk goes through the fronts again and again, and advances each as far as possible. The order is part of what a
/// check decides, so it must not change. If the next struct of a front refers to an element that was not visited yet,
/// the walk skips this front until the front with the element has advanced beyond it. So a struct is visited once for
/// each element that it refers to, and once more, whatever the number of clients. The walk ends when every front is
/// empty or waits.
///
/// # Errors
/// Returns the first error of `visit`. No further struct is visited after it.
pub(super) fn causal_walk<'s, E>(
    mut fronts: Vec<Front<'s>>,
    mut visit: impl FnMut(usize, &Struct<'s>) -> Result<Visit, E>,
) -> Result<bool, E> {
    // The pass in which each front is visited next, with the index of the front.
    let mut due: BinaryHeap<_> = (0..fronts.len()).map(|front| Reverse((0_usize, front))).collect();
    // For each front that waits: the client and the clock for which it waits, and the index of the front.
    let mut waiting: BTreeSet<(u64, u32, usize)> = BTreeSet::new();
    while let Some(Reverse((pass, at))) = due.pop() {
        let mut reached = 0;
        while let Some((first, rest)) = fronts[at].structs.split_first() {
            if let Visit::WaitsFor(id) = visit(at, first)? {
                waiting.insert((id.client, id.clock, at));
                break;
            }
            fronts[at].structs = rest;
            reached = first.end();
        }
        let client = fronts[at].client;
        while let Some(&wait) = waiting.range((client, 0, 0)..(client, reached, 0)).next() {
            waiting.remove(&wait);
            let (_, _, front) = wait;
            due.push(Reverse((pass + usize::from(front < at), front)));
        }
    }
    Ok(fronts.iter().all(|front| front.structs.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use crate::update::{StructBody, scan::ItemContent};
    use std::collections::HashSet;

    /// Returns a struct of one element, which refers to another element.
    fn after(clock: u32, origin: Option<Id>) -> Struct<'static> {
        let content = ItemContent::Text("a");
        let (right_origin, parent, key) = (None, None, None);
        let body = StructBody::Item { origin, right_origin, parent, key, content };
        Struct { clock, len: 1, body }
    }

    /// Walks over the structs of clients 0, 1, 2 and so on. Returns the visited elements in order, and how often a struct
    /// had to wait.
    fn walked(clients: &[Vec<Struct<'static>>]) -> (Vec<Id>, usize, bool) {
        let fronts = clients.iter().zip(0..).map(|(structs, client)| Front { client, structs });
        let (mut order, mut seen, mut waits) = (Vec::new(), HashSet::new(), 0);
        let all = causal_walk(fronts.collect(), |client, item| {
            if let Some(id) = item.references().find(|id| !seen.contains(id)) {
                waits += 1;
                return Ok::<_, ()>(Visit::WaitsFor(id));
            }
            let id = Id { client: client as u64, clock: item.clock };
            seen.insert(id);
            order.push(id);
            Ok(Visit::Done)
        });
        (order, waits, all.unwrap())
    }

    /// Visits the structs as [`causal_walk`] must, but tries every front in every pass.
    fn passed(clients: &[Vec<Struct<'static>>]) -> Vec<Id> {
        let (mut order, mut seen) = (Vec::new(), HashSet::new());
        let mut at = vec![0; clients.len()];
        loop {
            let before = order.len();
            for (client, structs) in clients.iter().enumerate() {
                while let Some(item) = structs.get(at[client])
                    && item.references().all(|id| seen.contains(&id))
                {
                    let id = Id { client: client as u64, clock: item.clock };
                    seen.insert(id);
                    order.push(id);
                    at[client] += 1;
                }
            }
            if order.len() == before {
                return order;
            }
        }
    }

    #[test]
    fn the_order_is_that_of_passes_over_all_clients() {
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let mut next = move |limit: u64| random.below(limit as usize) as u64;
        for _ in 0..200 {
            // Elements in the order in which they are written, each by any client, and behind any earlier element.
            let mut clients: Vec<Vec<Struct<'static>>> = (0..12).map(|_| Vec::new()).collect();
            let mut written: Vec<Id> = Vec::new();
            for _ in 0..60 {
                let client = next(12);
                let clock = clients[client as usize].len() as u32;
                let origin = if written.is_empty() {
                    None
                } else {
                    Some(written[next(written.len() as u64) as usize])
                };
                clients[client as usize].push(after(clock, origin));
                written.push(Id { client, clock });
            }
            let (order, _, all) = walked(&clients);
            assert!(all);
            assert_eq!(order, passed(&clients));
        }
    }

    #[test]
    fn a_chain_of_clients_is_walked_with_one_wait_for_each_link() {
        // Each client has one element, whose origin is the element of the next client. So only the last client waits for
        // nothing, and each pass through all clients could visit one element.
        let count = 20_000;
        let clients: Vec<Vec<Struct<'static>>> = (0..count)
            .map(|client| {
                vec![after(0, (client + 1 < count).then_some(Id { client: client + 1, clock: 0 }))]
            })
            .collect();
        let (order, waits, all) = walked(&clients);
        assert!(all);
        assert_eq!((order.len(), waits), (count as usize, count as usize - 1));
    }

    #[test]
    fn structs_that_refer_to_each_other_are_left() {
        let clients = [
            vec![after(0, None), after(1, Some(Id { client: 1, clock: 0 }))],
            vec![after(0, Some(Id { client: 0, clock: 1 }))],
            vec![after(0, Some(Id { client: 2, clock: 0 }))],
        ];
        let (order, _, all) = walked(&clients);
        assert!(!all);
        assert_eq!(order, [Id { client: 0, clock: 0 }]);
    }

    #[test]
    fn what_refers_to_nothing_that_comes_is_left() {
        let missing = Some(Id { client: 9, clock: 0 });
        let clients = [vec![after(0, None), after(1, missing)], vec![after(0, None)]];
        let (order, _, all) = walked(&clients);
        assert!(!all);
        assert_eq!(order, [Id { client: 0, clock: 0 }, Id { client: 1, clock: 0 }]);
    }
}
