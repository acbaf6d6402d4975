//! A ledger of entry format 1, kept as bytes: every later version must replay it to the same head
//! and content. Written once; a change of it is a change of the format.

use accord_document::ids::{LineageId, PersonId, SessionId};
use accord_document::ledger::{DocumentState, Entry, Genesis};
use accord_document::lib0::{Reader, Write as _};
use accord_document::model::content::Content;
use accord_document::model::delta::{Attributes, Op};
use accord_document::model::template::{Draft, seed};
use accord_document::model::{MilestoneDraft, Replica, Target};
use accord_document::people::{Actor, Seat, Sector};

const HEAD: &str = "0356f820b862fad4af600b2d34f0d6ef3ba33bccc0be0a5a114d9f9cfee192bf";
const CONTENT: &str = include_str!("../data/golden/ledger-1.json");

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/golden")
}

/// What ledger 1 was made from.
fn make() -> Vec<Entry> {
    let actor = |person: &str, sector| Actor {
        person: PersonId::new(person),
        seat: Seat::Author,
        sector,
        session: SessionId::new("session"),
    };
    let (ana, ben) = (actor("ana", Sector::Government), actor("ben", Sector::CivilSociety));
    let genesis = Genesis {
        lineage: LineageId::new("golden"),
        schema: "ogp-commitment/1".into(),
        language: "ko".into(),
        rules: 1,
    };
    let genesis = genesis.entry(ana.clone(), 1_750_000_000_000, [0; 16]);
    let mut state = DocumentState::begin(&genesis).unwrap();
    let draft = Draft {
        texts: vec![("title", vec![Op::text("열린 정부 😀")])],
        milestones: vec![MilestoneDraft {
            id: "m1".into(),
            what: "Step".into(),
            ..Default::default()
        }],
        facts: vec![("period_from".into(), "2027-01-01".into())],
    };
    let mut entries = vec![genesis];
    let mut append = |state: &mut DocumentState, actor: &Actor, update: &[u8]| {
        let n = entries.len() as u8;
        let time = 1_750_000_000_000 + u64::from(n) * 1_000;
        entries.extend(state.edit(actor, time, [n; 16], update).unwrap());
    };
    append(&mut state, &ana, &seed(1, &draft));
    let mut replicas = [(Replica::new(2), ana), (Replica::new(3), ben)];
    let list = Attributes::from_iter([("list".to_owned(), "bullet".into())]);
    for round in 0..6u32 {
        let (replica, actor) = &mut replicas[round as usize % 2];
        replica.apply(&state.encode_since(&replica.state_vector())).unwrap();
        replica.take_made();
        replica.set_now(u64::from(round) * 10_000 + 10_000);
        match round {
            2 => replica.edit(
                &Target::field("problem"),
                &[Op::retain(1, Attributes::new()), Op::text("\n"), Op::retain(1, list.clone())],
            ),
            3 => replica.remove_milestone("m1"),
            4 => drop(replica.undo()),
            _ => replica.edit(&Target::field("problem"), &[Op::text(&format!("{round} "))]),
        }
        for update in replica.take_made() {
            append(&mut state, actor, &update);
        }
    }
    entries
}

#[test]
fn the_golden_ledger_of_format_1_replays_to_the_same_head_and_content() {
    let path = folder().join("ledger-1.bin");
    if std::env::var_os("ACCORD_WRITE").is_some() {
        let mut bytes = Vec::new();
        for entry in make() {
            bytes.put_buf(&entry.encode());
        }
        std::fs::write(&path, bytes).unwrap();
    }
    let bytes = std::fs::read(&path).unwrap();
    let mut reader = Reader::new(&bytes);
    let mut state: Option<DocumentState> = None;
    while !reader.is_empty() {
        let entry = Entry::decode(reader.buf().unwrap()).unwrap();
        match &mut state {
            None => state = Some(DocumentState::begin(&entry).unwrap()),
            Some(state) => drop(state.apply(&entry).unwrap()),
        }
    }
    let state = state.unwrap();
    let content = serde_json::to_string_pretty(&Content::read(state.doc())).unwrap() + "\n";
    if std::env::var_os("ACCORD_WRITE").is_some() {
        std::fs::write(folder().join("ledger-1.json"), &content).unwrap();
        println!("head {}", state.position().head);
    } else {
        assert_eq!(content, CONTENT);
        assert_eq!(state.position().head.to_string(), HEAD);
    }
}
