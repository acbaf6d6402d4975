//! Golden ledgers: files of entries that every later version must replay to the same heads and states.
//!
//! `ACCORD_WRITE=1` writes the files. Each file is written only once: if it changes later, the format of ledgers has
//! changed.

mod history;
mod records;

use accord_document::body::{Genesis, Quorum, Redaction, Step};
use accord_document::ids::{DocumentId, LineageId, PersonId, SessionId};
use accord_document::ledger::{Entry, LedgerError};
use accord_document::lib0::{Reader, Write as _};
use accord_document::model::attributes::Attributes;
use accord_document::model::content::Content;
use accord_document::model::delta::Op;
use accord_document::model::{Draft, seed};
use accord_document::model::{MilestoneDraft, Replica, Target, locate};
use accord_document::people::{Actor, Seat, Sector};
use accord_document::state::DocumentState;
use accord_document::update::ScanError;

const HEAD: &str = "0356f820b862fad4af600b2d34f0d6ef3ba33bccc0be0a5a114d9f9cfee192bf";
const HEAD_2: &str = "59e9c9ddc65d7fc06f078e407d5ffb28663b6f3e2b51897ebb95065e11597fde";
const CONTENT: &str = include_str!("../data/golden/ledger-1.json");

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/golden")
}

/// Reads the entries of a golden ledger from its file. With `ACCORD_WRITE=1`, the file is first written with the
/// entries that `make` returns.
fn golden(name: &str, make: impl FnOnce() -> Vec<Entry>) -> Vec<Entry> {
    let path = folder().join(name);
    if std::env::var_os("ACCORD_WRITE").is_some() {
        let mut bytes = Vec::new();
        for entry in make() {
            bytes.put_buf(&entry.encode());
        }
        std::fs::write(&path, bytes).unwrap();
    }
    let bytes = std::fs::read(&path).unwrap();
    let mut reader = Reader::new(&bytes);
    let mut entries = Vec::new();
    while !reader.is_empty() {
        entries.push(Entry::decode(reader.buf().unwrap()).unwrap());
    }
    entries
}

fn replayed(entries: &[Entry]) -> Result<DocumentState, LedgerError> {
    let mut state = DocumentState::begin(&entries[0])?;
    for entry in &entries[1..] {
        state.apply(entry)?;
    }
    state.check_blanked().map(|()| state)
}

fn actor_in(person: &str, seat: Seat, sector: Sector) -> Actor {
    let (person, session) = (PersonId::new(person), SessionId::new("session"));
    Actor { person, seat, sector, session }
}

/// Makes the entries of `ledger-1.bin`.
fn make() -> Vec<Entry> {
    let actor = |person: &str, sector| actor_in(person, Seat::Author, sector);
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
            what: vec![Op::text("Step")],
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
    let list = Attributes::from_iter([("list", "bullet".into())]);
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
    let state = replayed(&golden("ledger-1.bin", make)).unwrap();
    let content = serde_json::to_string_pretty(&Content::read(state.doc())).unwrap() + "\n";
    if std::env::var_os("ACCORD_WRITE").is_some() {
        std::fs::write(folder().join("ledger-1.json"), &content).unwrap();
        println!("head {}", state.position().head);
    } else {
        assert_eq!(content, CONTENT);
        assert_eq!(state.position().head.to_string(), HEAD);
    }
}

#[test]
fn the_golden_ledger_with_a_redaction_replays_to_the_same_head_without_the_passage() {
    const HEAD: &str = "7a8357cc22fd55d5752ab50b6eaf27c99be5507c0b22ce1fd7b06583ce97523f";
    let make_redacted = || {
        let mut entries = make();
        let mut state = replayed(&entries).unwrap();
        let fay = actor_in("fay", Seat::Facilitator, Sector::Government);
        let passage = locate(state.doc(), &Target::field("title"), 0, "열린").unwrap();
        let (redaction, blanked) =
            Redaction::of("Why".into(), passage, entries.iter().map(Ok::<_, ScanError>)).unwrap();
        let salts = [[101; 16], [102; 16]];
        let (deletion, entry) = state.redact(&fay, 1_750_000_100_000, salts, redaction).unwrap();
        entries.extend(deletion);
        entries.push(entry);
        for entry in blanked {
            let place = usize::try_from(entry.seq.0).unwrap();
            entries[place] = entry;
        }
        entries
    };
    let entries = golden("ledger-1-redacted.bin", make_redacted);
    let state = replayed(&entries).unwrap();
    assert_eq!(Content::read(state.doc()).plain("title"), " 정부 😀\n");
    assert_eq!(state.redactions()[0].reason, "Why");
    assert!(state.unfinished_redactions().is_empty());
    assert_eq!(state.position().head.to_string(), HEAD);
}

/// The ledger of a text that is proposed with gaps, signed, reopened, proposed again and declined replays to the same
/// head, digest and steps.
#[test]
fn the_golden_path_to_a_release_is_the_one_that_was_gone() {
    const HEAD: &str = "60981c2b4a818a0fcdc9c67dce4e44e458d6e9208f752fc139b70422600e3c5b";
    const DIGEST: &str = "d0b2dc624fe9a284bb37a848d28d3bc4d9908ba0fe44d78a26572702d5f907f6";
    let fay = actor_in("fay", Seat::Facilitator, Sector::Government);
    let ana = actor_in("ana", Seat::Author, Sector::Government);
    let ben = actor_in("ben", Seat::Author, Sector::CivilSociety);
    let document = DocumentId::new("golden");
    let make = || {
        let genesis = Genesis {
            lineage: LineageId::new("golden release"),
            schema: "ogp-commitment/1".into(),
            language: "ka".into(),
            rules: 1,
        };
        let genesis = genesis.entry(fay.clone(), 1_000, [1; 16]);
        let mut state = DocumentState::begin(&genesis).unwrap();
        let mut entries = vec![genesis];
        let milestones = vec![MilestoneDraft {
            id: "m".into(),
            what: vec![Op::text("რეესტრი")],
            due_text: "2027 წლის შემოდგომა".into(),
            ..Default::default()
        }];
        let draft = Draft {
            texts: vec![("title", vec![Op::text("ღია კონტრაქტები")])],
            milestones,
            facts: vec![("period_from".into(), "2027-01-01".into())],
        };
        entries.extend(state.edit(&fay, 2_000, [2; 16], &seed(7, &draft)).unwrap());
        let propose = |state: &DocumentState| {
            let released = state.to_release(&document);
            Step::Propose {
                moment: state.position().seq,
                digest: released.digest(),
                quorum: Quorum::LEAST,
                gaps: released.gaps,
                message: "როგორც შევთანხმდით".into(),
            }
        };
        let first = propose(&state);
        let digest = state.to_release(&document).digest();
        entries.push(state.step(&fay, 3_000, [3; 16], first).unwrap());
        let proposal = entries.last().unwrap().seq;
        for (salt, by) in [(4, &ana), (5, &ben)] {
            let sign = Step::Approve { proposal, digest };
            entries.push(state.step(by, 4_000, [salt; 16], sign).unwrap());
        }
        let reopen = Step::Reopen { message: String::new() };
        entries.push(state.step(&fay, 5_000, [6; 16], reopen).unwrap());
        let second = propose(&state);
        entries.push(state.step(&fay, 6_000, [7; 16], second).unwrap());
        let proposal = entries.last().unwrap().seq;
        let decline = Step::Decline { proposal, reason: "ჯერ არა".into() };
        entries.push(state.step(&ben, 7_000, [8; 16], decline).unwrap());
        entries
    };
    let entries = golden("release-1.bin", make);
    let state = replayed(&entries).unwrap();
    assert_eq!(state.position().head.to_string(), HEAD);
    let releases = state.releases();
    let [release] = releases.all() else { panic!("{releases:?}") };
    assert_eq!(releases.proposal_of(release).digest.to_string(), DIGEST);
    assert!(
        matches!(&releases.proposals()[1].status, accord_document::release::ProposalStatus::Declined { reason, .. } if reason == "ჯერ არა")
    );
    // The first two entries after the genesis still give the digest that was signed.
    let frozen = replayed(&entries[..3]).unwrap().to_release(&document);
    let broken = "The text that was signed gets another digest. Do not change the digest of this test: leave a new field out \
        while it is blank, as CONTRIBUTING.md says under “How to add a field of a commitment”.";
    assert_eq!(frozen.digest().to_string(), DIGEST, "{broken}");
}
