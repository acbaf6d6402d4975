//! Tests that both searches answer alike, and that the look-ups do not grow with the number of clients.

use super::search::{Backward, Forward};
use super::*;
use crate::random::Random;
use std::collections::HashMap;

/// Returns whether a search finds what the writer had seen.
fn run(mut step: impl FnMut() -> Option<bool>) -> bool {
    loop {
        if let Some(answer) = step() {
            return answer;
        }
    }
}

fn id(client: u64, clock: u32) -> Id {
    Id { client, clock }
}

#[test]
fn both_searches_answer_alike() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut next = move |limit: u64| random.below(limit as usize) as u64;
    let (mut seen, mut unseen) = (0, 0);
    for _ in 0..100 {
        let mut histories = CausalHistories::default();
        let mut written: Vec<Id> = Vec::new();
        let mut clocks = [0; 12];
        for _ in 0..80 {
            let client = next(12);
            let writer = id(client, clocks[client as usize]);
            clocks[client as usize] += 1;
            if !written.is_empty() && next(3) > 0 {
                let other = written[next(written.len() as u64) as usize];
                // Some elements are refused.
                if histories.note(client, writer.clock, other) && next(5) == 0 {
                    histories.forget(client, other.client);
                }
            }
            written.push(writer);
        }
        let restored = CausalHistories::restore(histories.by_viewer.clone().into_iter().collect());
        for _ in 0..200 {
            let writer = written[next(80) as usize];
            let sought: HashMap<u64, u32> = (0..1 + next(2))
                .map(|_| written[next(80) as usize])
                .filter(|sought| sought.client != writer.client)
                .map(|sought| (sought.client, sought.clock))
                .collect();
            let mut backward = Backward::from(&histories, writer, &sought);
            let mut forward = Forward::from(&histories, writer, &sought);
            assert_eq!(restored.by_seen, histories.by_seen);
            let answer = run(|| backward.step());
            assert_eq!(answer, run(|| forward.step()), "{writer:?} {sought:?} {histories:?}");
            assert_eq!(answer, restored.has_seen(writer, &sought).0);
            if answer { seen += 1 } else { unseen += 1 }
        }
    }
    assert!(seen > 1_000 && unseen > 1_000, "{seen}, {unseen}");
}

#[test]
fn ones_own_earlier_element_was_seen() {
    let histories = CausalHistories::default();
    let sought = HashMap::from([(7, 3)]);
    assert!(histories.has_seen(id(7, 3), &sought).0);
    assert!(!histories.has_seen(id(7, 2), &sought).0);
}

#[test]
fn a_new_element_is_looked_for_among_the_few_who_can_have_seen_it() {
    // Each client has seen what the client before it wrote.
    let mut histories = CausalHistories::default();
    let count = 20_000;
    for client in 1..count {
        histories.note(client, 0, id(client - 1, 0));
    }
    // The two newest clients write without each other, both after everybody else.
    histories.note(count, 0, id(count - 1, 0));
    histories.note(count + 1, 0, id(count - 1, 0));
    let (has_seen, looked_at) = histories.has_seen(id(count + 1, 0), &HashMap::from([(count, 0)]));
    assert_eq!((has_seen, looked_at), (false, 1));
    // What the writer has only just seen is found as fast.
    let (has_seen, looked_at) =
        histories.has_seen(id(count + 1, 0), &HashMap::from([(count - 2, 0)]));
    assert!(has_seen && looked_at < 5, "{looked_at}");
}

#[test]
fn what_a_refused_update_noted_leaves_nothing_behind() {
    let mut histories = CausalHistories::default();
    for seen in 1..100 {
        assert!(histories.note(0, 0, id(seen, 3)));
        histories.forget(0, seen);
    }
    assert!(histories.by_viewer.is_empty() && histories.by_seen.is_empty());
    assert_eq!(histories.viewers().count(), 0);
}
