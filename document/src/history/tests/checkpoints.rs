//! Tests that open documents from checkpoints, some of which are damaged.

use super::*;

/// A document that is opened from a checkpoint accepts and refuses the same edits as one that was never closed.
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
                // Sometimes another person writes under the same client id, which the document refuses.
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
