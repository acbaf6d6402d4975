//! Tests that every moment of a history has the content that the document had at that moment.

use super::*;
use crate::body::Body;
use crate::ledger::Outcome;
use crate::model::delta;

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
            // Some people are offline for a while, so their updates arrive later.
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
        // In a comparison of two moments, each side also has the content that the document had at that moment.
        for _ in 0..30 {
            let (from, to) = (random.below(said.len()), random.below(said.len()));
            let diff = ledger.history.diff(Seq(from as u64), Seq(to as u64));
            for text in &diff.texts {
                let side = |not: PieceStatus| -> String {
                    let there = text.pieces.iter().filter(|piece| piece.status != not);
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
    // Observers are not allowed to write, so an entry with an edit by an observer is void.
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
