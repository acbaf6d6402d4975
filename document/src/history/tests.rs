//! A history against the documents that yrs makes of the same ledger.

use super::*;
use crate::body::{Body, Genesis};
use crate::ids::{LineageId, SessionId};
use crate::ledger::{Outcome, RULES};
use crate::model::content::Content;
use crate::model::delta::{self, Attributes, Op};
use crate::model::{Draft, seed};
use crate::model::{Replica, Target};
use crate::state::DocumentState;
use crate::template;
use serde_json::json;

pub(super) fn actor(person: &str) -> Actor {
    Actor {
        person: PersonId::new(person),
        seat: Seat::Author,
        sector: Sector::Other,
        session: SessionId::new("s"),
    }
}

/// A ledger under way, with its history.
pub(super) struct Ledgered {
    pub(super) state: DocumentState,
    pub(super) history: History,
    pub(super) entries: Vec<Entry>,
}

impl Ledgered {
    pub(super) fn new() -> Self {
        let genesis = Genesis {
            lineage: LineageId::new("l"),
            schema: template::COMMITMENT_SCHEMA.into(),
            language: "en".into(),
            rules: RULES,
        };
        let genesis = genesis.entry(actor("fay"), 0, [0; 16]);
        let mut history = History::default();
        history.record(&genesis, true);
        let state = DocumentState::begin(&genesis).unwrap();
        let mut new = Self { state, history, entries: vec![genesis] };
        new.take("fay", 0, &seed(1, &Draft::default()));
        new
    }

    pub(super) fn take(&mut self, person: &str, now: u64, update: &[u8]) {
        let entry = self.state.edit(&actor(person), now, [1; 16], update).unwrap();
        if let Some(entry) = entry {
            self.history.record(&entry, true);
            self.entries.push(entry);
        }
    }
}

/// The same texts, however they are cut into runs.
pub(super) fn joined(mut content: Content) -> Content {
    let join = |ops: &mut Vec<Op>| {
        let mut out: Vec<Op> = Vec::new();
        for op in ops.drain(..) {
            if let (
                Some(Op::Insert { insert: serde_json::Value::String(last), attributes }),
                Op::Insert { insert: serde_json::Value::String(text), attributes: same },
            ) = (out.last_mut(), &op)
                && attributes == same
            {
                last.push_str(text);
            } else {
                out.push(op);
            }
        }
        *ops = out;
    };
    content.texts.values_mut().for_each(join);
    for milestone in &mut content.milestones {
        join(&mut milestone.what);
        join(&mut milestone.outputs);
        join(&mut milestone.who);
    }
    content
}

pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// One random change of a kind that people make.
fn act(replica: &mut Replica, random: &mut Random) {
    let milestones = replica.milestones();
    let target = match random.below(4) {
        0 if !milestones.is_empty() => {
            Target::milestone(&milestones[random.below(milestones.len())].id, "what")
        }
        1 => Target::field("causes"),
        _ => Target::field("problem"),
    };
    let len: u32 = replica.read(&target).iter().map(Op::len).sum();
    let units: Vec<u16> = delta::plain(&replica.read(&target)).encode_utf16().collect();
    // No editor ends a selection within a character.
    let whole = |at: u32| match units.get(at as usize) {
        Some(0xdc00..0xe000) => at - 1,
        _ => at,
    };
    let at = whole(random.below(len as usize) as u32);
    let end = whole((at + 2 + random.below(6) as u32).min(len));
    let span = end.saturating_sub(at).max(1);
    let named = |name: &str, value| Attributes::from_iter([(name.to_owned(), value)]);
    let retain = Op::retain(at, Attributes::new());
    match random.below(14) {
        0 => replica.add_milestone(&format!("m{}", random.below(4)), None),
        1 if !milestones.is_empty() => replica.remove_milestone(&milestones[0].id),
        2 if milestones.len() > 1 => {
            replica.move_milestone(&milestones[1].id, Some(&milestones[0].id))
        }
        3 => replica.set_fact("starts", &format!("2027-01-{:02}", 1 + random.below(28))),
        4 => drop(replica.undo()),
        5 => drop(replica.redo()),
        6 => replica.edit(&target, &[retain, Op::retain(span, named("bold", json!(true)))]),
        7 => replica.edit(&target, &[retain, Op::retain(span, named("list", json!("bullet")))]),
        8 => replica.edit(&target, &[retain, Op::retain(span, named("bold", json!(null)))]),
        9 => replica.edit(&target, &[retain, Op::text("\n")]),
        10 | 11 if at + span < len => replica.edit(&target, &[retain, Op::delete(span)]),
        _ => replica
            .edit(&target, &[retain, Op::text(["word ", "한국", "😀", "x"][random.below(4)])]),
    }
}

#[test]
fn every_moment_reads_as_the_document_that_was_there() {
    for seed in 1..40 {
        let mut random = Random(seed * 0x9e37_79b9_7f4a);
        let mut ledger = Ledgered::new();
        let mut replicas: Vec<_> = (0..3).map(|n| Replica::new(10 + n)).collect();
        let mut outboxes = vec![Vec::new(); 3];
        let mut said = vec![Content::read(ledger.state.doc())];
        said.insert(0, Content::read(DocumentState::begin(&ledger.entries[0]).unwrap().doc()));
        for replica in &mut replicas {
            replica.apply(&ledger.state.encode_since(&crate::StateVector::default())).unwrap();
        }
        for step in 0..120 {
            let who = random.below(3);
            act(&mut replicas[who], &mut random);
            outboxes[who].extend(replicas[who].take_made());
            // Some are offline for a while: what they do arrives later.
            if random.below(3) == 0 {
                for update in std::mem::take(&mut outboxes[who]) {
                    ledger.take(["ana", "ben", "cem"][who], step, &update);
                    if said.len() < ledger.entries.len() {
                        said.push(Content::read(ledger.state.doc()));
                    }
                }
                let missing = ledger.state.encode_since(&replicas[who].state_vector());
                replicas[who].apply(&missing).unwrap();
            }
        }
        assert_eq!(said.len() as u64, ledger.history.len());
        for (moment, said) in said.iter().enumerate() {
            let read = ledger.history.content_at(Seq(moment as u64));
            assert_eq!(joined(read), joined(said.clone()), "seed {seed}, moment {moment}");
        }
        // And so do both sides of a comparison.
        for _ in 0..30 {
            let (from, to) = (random.below(said.len()), random.below(said.len()));
            let diff = ledger.history.diff(Seq(from as u64), Seq(to as u64));
            for text in &diff.texts {
                let side = |not: PieceStatus| -> String {
                    let there = text.pieces.iter().filter(|piece| piece.fate != not);
                    there.map(Piece::text).collect()
                };
                let plain = |content: &Content| {
                    let key = text.target.0.as_str();
                    content.texts.get(key).map(|ops| delta::plain(ops))
                };
                if let (Some(before), Some(after)) = (plain(&said[from]), plain(&said[to])) {
                    assert_eq!(side(PieceStatus::Inserted), before, "seed {seed}, {from} to {to}");
                    assert_eq!(side(PieceStatus::Deleted), after, "seed {seed}, {from} to {to}");
                }
            }
        }
    }
}

#[test]
fn a_void_entry_changes_nothing() {
    let mut ledger = Ledgered::new();
    let mut replica = Replica::new(10);
    replica.apply(&ledger.state.encode_since(&crate::StateVector::default())).unwrap();
    replica.edit(&Target::field("problem"), &[Op::text("void")]);
    let update = replica.take_made().remove(0);
    // Who reads may not write: an entry that says so all the same is void.
    let reader = Actor { seat: Seat::Observer, ..actor("obi") };
    let position = ledger.state.position();
    let entry = Entry {
        seq: Seq(position.seq.0 + 1),
        time: ledger.state.time(),
        actor: reader,
        previous: position.head,
        salt: [0; 16],
        body: Body::Edit { update, provenance: Default::default() },
    };
    let outcome = ledger.state.apply(&entry).unwrap();
    assert!(matches!(outcome, Outcome::Void(_)));
    ledger.history.record(&entry, outcome == Outcome::Applied);
    assert_eq!(ledger.history.content_at(entry.seq).plain("problem"), "\n");
}

/// What happens between two moments when two people do something to a text, in words.
fn told(start: &str, deeds: &[(&str, &[Op])]) -> serde_json::Value {
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

fn skip(count: u32) -> Op {
    Op::retain(count, Attributes::new())
}

fn with(name: &str, value: serde_json::Value) -> Attributes {
    Attributes::from_iter([(name.to_owned(), value)])
}

#[test]
fn changes_are_told_as_a_person_would_tell_them() {
    let check = |start: &str, deeds: &[(&str, &[Op])], expect: serde_json::Value| {
        assert_eq!(told(start, deeds), expect, "{deeds:?}");
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
    // Within a word: the word.
    check(
        "the programme is",
        &[("ben", &[skip(11), Op::delete(2)])],
        json!([{"what": "replaced", "old": "programme", "new": "program", "by": "ben"}]),
    );
    // Two letters of one word, and a full stop behind it: the word, and the full stop.
    check(
        "a colur here",
        &[("ben", &[skip(5), Op::text("o"), skip(7), Op::text(".")])],
        json!([
            {"what": "replaced", "old": "colur", "new": "colour", "by": "ben"},
            {"what": "inserted", "text": ".", "by": "ben"},
        ]),
    );
    // Behind what somebody else has just written, no word is extended by it.
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
    // Marked and unmarked again: nothing.
    check(
        "One two",
        &[
            ("ben", &[Op::retain(3, with("bold", json!(true)))]),
            ("ana", &[Op::retain(3, with("bold", json!(null)))]),
        ],
        json!([]),
    );
    // Taken out here and put in there by the same person: moved.
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

/// A document that is opened from a checkpoint takes and refuses what the one that was never closed does.
#[test]
fn a_document_goes_on_from_a_checkpoint_as_if_it_had_never_been_closed() {
    for seed in 1..30 {
        let mut random = Random(seed * 0x1234_5678_9abc);
        let mut ledger = Ledgered::new();
        let mut replicas: Vec<_> = (0..3).map(|n| Replica::new(10 + n)).collect();
        let mut resumed: Option<DocumentState> = None;
        for step in 0..120 {
            let who = random.below(3);
            act(&mut replicas[who], &mut random);
            for update in replicas[who].take_made() {
                let person = actor(["ana", "ben", "cem"][who]);
                // Now and then somebody claims another's client id, or leaves a gap.
                let person = if random.below(10) == 0 { actor("eve") } else { person };
                let live = ledger.state.edit(&person, step, [1; 16], &update);
                if let Some(resumed) = &mut resumed {
                    assert_eq!(resumed.edit(&person, step, [1; 16], &update), live);
                    assert_eq!(resumed.position(), ledger.state.position());
                    assert_eq!(resumed.state_vector(), ledger.state.state_vector());
                }
            }
            if random.below(4) == 0 {
                let missing = ledger.state.encode_since(&replicas[who].state_vector());
                replicas[who].apply(&missing).unwrap();
            }
            if random.below(30) == 0 {
                let checkpoint = ledger.state.checkpoint();
                resumed = Some(DocumentState::resume(&checkpoint).unwrap());
            }
        }
        let resumed =
            resumed.unwrap_or_else(|| DocumentState::resume(&ledger.state.checkpoint()).unwrap());
        assert_eq!(Content::read(resumed.doc()), Content::read(ledger.state.doc()), "seed {seed}");
    }
}

#[test]
fn a_damaged_checkpoint_is_none_or_another_and_never_a_panic() {
    let mut ledger = Ledgered::new();
    let mut replica = Replica::new(10);
    let mut random = Random(0x9999_1234);
    replica.apply(&ledger.state.encode_since(&crate::StateVector::default())).unwrap();
    for step in 0..60 {
        act(&mut replica, &mut random);
        for update in replica.take_made() {
            ledger.take("ana", step, &update);
        }
    }
    let checkpoint = ledger.state.checkpoint();
    assert!(DocumentState::resume(&[]).is_none());
    let mut other = checkpoint.clone();
    other[0] = 99;
    assert!(DocumentState::resume(&other).is_none(), "of another version");
    for len in 0..checkpoint.len().min(400) {
        drop(DocumentState::resume(&checkpoint[..len]));
    }
}

/// A secret that was deleted and brought back is in the ledger twice: a redaction takes both.
#[test]
fn what_repeats_a_passage_goes_with_it() {
    use crate::body::Redaction;
    use crate::model::locate;
    use crate::update::ScanError;
    let mut ledger = Ledgered::new();
    let mut replica = Replica::new(10);
    replica.apply(&ledger.state.encode_since(&crate::StateVector::default())).unwrap();
    let target = Target::field("problem");
    let mut take = |replica: &mut Replica| {
        let claims = replica.take_claims();
        for update in replica.take_made() {
            let provenance = claims.clone().into();
            let entry = ledger.state.edit_from(&actor("ana"), 1, [1; 16], &update, provenance);
            let entry = entry.unwrap().unwrap();
            ledger.history.record(&entry, true);
            ledger.entries.push(entry);
        }
    };
    replica.edit(&target, &[Op::text("the key is hunter2 ")]);
    replica.stop_capturing();
    take(&mut replica);
    replica.edit(&target, &[skip(8), Op::delete(11)]);
    replica.stop_capturing();
    take(&mut replica);
    replica.undo();
    take(&mut replica);
    let passage = locate(ledger.state.doc(), &target, 11, "hunter2").unwrap();
    let stored = |ranges: Vec<crate::update::Range>| {
        let (_, blanked) =
            Redaction::of(String::new(), ranges, ledger.entries.iter().map(Ok::<_, ScanError>))
                .unwrap();
        let mut entries = ledger.entries.clone();
        for entry in blanked {
            let seq = entry.seq.0 as usize;
            entries[seq] = entry;
        }
        let bytes: Vec<u8> = entries.iter().flat_map(Entry::encode).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    assert!(stored(passage.clone()).contains("hunter2"), "the deleted original is another");
    let rest = stored(ledger.history.copies_of(&passage));
    assert!(!rest.contains("hunter2") && rest.contains("the key is "), "{rest}");
}

/// Who wrote each part of the problem, and who placed it, where somebody else did.
fn credits(ledger: &Ledgered) -> Vec<(String, String, Option<String>)> {
    let now = Seq(ledger.history.len() - 1);
    let diff = ledger.history.diff(now, now);
    let name = |span: &EditSpan| ledger.history.authors()[span.author as usize].person.to_string();
    let problem = diff.texts.iter().find(|text| text.target == Target::field("problem")).unwrap();
    let pieces = problem.pieces.iter().filter(|piece| !piece.text().trim().is_empty());
    pieces
        .map(|piece| {
            let placed = piece.placed.as_ref().map(name);
            (piece.text().trim().to_owned(), name(&piece.written), placed)
        })
        .collect()
}

/// Somebody's sentence stays theirs wherever it is put; a sentence put together from parts of theirs is not theirs.
/// Rule A7.
#[test]
fn a_sentence_put_together_from_anothers_phrases_names_who_did() {
    use crate::model::locate;
    let target = Target::field("problem");
    let mut ledger = Ledgered::new();
    let (mut ana, mut ben) = (Replica::new(10), Replica::new(20));
    ana.apply(&ledger.state.encode_since(&crate::StateVector::default())).unwrap();
    let hers =
        "The ministry will publish budgets. It shall not raise the fees. Nobody asked for this.\n";
    ana.edit(&target, &[Op::text(hers)]);
    for update in ana.take_made() {
        ledger.take("ana", 1, &update);
    }
    ben.apply(&ledger.state.encode_since(&crate::StateVector::default())).unwrap();
    let place = |part: &str| {
        hers.encode_utf16().count() as u32
            - hers[hers.find(part).unwrap()..].encode_utf16().count() as u32
    };
    let mut copy = |ledger: &mut Ledgered, parts: &[&str]| {
        let mut old = Vec::new();
        for part in parts {
            old.extend(locate(ledger.state.doc(), &target, place(part), part).unwrap());
        }
        let end =
            crate::model::delta::utf16_len(&crate::model::delta::plain(&ben.read(&target))) - 1;
        ben.edit(&target, &[skip(end), Op::text(&format!("{}\n", parts.concat()))]);
        let made = ben.take_made();
        let copied: Vec<u16> = parts.concat().encode_utf16().collect();
        let claims = crate::update::pasted(&made, &copied, &old);
        assert!(!claims.is_empty());
        for update in made {
            let provenance = claims.clone().into();
            let edited = ledger.state.edit_from(&actor("ben"), 2, [1; 16], &update, provenance);
            let entry = edited.unwrap().unwrap();
            ledger.history.record(&entry, true);
            ledger.entries.push(entry);
        }
    };
    copy(&mut ledger, &["The ministry will ", "raise the fees", "."]);
    copy(&mut ledger, &["It shall not raise the fees."]);
    let credits = credits(&ledger);
    let theirs = |text: &str| {
        let found = credits.iter().find(|(said, ..)| said.contains(text));
        found.map(|(_, by, placed)| (by.as_str(), placed.as_deref())).unwrap()
    };
    assert_eq!(theirs("publish budgets"), ("ana", None));
    let forged: Vec<_> = credits.iter().filter(|(.., placed)| placed.is_some()).collect();
    let is_told = |(text, by, placed): &&(String, String, Option<String>)| {
        text.contains("The ministry will") && by == "ana" && placed.as_deref() == Some("ben")
    };
    assert!(forged.iter().any(is_told), "{credits:?}");
    let last = credits.last().unwrap();
    assert!(
        last.0.ends_with("It shall not raise the fees.") && last.1 == "ana" && last.2.is_none(),
        "{credits:?}"
    );
}
