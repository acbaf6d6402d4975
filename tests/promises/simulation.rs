//! Tests the whole protocol with a fake network and a failing store, both of which [`World`] simulates.

use accord_document::state::DocumentState;
use accord_document::sync::Link;
use accord_tests::{Typed, World};

const RUNS: u64 = 400;
const STEPS: usize = 400;

/// Whatever happens in a run, all clients end with the server's text, everything is saved, and the ledger replays.
/// Nobody sees an edit, or a note that the edit is saved, before the edit is on disk (rules M2, M3 and A3).
#[test]
fn whatever_happens_all_agree_and_everything_is_saved_in_the_end() {
    for run in 0..RUNS {
        let outcome = std::panic::catch_unwind(|| {
            let mut world = World::new(run, false);
            for _ in 0..STEPS {
                world.step();
                world.check();
            }
            world.settle();
            let contents: Vec<_> = world.clients.iter().map(|c| c.replica().content()).collect();
            let server = accord_document::model::content::Content::read(
                world.room.as_ref().unwrap().state().doc(),
            );
            for (person, content) in contents.iter().enumerate() {
                assert_eq!(*content, server, "person {person}");
                assert!(!world.clients[person].is_unsaved(), "person {person} has unsaved edits");
                assert_eq!(*world.clients[person].link(), Link::Live);
            }
            let mut replayed = DocumentState::begin(&world.disk[0]).unwrap();
            for entry in &world.disk[1..] {
                let outcome = replayed.apply(entry).unwrap();
                assert_eq!(
                    outcome,
                    accord_document::ledger::Outcome::Applied,
                    "entry {}",
                    entry.seq
                );
            }
            let text = serde_json::to_string(&server).unwrap();
            for Typed { word, .. } in &world.typed {
                assert!(text.matches(word.as_str()).count() <= 1, "{word} twice in {text}");
            }
        });
        assert!(outcome.is_ok(), "run {run} failed");
    }
}
