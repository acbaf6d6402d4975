use crate::body::Genesis;
use crate::ids::{LineageId, PersonId, SessionId};
use crate::ledger::RULES;
use crate::model::attributes::Attributes;
use crate::model::{Draft, seed};
use crate::model::{MilestoneDraft, Replica, Target};
use crate::people::{Actor, Seat, Sector};
use crate::release::unreleasable::*;
use crate::state::DocumentState;
use crate::template::COMMITMENT_SCHEMA;
use serde_json::{Value, json};
use yrs::updates::decoder::Decode;
use yrs::{StateVector, Text, Update, WriteTxn, XmlFragment};

fn state() -> DocumentState {
    let genesis = Genesis {
        lineage: LineageId::new("l"),
        schema: COMMITMENT_SCHEMA.into(),
        language: "en".into(),
        rules: RULES,
    };
    let mut state = DocumentState::begin(&genesis.entry(ana(), 1, [0; 16])).unwrap();
    let milestones = vec![
        MilestoneDraft {
            id: "m".into(),
            what: vec![Op::text("step")],
            due: "2027-02-28".into(),
            ..Default::default()
        },
        MilestoneDraft { id: "gone".into(), what: vec![Op::text("another")], ..Default::default() },
    ];
    let draft = Draft {
        texts: vec![("problem", vec![Op::text("Some words.")])],
        milestones,
        facts: vec![("period_from".into(), "2024-02-29".into())],
    };
    state.edit(&ana(), 2, [0; 16], &seed(7, &draft)).unwrap();
    state
}

fn ana() -> Actor {
    Actor {
        person: PersonId::new("ana"),
        seat: Seat::Author,
        sector: Sector::Government,
        session: SessionId::new("s"),
    }
}

/// Makes a change as any Yjs client could, and returns the unreleasable content of the document after this change.
fn after(write: impl FnOnce(&Doc)) -> Vec<(String, UnreleasableKind, String)> {
    let mut state = state();
    let doc = crate::ydoc::new(9);
    let known = state.encode_since(&StateVector::default());
    doc.transact_mut().apply_update(Update::decode_v1(&known).unwrap()).unwrap();
    write(&doc);
    let update = doc.transact().encode_diff_v1(&state.state_vector());
    state.edit(&ana(), 3, [0; 16], &update).unwrap();
    state.unreleasable().into_iter().map(|s| (s.place, s.kind, s.content)).collect()
}

fn check(write: impl FnOnce(&Doc), expect: &[(&str, UnreleasableKind, &str)]) {
    let expect: Vec<_> = expect.iter().map(|&(p, k, s)| (p.to_owned(), k, s.to_owned())).collect();
    assert_eq!(after(write), expect);
}

/// Applies steps of a Delta to the text of the problem.
fn delta(doc: &Doc, ops: serde_json::Value) {
    let ops: Vec<Op> = serde_json::from_value(ops).unwrap();
    let mut txn = doc.transact_mut();
    let text = txn.get_or_insert_text("problem");
    text.apply_delta(&mut txn, ops.iter().filter_map(Op::to_yrs));
}

#[test]
fn what_the_editor_writes_is_never_strange() {
    let mut state = state();
    let mut replica = Replica::new(11);
    replica.apply(&state.encode_since(&StateVector::default())).unwrap();
    let all: Vec<Op> = serde_json::from_value(json!([
        {"retain": 4, "attributes": {"bold": true, "italic": true, "link": "https://example.org/a?b#c"}},
        {"insert": "\n", "attributes": {"list": "ordered", "indent": 8}},
        {"insert": "line\n", "attributes": {"header": 2}},
        {"insert": "\u{1100}\u{1161}, क\u{94d}\u{200d}ष, \t tabs\n", "attributes": {"blockquote": true}},
        {"insert": "mail", "attributes": {"link": "mailto:a@example.org"}},
    ]))
    .unwrap();
    replica.edit(&Target::field("problem"), &all);
    replica.edit(
        &Target::field("problem"),
        &[Op::retain(3, Attributes::from_iter([("bold", Value::Null)]))],
    );
    replica.add_milestone("new", None);
    replica.set_milestone("new", "due_text", "Fall 2027");
    replica.remove_milestone("gone");
    replica.set_fact("period_to", "2027-12-31");
    replica.set_fact("period_from", "");
    state.edit(&ana(), 3, [0; 16], &replica.encode_since(&state.state_vector())).unwrap();
    assert_eq!(state.unreleasable(), []);
}

/// Rules U7 and R1.
#[test]
fn content_outside_the_template_is_named_until_it_is_deleted() {
    use UnreleasableKind::Part;
    let text = |doc: &Doc| doc.get_or_insert_text("appendix");
    check(
        |doc| text(doc).insert(&mut doc.transact_mut(), 0, "hidden"),
        &[("appendix", Part, "appendix")],
    );
    let write_and_delete = |doc: &Doc| {
        let text = text(doc);
        text.insert(&mut doc.transact_mut(), 0, "hidden");
        text.remove_range(&mut doc.transact_mut(), 0, 6);
    };
    check(write_and_delete, &[]);
    let map_named_title = |doc: &Doc| {
        doc.get_or_insert_map("title").insert(&mut doc.transact_mut(), "k", 1);
    };
    check(map_named_title, &[("title", Part, "title")]);
    let xml = |doc: &Doc| {
        let root = doc.get_or_insert_xml_fragment("prosemirror");
        root.insert(&mut doc.transact_mut(), 0, yrs::XmlElementPrelim::empty("p"));
    };
    check(xml, &[("prosemirror", Part, "prosemirror")]);
    let fact = |doc: &Doc| {
        doc.get_or_insert_map(FACTS).insert(&mut doc.transact_mut(), "budget", "none");
    };
    check(fact, &[("facts/budget", Part, "facts/budget")]);
    let in_milestone = |doc: &Doc| {
        let mut txn = doc.transact_mut();
        let Some(Out::YMap(map)) = txn.get_map(MILESTONES).and_then(|root| root.get(&txn, "m"))
        else {
            unreachable!()
        };
        map.insert(&mut txn, "secret", "clause");
        map.insert(&mut txn, "due", 7);
    };
    check(
        in_milestone,
        &[
            ("milestones/m/due", Part, "milestones/m/due"),
            ("milestones/m/secret", Part, "milestones/m/secret"),
        ],
    );
    let no_milestone = |doc: &Doc| {
        doc.get_or_insert_map(MILESTONES).insert(&mut doc.transact_mut(), "x", "text");
    };
    check(no_milestone, &[("milestones/x", Part, "milestones/x")]);
}

#[test]
fn formatting_values_and_characters_that_nobody_sees_are_named() {
    use UnreleasableKind::{Address, Character, Embedded, Formatting};
    let one = |ops: serde_json::Value, kind, said: &str| {
        check(|doc| delta(doc, ops), &[("problem", kind, said)]);
    };
    one(json!([{"retain": 1, "attributes": {"color": "white"}}]), Formatting, "color");
    one(json!([{"retain": 1, "attributes": {"bold": "maybe"}}]), Formatting, "bold");
    one(json!([{"retain": 1, "attributes": {"header": 1.5}}]), Formatting, "header");
    one(json!([{"retain": 1, "attributes": {"list": "checked"}}]), Formatting, "list");
    for address in [
        "javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "https:/x",
        "//x",
        "vbscript:x",
    ] {
        one(json!([{"retain": 1, "attributes": {"link": address}}]), Address, address);
    }
    one(json!([{"insert": {"image": "x"}}]), Embedded, "{\"image\":\"x\"}");
    one(json!([{"insert": "a\u{202e}b"}]), Character, "U+202E");
    one(json!([{"insert": "a\u{0}b"}]), Character, "U+0000");
    one(json!([{"insert": "a\u{e0041}b"}]), Character, "U+E0041");
}

#[test]
fn a_character_is_told_with_its_name_and_what_is_seen_around_it() {
    let write = |doc: &Doc| {
        delta(
            doc,
            json!([
                {"insert": "first\npays "},
                {"insert": "\u{202e}", "attributes": {"bold": true}},
                {"insert": "90 / 10\u{202c}, con\u{ad}tr\u{ad}acts"},
                {"insert": {"image": "x"}},
                {"insert": "\u{202e}a\u{e000}"},
            ]),
        );
    };
    let mut state = state();
    let doc = crate::ydoc::new(9);
    let known = state.encode_since(&StateVector::default());
    doc.transact_mut().apply_update(Update::decode_v1(&known).unwrap()).unwrap();
    write(&doc);
    let update = doc.transact().encode_diff_v1(&state.state_vector());
    state.edit(&ana(), 3, [0; 16], &update).unwrap();
    let unreleasable = state.unreleasable();
    let told: Vec<_> = unreleasable
        .iter()
        .filter_map(|s| Some((&*s.content, s.cleanable, s.character.as_ref()?)))
        .collect();
    let (said, cleanable, turned) = told[2];
    assert_eq!((said, cleanable, turned.offset, turned.count), ("U+202E", true, 11, 2));
    assert_eq!(turned.name.as_deref(), Some("right-to-left override"));
    assert_eq!((&*turned.before, &*turned.after), ("pays ", "90 / 10, contracts"));
    let (said, cleanable, own) = told[3];
    assert_eq!((said, cleanable, own.offset, own.name.as_deref()), ("U+E000", false, 36, None));
    assert_eq!(told.len(), 4);
}

#[test]
fn a_milestones_id_has_no_room_to_say_anything() {
    let with_id = |id: &'static str| {
        move |doc: &Doc| {
            let root = doc.get_or_insert_map(MILESTONES);
            let mut txn = doc.transact_mut();
            let map = root.insert(&mut txn, id, yrs::MapPrelim::default());
            map.insert(&mut txn, "what", yrs::types::text::TextPrelim::new("step\n"));
            map.insert(&mut txn, "removed", false);
        }
    };
    for id in
        ["m2", "0123456789abcdef", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "V1StGXR8_Z5jdHi6B-myT"]
    {
        check(with_id(id), &[]);
    }
    check(
        with_id("but not before 2031"),
        &[(MILESTONES, UnreleasableKind::Identifier, "but not before 2031")],
    );
    check(with_id("a\u{202e}"), &[(MILESTONES, UnreleasableKind::Identifier, "a\\u{202e}")]);
    check(with_id(""), &[(MILESTONES, UnreleasableKind::Identifier, "")]);
    let long = "0".repeat(64);
    check(
        with_id("00000000000000000000000000000000000000000000000000000000000000000"),
        &[(MILESTONES, UnreleasableKind::Identifier, &long)],
    );
}

/// Writes hidden characters, as a stock client can, and then cleans the document.
#[test]
fn cleaning_deletes_what_is_hidden_and_nothing_else() {
    let mut state = state();
    let doc = crate::ydoc::new(9);
    let known = state.encode_since(&StateVector::default());
    doc.transact_mut().apply_update(Update::decode_v1(&known).unwrap()).unwrap();
    delta(
        &doc,
        json!([
            {"insert": "pays "},
            {"insert": "\u{202e}90 / 10\u{202c}", "attributes": {"bold": true}},
            {"insert": "\u{2800}site", "attributes": {"link": "https://exa\u{ad}mple.org"}},
        ]),
    );
    let update = doc.transact().encode_diff_v1(&state.state_vector());
    state.edit(&ana(), 3, [0; 16], &update).unwrap();
    let mut replica = Replica::new(13);
    replica.apply(&state.encode_since(&StateVector::default())).unwrap();
    replica.set_milestone("m", "due_text", "Fall\u{200b} 2027");
    let before = state.state_vector();
    crate::model::cleaning::clean_document(&mut replica);
    state.edit(&ana(), 4, [0; 16], &replica.encode_since(&before)).unwrap();
    assert_eq!(state.unreleasable(), []);
    let content = Content::read(state.doc());
    assert_eq!(content.plain("problem"), "pays 90 / 10 siteSome words.\n");
    let due_text = content.milestones.iter().find(|one| one.id == "m").map(|one| &*one.due_text);
    assert_eq!(due_text, Some("Fall 2027"));
    let left = json!([
        {"insert": "pays "},
        {"insert": "90 / 10", "attributes": {"bold": true}},
        {"insert": " site", "attributes": {"link": "https://example.org/"}},
        {"insert": "Some words.\n"},
    ]);
    let normal = crate::model::delta::normalise(&content.texts["problem"]);
    assert_eq!(serde_json::to_value(normal).unwrap(), left);
    // A second cleaning finds nothing more to clean.
    replica.take_made();
    crate::model::cleaning::clean_document(&mut replica);
    assert_eq!(replica.take_made(), Vec::<Vec<u8>>::new());
}

#[test]
fn a_date_that_the_page_can_not_show_is_named() {
    for date in ["2025-02-29", "tomorrow", "2025-13-01", "2025-1-01", "+025-01-01", "2025-06-31"] {
        let write = |doc: &Doc| {
            doc.get_or_insert_map(FACTS).insert(&mut doc.transact_mut(), "period_to", date);
        };
        check(write, &[("facts/period_to", UnreleasableKind::Date, date)]);
    }
}

#[test]
fn notes_stop_a_proposal_while_they_say_anything_and_are_in_no_release() {
    let write = |words: &'static str| {
        move |doc: &Doc| {
            let mut txn = doc.transact_mut();
            let notes = txn.get_or_insert_text("notes");
            notes.insert(&mut txn, 0, words);
        }
    };
    check(write("to be placed\n"), &[("notes", UnreleasableKind::Notes, "notes")]);
    check(write(" \n\n"), &[]);

    let doc = crate::ydoc::new(1);
    write("to be placed\n")(&doc);
    let content = Content::read(&doc);
    assert!(content.texts.contains_key("notes"));
    let identity = crate::release::canonical::Identity {
        document: crate::ids::DocumentId::new("d"),
        number: 1,
        language: "en".into(),
        template: COMMITMENT_SCHEMA.into(),
        supersedes: None,
    };
    let released = crate::release::canonical::Released::of(identity, &content);
    assert!(!released.texts.contains_key("notes"));
}
