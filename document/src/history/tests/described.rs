//! Tests of how a history describes the changes between two moments.

use super::*;
use serde_json::json;

/// Returns, as JSON, the changes that a history reports. Ana first writes the text `start`. Then each person in `deeds`
/// edits it with the steps beside their name.
fn described(start: &str, deeds: &[(&str, &[Op])]) -> serde_json::Value {
    let mut ledger = Ledgered::new();
    let (ana, ben) = (Replica::new(10), Replica::new(20));
    let mut people = [("ana", ana), ("ben", ben)];
    let target = Target::field("problem");
    let mut from = Seq(1);
    let all = std::iter::once(("ana", vec![Op::text(start)]))
        .chain(deeds.iter().map(|(who, ops)| (*who, ops.to_vec())));
    for (index, (who, ops)) in all.enumerate() {
        for (_, replica) in &mut people {
            let missing = ledger.state.encode_since(&replica.state_vector());
            replica.apply(&missing).unwrap();
        }
        let (_, replica) = people.iter_mut().find(|(name, _)| *name == who).unwrap();
        replica.edit(&target, &ops);
        for update in replica.take_made() {
            ledger.take(who, 1_000, &update);
        }
        if index == 0 {
            from = Seq(ledger.history.len() - 1);
        }
    }
    let diff = ledger.history.diff(from, Seq(u64::MAX));
    let mut changes = serde_json::to_value(ledger.history.changes(&diff)).unwrap();
    for change in changes.as_array_mut().unwrap() {
        let author = change["by"]["author"].as_u64().unwrap() as usize;
        change["by"] = ledger.history.authors()[author].person.as_str().into();
        for key in ["wrote", "target", "at"] {
            change.as_object_mut().unwrap().remove(key);
        }
    }
    changes
}

fn with(name: &str, value: serde_json::Value) -> Attributes {
    Attributes::from_iter([(name, value)])
}

#[test]
fn changes_are_told_as_a_person_would_tell_them() {
    let check = |start: &str, deeds: &[(&str, &[Op])], expect: serde_json::Value| {
        assert_eq!(described(start, deeds), expect, "{deeds:?}");
    };
    check(
        "One two",
        &[("ben", &[skip(3), Op::text(" and a half")])],
        json!([{"what": "inserted", "text": " and a half", "by": "ben"}]),
    );
    check(
        "One two",
        &[("ben", &[skip(3), Op::delete(4)])],
        json!([{"what": "deleted", "text": " two", "by": "ben"}]),
    );
    // A change within a word is reported as a replacement of the whole word.
    check(
        "the programme is",
        &[("ben", &[skip(11), Op::delete(2)])],
        json!([{"what": "replaced", "old": "programme", "new": "program", "by": "ben"}]),
    );
    // A letter in the middle of a word and a full stop after the text are two changes.
    check(
        "a colur here",
        &[("ben", &[skip(5), Op::text("o"), skip(7), Op::text(".")])],
        json!([
            {"what": "replaced", "old": "colur", "new": "colour", "by": "ben"},
            {"what": "inserted", "text": ".", "by": "ben"},
        ]),
    );
    // The letters that Ben adds to a word of Ana's are reported as an insertion, because the word itself is new since
    // the first moment.
    check(
        "x",
        &[("ana", &[skip(1), Op::text(" new")]), ("ben", &[skip(5), Op::text("er")])],
        json!([
            {"what": "inserted", "text": " new", "by": "ana"},
            {"what": "inserted", "text": "er", "by": "ben"},
        ]),
    );
    check(
        "One two",
        &[("ben", &[skip(4), Op::text("\n")])],
        json!([{"what": "split", "before": "One ", "after": "two", "by": "ben"}]),
    );
    check(
        "One\ntwo",
        &[("ben", &[skip(3), Op::delete(1)])],
        json!([{"what": "joined", "before": "One", "after": "two", "by": "ben"}]),
    );
    check(
        "One",
        &[("ben", &[skip(3), Op::retain(1, with("list", json!("bullet")))])],
        json!([{"what": "block", "text": "One", "old": {}, "new": {"list": "bullet"}, "by": "ben"}]),
    );
    check(
        "One two",
        &[("ben", &[skip(4), Op::retain(3, with("link", json!("https://x.org")))])],
        json!([{"what": "marked", "text": "two", "old": {}, "new": {"link": "https://x.org"}, "by": "ben"}]),
    );
    // A mark that is set and removed again is not reported.
    check(
        "One two",
        &[
            ("ben", &[Op::retain(3, with("bold", json!(true)))]),
            ("ana", &[Op::retain(3, with("bold", json!(null)))]),
        ],
        json!([]),
    );
    // Text that one person deletes and inserts elsewhere is reported as moved.
    check(
        "A sentence that moves. The rest.",
        &[("ben", &[Op::delete(22)]), ("ben", &[skip(10), Op::text("A sentence that moves.")])],
        json!([{"what": "moved", "text": "A sentence that moves.", "from": "problem", "by": "ben"}]),
    );
}

#[test]
fn milestones_and_dates_are_told_too() {
    let mut ledger = Ledgered::new();
    let mut replica = Replica::new(10);
    replica.apply(&ledger.state.encode_since(&crate::StateVector::default())).unwrap();
    replica.add_milestone("m1", None);
    replica.add_milestone("m2", None);
    replica.set_milestone("m1", "due", "2027-05-01");
    replica.set_fact("period_from", "2027-01-01");
    let mut take = |replica: &mut Replica| {
        for update in replica.take_made() {
            ledger.take("ana", 1_000, &update);
        }
        Seq(ledger.history.len() - 1)
    };
    let made = take(&mut replica);
    replica.move_milestone("m2", Some("m1"));
    replica.set_milestone("m1", "due", "2027-06-01");
    let moved = take(&mut replica);
    replica.remove_milestone("m2");
    let removed = take(&mut replica);
    let whats = |from, to| -> Vec<What> {
        let diff = ledger.history.diff(from, to);
        let changes = ledger.history.changes(&diff);
        changes
            .into_iter()
            .map(|c| c.what)
            .filter(|w| !matches!(w, What::Inserted { .. }))
            .collect()
    };
    let (m1, m2) = ("m1".to_owned(), "m2".to_owned());
    let due = |old: Option<&str>, new: &str| What::Value {
        key: "due".into(),
        id: Some("m1".into()),
        old: old.map(Into::into),
        new: Some(new.into()),
    };
    let fact = What::Value {
        key: "period_from".into(),
        id: None,
        old: None,
        new: Some("2027-01-01".into()),
    };
    assert_eq!(
        whats(Seq(1), made),
        [fact, What::MilestoneAdded { id: m1 }, What::MilestoneAdded { id: m2.clone() }]
    );
    assert_eq!(
        whats(made, moved),
        [due(Some("2027-05-01"), "2027-06-01"), What::MilestoneMoved { id: m2.clone() }]
    );
    assert_eq!(whats(moved, removed), [What::MilestoneRemoved { id: m2 }]);
}
