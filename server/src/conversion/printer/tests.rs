//! Tests of who waits for a file that another request is making, and of who holds slots in the meantime.

use super::*;
use crate::conversion::CONVERSIONS;
use crate::signing::Statement;
use accord_document::body::Quorum;
use accord_document::ids::{LineageId, PersonId, PlanId, Seq};
use accord_document::ledger::LedgerPosition;
use accord_files::samples::released;

/// Returns a printer with a release. Its children are shells, which end immediately because there is no script named
/// `worker`.
fn printer() -> (Printer, FairQueue, Arc<SealedRelease>) {
    let conversions = FairQueue::new(CONVERSIONS);
    let workers = Workers::new("/bin/sh".into()).unwrap();
    let printer = Printer::new(None, workers, conversions.clone()).unwrap();
    let released = released("en", |_| {});
    let statement = Statement {
        digest: released.digest(),
        document: released.document.clone(),
        number: 1,
        plan: PlanId::new("p"),
        plan_title: "Plan".into(),
        ledger: LedgerPosition { lineage: LineageId::new("l"), seq: Seq(9), head: Digest([0; 32]) },
        frozen: 1_795_440_000_000,
        quorum: Quorum { government: 1, civil_society: 1 },
        signatories: Vec::new(),
    };
    let frozen = SealedRelease { released, statement, file: Bytes::new(), moment: Seq(8) };
    (printer, conversions, Arc::new(frozen))
}

fn ana() -> Requester {
    Requester::Person(PersonId::new("ana"))
}

fn reader(address: &str) -> Requester {
    Requester::at(address.parse().unwrap())
}

/// Requests the PDF in a separate task.
fn ask(
    printer: &Printer,
    requester: Requester,
    frozen: &Arc<SealedRelease>,
) -> tokio::task::JoinHandle<Result<Bytes, FileError>> {
    let (printer, frozen) = (printer.clone(), frozen.clone());
    tokio::spawn(async move {
        printer.release(&requester, frozen, None, "http://localhost".into(), FileKind::Pdf).await
    })
}

/// Returns the result of `what`, or `None` after 15 seconds, which is half the time that a request waits for its slot.
async fn soon<T>(what: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(Duration::from_secs(15), what).await.ok()
}

#[tokio::test]
async fn nobody_waits_for_a_file_behind_a_stranger_who_waits_for_a_turn() {
    let (printer, conversions, frozen) = printer();
    let place = conversions.place(&reader("10.0.0.1")).unwrap();
    let _slot = place.slot().await.unwrap();
    let stranger = ask(&printer, reader("10.0.0.2"), &frozen);
    while conversions.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    let answer = soon(ask(&printer, ana(), &frozen)).await.expect("a person waits for a stranger");
    assert!(matches!(answer.unwrap(), Err(FileError::Work(_))), "the child ends at once");
    assert!(!stranger.is_finished(), "the stranger's turn has not come");
    stranger.abort();
}

#[tokio::test]
async fn a_file_that_a_stranger_is_making_is_waited_for_once() {
    let (printer, conversions, frozen) = printer();
    let key = (frozen.statement.digest, None, FileKind::Pdf);
    let shared = printer.shared.clone();
    let making = shared.in_making.begin(&key).unwrap();
    // One of Ana's requests arrives while the file is being made. The other waits for a turn, as if it had arrived
    // before.
    let asked = ask(&printer, ana(), &frozen);
    let place = conversions.place(&ana()).unwrap();
    let held = place.slot().await.unwrap();
    let other = conversions.place(&ana()).unwrap();
    let mut turn = Box::pin(shared.turn(&other, &key, true));
    let early = tokio::time::timeout(Duration::from_millis(50), &mut turn).await;
    assert!(early.is_err() && !asked.is_finished(), "it is made once");
    assert_eq!(conversions.waiting(), 0, "nobody waits for a slot who waits for the file");
    // The stranger gives up, and another stranger starts to make the file immediately.
    drop(making);
    let _next = shared.in_making.begin(&key).unwrap();
    drop(held);
    let (slot, making) =
        soon(turn).await.expect("a person waits for one stranger after the other").unwrap();
    assert!(making.is_none());
    drop(slot);
    assert!(soon(asked).await.is_some(), "a person waits for one stranger after the other");
}

#[tokio::test]
async fn people_who_wait_for_their_documents_hold_no_slot_of_others() {
    let (printer, _, frozen) = printer();
    // Eight people have their turn, and each still waits for the text of a document.
    let mut waiting = Vec::new();
    for person in (0..8).map(|n| Requester::Person(PersonId::new(format!("p{n}")))) {
        waiting.push(printer.turn(&person).await.unwrap());
    }
    let turn = printer.turn(&ana()).await.unwrap();
    let made = printer.draft(turn, &frozen.released, None, "Plan".into(), 0, FileKind::Docx);
    let answer = soon(made).await.expect("a person waits for others' documents");
    assert!(matches!(answer, Err(FileError::Work(_))), "its child was started: {answer:?}");
    drop(waiting);
}
