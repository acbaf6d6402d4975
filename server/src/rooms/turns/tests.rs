//! Tests of the order of turns.

use super::super::frame_places::WaitingBytes;
use super::super::pace::Debts;
use super::*;
use accord_document::ids::DocumentId;

fn person(name: &str) -> Requester {
    Requester::Person(PersonId::new(name))
}

fn push(turns: &mut Turns<u32>, party: &Requester, item: u32, now: Instant) {
    turns.push(party, Priority::Ordinary, item, now);
}

fn any(_: &Requester, _: Priority, _: &u32) -> bool {
    true
}

fn next(turns: &mut Turns<u32>, now: Instant) -> Option<u32> {
    turns.next(now, any).map(|turn| turn.item)
}

fn spend(turns: &mut Turns<u32>, party: &Requester, seconds: u64, now: Instant) {
    turns.spend(party, Priority::Ordinary, Duration::from_secs(seconds), now);
}

/// Rule C7.
#[test]
fn one_turn_each_whatever_one_of_them_sends() {
    let now = Instant::now();
    let mut turns = Turns::new(LongTurns::default(), HashMap::new());
    let reader = Requester::at("2001:db8::1".parse().unwrap());
    (0..100).for_each(|n| push(&mut turns, &person("flood"), n, now));
    push(&mut turns, &person("ana"), 1_000, now);
    push(&mut turns, &reader, 2_000, now);
    push(&mut turns, &person("ana"), 1_001, now);
    let order: Vec<_> = std::iter::from_fn(|| next(&mut turns, now)).collect();
    assert_eq!(order[..7], [0, 1_000, 2_000, 1, 1_001, 2, 3]);
    assert_eq!(order.len(), 103);
    assert!(turns.is_empty());
}

/// Rule C8.
#[test]
fn what_goes_on_comes_before_all_else_of_its_party_and_behind_others() {
    let now = Instant::now();
    let mut turns = Turns::new(LongTurns::default(), HashMap::new());
    [1, 2].into_iter().for_each(|item| push(&mut turns, &person("ana"), item, now));
    assert_eq!(next(&mut turns, now), Some(1));
    push(&mut turns, &person("ben"), 10, now);
    turns.push_first(&person("ana"), 1, now);
    let order: Vec<_> = std::iter::from_fn(|| next(&mut turns, now)).collect();
    assert_eq!(order, [1, 10, 2]);
    // The same holds if nothing else of that party waits.
    turns.push_first(&person("ana"), 3, now);
    assert_eq!(next(&mut turns, now), Some(3));
}

#[test]
fn an_overdrawn_budget_is_passed_over_until_it_has_grown() {
    let now = Instant::now();
    let mut turns = Turns::new(LongTurns::default(), HashMap::new());
    push(&mut turns, &person("flood"), 1, now);
    assert_eq!(next(&mut turns, now), Some(1));
    spend(&mut turns, &person("flood"), 4, now);
    push(&mut turns, &person("flood"), 2, now);
    let wait = turns.wait(now, any).unwrap();
    assert!(wait > Duration::from_secs(60), "{wait:?}");
    assert_eq!(next(&mut turns, now), None);
    push(&mut turns, &person("ana"), 3, now);
    assert_eq!(turns.wait(now, any), Some(Duration::ZERO));
    assert_eq!(next(&mut turns, now), Some(3));
    assert_eq!(next(&mut turns, now + wait), Some(2));
}

#[test]
fn an_essential_request_waits_a_few_seconds_for_an_overdrawn_budget_and_for_nobody_else() {
    let now = Instant::now();
    let mut turns = Turns::new(LongTurns::default(), HashMap::new());
    let ana = person("ana");
    spend_first(&mut turns, &ana, now);
    push(&mut turns, &ana, 1, now);
    for item in [10, 11] {
        turns.push(&ana, Priority::Essential, item, now);
    }
    push(&mut turns, &person("ben"), 2, now);
    assert_eq!(next(&mut turns, now), Some(10), "before what she sent, though that is overdrawn");
    turns.spend(&ana, Priority::Essential, Duration::from_secs(2), now);
    assert_eq!(next(&mut turns, now), Some(2), "in turn with others");
    assert_eq!(next(&mut turns, now), None);
    assert_eq!(turns.wait(now, any), Some(MAX_ESSENTIAL_WAIT));
    assert_eq!(next(&mut turns, now + MAX_ESSENTIAL_WAIT), Some(11));
    assert_eq!(next(&mut turns, now + MAX_ESSENTIAL_WAIT), None, "the rest waits for the budget");
}

fn spend_first(turns: &mut Turns<u32>, party: &Requester, now: Instant) {
    push(turns, party, 0, now);
    assert_eq!(next(turns, now), Some(0));
    spend(turns, party, 4, now);
}

#[test]
fn what_nobody_waits_for_any_more_takes_no_turn() {
    let now = Instant::now();
    let mut turns = Turns::new(LongTurns::default(), HashMap::new());
    (0..10).for_each(|n| push(&mut turns, &person("ana"), n, now));
    turns.retain(&person("ana"), |item| item % 5 == 4);
    let order: Vec<_> = std::iter::from_fn(|| next(&mut turns, now)).collect();
    assert_eq!(order, [4, 9]);
    push(&mut turns, &person("ana"), 1, now);
    turns.retain(&person("ana"), |_| false);
    assert!(turns.is_empty());
}

/// Rule C7.
#[test]
fn those_whose_next_item_may_not_begin_are_passed_over_and_keep_their_places() {
    let now = Instant::now();
    let mut turns = Turns::new(LongTurns::default(), HashMap::new());
    [1, 3, 5].into_iter().for_each(|item| push(&mut turns, &person("ana"), item, now));
    push(&mut turns, &person("ben"), 7, now);
    [2, 4].into_iter().for_each(|item| push(&mut turns, &person("fay"), item, now));
    let even = |_: &Requester, _: Priority, item: &u32| item.is_multiple_of(2);
    assert_eq!(next(&mut turns, now), Some(1));
    assert_eq!(turns.wait(now, even), Some(Duration::ZERO));
    assert_eq!(turns.next(now, even).map(|turn| turn.item), Some(2));
    assert_eq!(next(&mut turns, now), Some(7), "ben has waited longest");
    assert_eq!(turns.next(now, even).map(|turn| turn.item), Some(4));
    assert_eq!(turns.wait(now, even), None);
    assert_eq!(turns.next(now, even), None);
    assert_eq!([next(&mut turns, now), next(&mut turns, now)], [Some(3), Some(5)]);
    assert!(turns.is_empty());
}

#[test]
fn a_new_connection_brings_no_new_places() {
    let now = Instant::now();
    let mut turns = Turns::<u32>::new(LongTurns::default(), HashMap::new());
    let bytes = WaitingBytes::default();
    let mut connect = |name: &str| {
        let person = PersonId::new(name);
        let new = bytes.places(&person);
        turns.frame_places(&person, new, now)
    };
    let first = connect("ana");
    (0..2 * MAX_IDLE_PARTIES).for_each(|n| drop(connect(&format!("p{n}"))));
    assert!(connect("ana").is_same(&first));
    assert!(turns.lines.len() <= MAX_IDLE_PARTIES);
}

#[test]
fn a_room_that_is_opened_again_brings_no_new_budget() {
    let now = Instant::now();
    let (debts, document) = (Debts::default(), DocumentId::new("d"));
    let open = |debts: &Debts| Turns::new(LongTurns::default(), debts.take(&document));
    let mut turns = open(&debts);
    spend_first(&mut turns, &person("ana"), now);
    push(&mut turns, &person("ben"), 1, now);
    debts.keep(&document, turns.close(), now);
    // The room opens and closes again while Ana is away.
    debts.keep(&document, open(&debts).close(), now);
    let mut turns = open(&debts);
    push(&mut turns, &person("ana"), 1, now);
    push(&mut turns, &person("ben"), 2, now);
    assert_eq!(next(&mut turns, now), Some(2), "ana waits");
    assert_eq!(next(&mut turns, now), None);
    debts.keep(&document, turns.close(), now);
    let later = now + Duration::from_secs(1_000);
    debts.keep(&document, std::iter::empty(), later);
    assert!(debts.take(&document).is_empty(), "what has grown is forgotten");
}

#[test]
fn time_spent_in_long_turns_is_remembered_while_no_room_is_open() {
    let (now, long) = (Instant::now(), LongTurns::default());
    let mut turns = Turns::new(long.clone(), HashMap::new());
    push(&mut turns, &person("ana"), 0, now);
    assert_eq!(next(&mut turns, now), Some(0));
    spend(&mut turns, &person("ana"), 2, now);
    drop(turns);
    let mut elsewhere = Turns::new(long, HashMap::new());
    push(&mut elsewhere, &person("ana"), 1, now);
    assert_eq!(next(&mut elsewhere, now), None);
}

#[test]
fn a_new_connection_brings_no_new_budget() {
    let now = Instant::now();
    let mut turns = Turns::new(LongTurns::default(), HashMap::new());
    for n in 0..5_000 {
        let party = person(&format!("p{n}"));
        push(&mut turns, &party, n, now);
        assert_eq!(next(&mut turns, now), Some(n));
        spend(&mut turns, &party, u64::from(n == 0) * 10, now);
    }
    push(&mut turns, &person("p0"), 1, now);
    assert_eq!(next(&mut turns, now), None, "what p0 has spent is remembered");
    assert!(turns.lines.len() <= MAX_IDLE_PARTIES + 1);
}
