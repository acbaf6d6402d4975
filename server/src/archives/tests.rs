//! Tests of the memory limits of histories, and of the order in which requesters read.

use super::*;
use crate::store::{Append, MemoryStore};
use accord_document::body::Genesis;
use accord_document::ids::{LineageId, PersonId, SessionId};
use accord_document::ledger::RULES;
use accord_document::lib0::Write as _;
use accord_document::people::{Actor, Seat, Sector};

fn actor() -> Actor {
    Actor {
        person: PersonId::new("ana"),
        seat: Seat::Author,
        sector: Sector::Government,
        session: SessionId::new("s"),
    }
}

/// Encodes an update in which a client inserts `text` or, if `text` is `None`, deletes the first 1 MiB of text that the
/// client has inserted. Client 0 writes to the field `problem`, every other client to a root of its own.
fn update(client: u64, text: Option<&str>) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_var(u64::from(text.is_some()));
    if let Some(text) = text {
        out.put_var(1);
        out.put_var(client);
        out.extend([0, 4, 1]);
        let root = if client == 0 { "problem".to_owned() } else { format!("text-{client}") };
        out.put_buf(root.as_bytes());
        out.put_buf(text.as_bytes());
        out.push(0);
    } else {
        out.extend([1]);
        out.put_var(client);
        out.extend([1, 0]);
        out.put_var(1 << 20);
    }
    out
}

/// Creates a store with a document in which a text of 1 MiB was written and deleted again, `megabytes` times.
fn store(document: &DocumentId, megabytes: u32) -> Arc<dyn Store> {
    let store = MemoryStore::default();
    let ledger = LedgerId::Document(document.clone());
    let genesis = Genesis {
        lineage: LineageId::new("l"),
        schema: "s".into(),
        language: "en".into(),
        rules: RULES,
    };
    let genesis = genesis.entry(actor(), 5, [0; 16]);
    let mut state = DocumentState::begin(&genesis).unwrap();
    let mut entries = vec![genesis];
    let text = "a".repeat(1 << 20);
    for client in 0..u64::from(megabytes) {
        for text in [Some(text.as_str()), None] {
            let update = update(client, text);
            entries.extend(state.edit(&actor(), 9, [1; 16], &update).unwrap());
        }
    }
    for entry in entries {
        let append = Append { ledger: ledger.clone(), seq: entry.seq, bytes: entry.encode() };
        store.append(&[append]).unwrap();
    }
    Arc::new(store)
}

/// Creates archives in which a redaction can read a history twice as large as one that is shown.
fn with_store(store: Arc<dyn Store>) -> Archives {
    Archives::new(store, 2 * MAX_HISTORY_BYTES, PersonalLocks::default())
}

fn ana() -> Requester {
    Requester::Person(PersonId::new("ana"))
}

#[tokio::test]
async fn histories_stay_within_their_budget_whatever_is_in_them() {
    let document = DocumentId::new("d");
    let archives = with_store(store(&document, 10));
    let reading = archives.reading(&ana()).await.unwrap();
    assert_eq!(archives.read(&reading, &document, |archive| archive.history.len()).unwrap(), 21);
    assert!(archives.kept.get(&document).is_some());
    // The next history is larger than the limit of one history.
    let archives = with_store(store(&document, 40));
    let refused = archives.read(&reading, &document, |_| ()).unwrap_err();
    assert!(matches!(refused, OpenError::TooLong), "{refused}");
    assert!(archives.kept.get(&document).is_none(), "nothing of it is kept");
    let len = archives.read_for_redaction(&reading, &document, |archive| archive.history.len());
    assert_eq!(len.unwrap(), 81, "a redaction may read more");
    let archives = Archives::new(archives.store, 1, PersonalLocks::default());
    let refused = archives.read_for_redaction(&reading, &document, |_| ()).unwrap_err();
    assert!(matches!(refused, OpenError::TooLong), "{refused}");
}

#[tokio::test]
async fn what_a_document_said_is_read_however_long_its_history_is() {
    let document = DocumentId::new("d");
    // The history of the second document is above the limit of one history.
    for megabytes in [1, 34] {
        let archives = with_store(store(&document, megabytes));
        let at = move |moment: u64| {
            move |archives: &Archives, reading: &Reading| {
                let document = DocumentId::new("d");
                archives.content(reading, &document, |state| {
                    (moment <= state.position().seq.0).then(|| (Seq(moment), state.position().seq))
                })
            }
        };
        let last = Seq(u64::from(megabytes) * 2);
        for (moment, len) in [(1, 1 << 20), (2, 0)] {
            let (now, said) = archives.in_turn(&ana(), at(moment)).await.unwrap().unwrap();
            assert_eq!((now, said.plain("problem").len()), (last, len), "at {moment}");
        }
        assert!(archives.in_turn(&ana(), at(1_000)).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn redactions_that_wait_hold_no_reading_and_no_turn_of_others() {
    let archives = with_store(store(&DocumentId::new("d"), 1));
    let person = |name: &str| Requester::Person(PersonId::new(name));
    // Each request holds a place in the queue of redactions, but no turn to read.
    let waiting: Vec<_> =
        (0..16).map(|n| archives.redaction(&person(&format!("p{}", n / 4))).unwrap()).collect();
    assert!(archives.redaction(&person("p0")).is_err(), "of which each has a few");
    let long = std::time::Duration::from_secs(15);
    let mut readings = Vec::new();
    for name in ["p0", "p1", "p2"] {
        let person = person(name);
        let reading = tokio::time::timeout(long, archives.reading(&person)).await;
        readings.push(reading.expect("a reading waits for redactions").unwrap());
    }
    let place = archives.redaction(&ana()).unwrap();
    let turn = tokio::time::timeout(long, place.reading()).await;
    drop((turn.expect("a redaction waits for others' documents").unwrap(), waiting, readings));
}

#[tokio::test]
async fn a_release_is_sealed_beside_all_readings_and_whatever_its_signer_waits_for() {
    let archives = with_store(store(&DocumentId::new("d"), 1));
    let mut readings = Vec::new();
    for name in ["ana", "ben", "cem"] {
        let person = Requester::Person(PersonId::new(name));
        readings.push(archives.reading(&person).await.unwrap());
    }
    let places: Vec<_> = std::iter::from_fn(|| archives.readings.place(&ana()).ok()).collect();
    assert!(!places.is_empty() && archives.reading(&ana()).await.is_err(), "ana has no place");
    let long = std::time::Duration::from_secs(15);
    let sealing = tokio::time::timeout(long, archives.sealing()).await;
    let sealing = sealing.expect("a seal waits for readings");
    let len = archives.read(&sealing, &DocumentId::new("d"), |archive| archive.history.len());
    assert_eq!(len.unwrap(), 3);
    let mut next = Box::pin(archives.sealing());
    let also = tokio::time::timeout(std::time::Duration::from_millis(20), &mut next).await;
    assert!(also.is_err(), "one is sealed at a time");
    drop(sealing);
    let next = tokio::time::timeout(long, next).await;
    drop((next.expect("the next one's turn has come"), readings, places));
}

#[tokio::test]
async fn anonymous_readers_never_keep_people_from_reading() {
    let archives = with_store(store(&DocumentId::new("d"), 1));
    // Eight readers at different addresses ask to read, and each reading lasts until the end of the test.
    let (give_up, given_up) = std::sync::mpsc::channel::<()>();
    let given_up = Arc::new(Mutex::new(given_up));
    let readers: Vec<_> = (0..8)
        .map(|n| {
            let (archives, given_up) = (archives.clone(), given_up.clone());
            tokio::spawn(async move {
                let reader = Requester::at(format!("10.0.{n}.1").parse().unwrap());
                let endless = move |_: &Archives, _: &Reading| {
                    let _ = given_up.lock().unwrap().recv();
                    Ok(())
                };
                let _ = archives.in_turn(&reader, endless).await;
            })
        })
        .collect();
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    let ana = ana();
    let read = archives.in_turn(&ana, |archives, reading| {
        archives.read(reading, &DocumentId::new("d"), |archive| archive.history.len())
    });
    let len = tokio::time::timeout(std::time::Duration::from_secs(20), read).await;
    assert_eq!(len.expect("a person waits for strangers").unwrap(), 3);
    readers.iter().for_each(tokio::task::JoinHandle::abort);
    drop(give_up);
}
