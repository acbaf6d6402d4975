//! A golden ledger with an undo, a version and a restore, and a golden segment that packs the same entries.

use super::{HEAD_2, actor_in, folder, golden};
use accord_document::body::{Genesis, Version};
use accord_document::history::{History, PieceStatus, RestoreScope};
use accord_document::ids::{LineageId, Seq};
use accord_document::ledger::{Entry, Outcome, pack, unpack};
use accord_document::model::delta::Op;
use accord_document::model::{Replica, Target};
use accord_document::people::{Actor, Seat, Sector};
use accord_document::state::DocumentState;
use accord_document::update::Provenance;

/// Makes the entries of `ledger-2.bin`: two people write, the second undoes and redoes his edit, a version is named,
/// and the text is restored.
fn golden_past() -> Vec<Entry> {
    let ana = actor_in("ana", Seat::Author, Sector::Government);
    let ben = actor_in("ben", Seat::Author, Sector::CivilSociety);
    let genesis = Genesis {
        lineage: LineageId::new("golden"),
        schema: accord_document::template::COMMITMENT_SCHEMA.into(),
        language: "en".into(),
        rules: 1,
    };
    let genesis = genesis.entry(ana.clone(), 1_700_000_000_000, [0; 16]);
    let mut state = DocumentState::begin(&genesis).unwrap();
    let mut history = History::default();
    history.record(&genesis, true);
    let mut entries = vec![genesis];
    let target = Target::field("problem");
    let (mut first, mut second) = (Replica::new(11), Replica::new(12));
    let mut now = 1_700_000_000_000;
    let mut take = |actor: &Actor, replica: &mut Replica, restores: Option<Seq>| {
        let claims = replica.take_claims();
        for update in replica.take_made() {
            now += 250;
            let provenance = Provenance { claims: claims.clone(), restores };
            let salt = [entries.len() as u8; 16];
            let entry = state.edit_from(actor, now, salt, &update, provenance).unwrap();
            history.record(entry.as_ref().unwrap(), true);
            entries.extend(entry);
        }
        (state.encode_since(&Default::default()), history.len() - 1)
    };
    first.edit(&target, &[Op::text("Nobody can read it. ")]);
    let (all, written) = take(&ana, &mut first, None);
    second.apply(&all).unwrap();
    second.edit(&target, &[Op::delete(7), Op::text("Few ")]);
    let (all, _) = take(&ben, &mut second, None);
    first.apply(&all).unwrap();
    second.undo();
    second.redo();
    take(&ben, &mut second, None);
    let mut replica = Replica::new(13);
    replica.apply(&state.encode_since(&Default::default())).unwrap();
    history.restore(&mut replica, Seq(written), &RestoreScope::Whole);
    let claims = replica.take_claims();
    let name = |entries: &[Entry]| Version {
        name: "Before the meeting".into(),
        description: "As Ben left it".into(),
        moment: Seq(entries.len() as u64 - 1),
        before_restoring: None,
    };
    let version = name(&entries);
    entries.push(state.name_version(&ben, now, [7; 16], version).unwrap());
    for update in replica.take_made() {
        let provenance = Provenance { claims: claims.clone(), restores: Some(Seq(written)) };
        entries.extend(state.edit_from(&ana, now, [8; 16], &update, provenance).unwrap());
    }
    entries
}

/// Checks that the golden segment unpacks to these entries.
fn the_golden_segment_unpacks_to(entries: &[Entry]) {
    let bytes: Vec<_> = entries.iter().map(Entry::encode).collect();
    let path = folder().join("segment-1.bin");
    if std::env::var_os("ACCORD_WRITE").is_some() {
        std::fs::write(&path, pack(&bytes).unwrap()).unwrap();
    }
    assert_eq!(unpack(&std::fs::read(&path).unwrap()).unwrap(), bytes);
}

/// After an undo, a version and a restore, the text of the golden ledger is still credited to the person who
/// first wrote it.
#[test]
fn the_golden_past_is_credited_as_it_was() {
    let entries = golden("ledger-2.bin", golden_past);
    let mut state = DocumentState::begin(&entries[0]).unwrap();
    let mut history = History::default();
    history.record(&entries[0], true);
    for entry in &entries[1..] {
        let outcome = state.apply(entry).unwrap();
        history.record(entry, outcome == Outcome::Applied);
    }
    assert_eq!(state.position().head.to_string(), HEAD_2);
    assert_eq!(state.versions()[0].version.name, "Before the meeting");
    assert_eq!(history.restores().len(), 1);
    let diff = history.diff(Seq(1), Seq(u64::MAX));
    let pieces: Vec<_> = diff.texts[0]
        .pieces
        .iter()
        .map(|piece| {
            let author = &history.authors()[piece.written.author as usize];
            (piece.text(), piece.status, author.person.as_str())
        })
        .collect();
    assert_eq!(pieces, [("Nobody can read it. ", PieceStatus::Kept, "ana")]);
    the_golden_segment_unpacks_to(&entries);
}
