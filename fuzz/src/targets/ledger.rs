//! Entries of a ledger, as a store returns them.

use super::scan::{base, updates};
use crate::actors::{actor, genesis};
use crate::parts;
use crate::same::assert_same;
use accord_document::audit::{AUDIT_SCHEMA, AuditState};
use accord_document::body::Body;
use accord_document::history::History;
use accord_document::ids::{Digest, Seq};
use accord_document::ledger::{Entry, Outcome, pack, unpack};
use accord_document::lib0::{Reader, Write as _};
use accord_document::model::content::Content;
use accord_document::people::Seat;
use accord_document::plan::{PLAN_SCHEMA, PlanState};
use accord_document::state::DocumentState;
use sha2::{Digest as _, Sha256};

const MAX_ENTRIES: usize = 24;
const SEATS: [Seat; 5] =
    [Seat::Author, Seat::Facilitator, Seat::Adviser, Seat::Observer, Seat::Administrator];

/// Decodes the input as one entry and as one segment, and then applies its parts as the bodies of consecutive entries.
pub(crate) fn run(data: &[u8]) {
    if let Ok(entry) = Entry::decode(data) {
        assert_eq!(entry.encode(), data, "an entry has one encoding");
    }
    if let Ok(entries) = unpack(data)
        && !entries.is_empty()
    {
        // A segment can contain damaged entries, which the hash chain finds.
        let _ = pack(&entries).map(|packed| assert_eq!(unpack(&packed), Ok(entries)));
    }
    let parts = parts::split(data, MAX_ENTRIES);
    document(&parts);
    plan(&parts);
    audit(&parts);
}

/// In the second byte of a part: whether the entry was blanked.
const IS_BLANKED: u8 = 0x80;

/// Returns the entry after `before` whose body has a part's bytes. The first byte of a part chooses the seat, and the
/// second the kind of the body. Returns `None` if no entry has such a body.
fn entry(part: &[u8], before: &Entry) -> Option<Entry> {
    let ([seat, kind], body) = part.split_first_chunk()?;
    let actor = actor(if seat & 8 == 0 { "ana" } else { "ben" }, SEATS[usize::from(seat & 7) % 5]);
    let salt = [3; 16];
    let mut header = Vec::new();
    header.put_var(before.seq.0 + 1);
    header.put_var(before.time + 1);
    header.put_buf(actor.person.as_str().as_bytes());
    header.extend([seat_byte(actor.seat), 1]);
    header.put_buf(actor.session.as_str().as_bytes());
    header.push(kind & !IS_BLANKED);
    header.extend(Sha256::digest([&salt[..], body].concat()));
    header.extend(before.hash().0);
    let is_blanked = kind & IS_BLANKED != 0;
    let mut bytes = vec![if is_blanked { 2 } else { 1 }];
    bytes.put_buf(&header);
    bytes.extend(salt.iter().filter(|_| !is_blanked));
    bytes.put_buf(body);
    let entry = Entry::decode(&bytes).ok()?;
    assert_eq!(entry.encode(), bytes, "an entry has one encoding");
    Some(entry)
}

/// Returns the number of a seat in the header of an entry (section 8 of the protocol).
fn seat_byte(seat: Seat) -> u8 {
    match seat {
        Seat::Facilitator => 0,
        Seat::Author => 1,
        Seat::Adviser => 2,
        Seat::Observer => 3,
        Seat::Administrator => 4,
    }
}

/// Applies entries to a document. Its checkpoint must resume to the same state, and its history must read what the state
/// has applied.
fn document(parts: &[&[u8]]) {
    let first = genesis("ogp-commitment/1");
    let mut state = DocumentState::begin(&first).expect("the genesis is valid");
    let mut history = History::default();
    history.record(&first, true);
    let mut ledger = vec![first];
    for part in parts {
        let Some(entry) = entry(part, &ledger[ledger.len() - 1]) else { continue };
        if let Ok(outcome) = state.apply(&entry) {
            history.record(&entry, outcome == Outcome::Applied);
            ledger.push(entry);
        }
        assert!(!state.is_broken(), "the scan and the check let pass what yrs can't integrate");
    }
    if ledger.len() == 1 {
        return;
    }
    let resumed = DocumentState::resume(&state.checkpoint()).expect("a checkpoint resumes");
    assert_same(&resumed, &state, "resumed at the end");
    let (half, end) = (ledger.len() / 2, ledger.len());
    let mut later = DocumentState::begin(&ledger[0]).expect("the genesis is valid");
    for (at, entry) in ledger.iter().enumerate().take(end).skip(1) {
        later.apply(entry).expect("it was applied before");
        if at == half {
            later = DocumentState::resume(&later.checkpoint()).expect("a checkpoint resumes");
        }
    }
    assert_same(&later, &state, "resumed halfway");
    is_packed(&ledger);
    let last = Seq(end as u64 - 1);
    assert_eq!(history.content_at(last), Content::read(state.doc()), "as the history has it");
    let _ = history.changes(&history.diff(Seq(half as u64), last));
    let _ = (history.shares(last), history.sittings());
}

/// Applies entries to a plan. A replay must take the same entries and end at the same position.
fn plan(parts: &[&[u8]]) {
    let first = genesis(PLAN_SCHEMA);
    let mut state = PlanState::begin(&first).expect("the genesis is valid");
    let ledger = applied(parts, first, |entry| state.apply(entry).is_ok());
    for document in state.documents() {
        assert!(state.languages_of(document.0).count() <= state.documents().len());
    }
    let mut replayed = PlanState::begin(&ledger[0]).expect("the genesis is valid");
    for entry in &ledger[1..] {
        assert!(replayed.apply(entry).is_ok(), "it was applied before");
        assert_eq!(replayed.position().seq, entry.seq);
    }
    assert_eq!(replayed.position(), state.position());
    is_packed(&ledger);
}

/// Applies entries to the audit record.
fn audit(parts: &[&[u8]]) {
    let first = genesis(AUDIT_SCHEMA);
    let mut state = AuditState::begin(&first).expect("the genesis is valid");
    is_packed(&applied(parts, first, |entry| state.apply(entry).is_ok()));
}

/// Returns the ledger that begins with an entry and has the parts that `apply` takes.
fn applied(parts: &[&[u8]], first: Entry, mut apply: impl FnMut(&Entry) -> bool) -> Vec<Entry> {
    let mut ledger = vec![first];
    for part in parts {
        let next = entry(part, &ledger[ledger.len() - 1]);
        ledger.extend(next.filter(&mut apply));
    }
    ledger
}

/// Checks that a segment returns the entries that were packed into it.
fn is_packed(ledger: &[Entry]) {
    let bytes: Vec<Vec<u8>> = ledger.iter().map(Entry::encode).collect();
    let packed = pack(&bytes).expect("entries follow each other");
    assert_eq!(unpack(&packed), Ok(bytes), "a segment returns what was packed");
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let part = |seat: u8, kind: u8, body: &[u8]| [&[seat, kind], body].concat();
    let updates = updates();
    let edits: Vec<_> = base().iter().chain(&updates).map(|update| part(0, 1, update)).collect();
    let digest = Digest([7; 32]).to_string();
    let steps = [
        part(0, 1, &base()[0]),
        part(1, 7, br#"{"name":"First","moment":1}"#),
        part(1, 9, br#"{"lineage":"m"}"#),
        part(8, 6, &[&[1, 0][..], &updates[0]].concat()),
        part(0, 0x85, &[&[0][..], &updates[1]].concat()),
    ];
    let acts = [
        part(1, 2, br#"{"act":"title","title":"Plan"}"#),
        part(1, 2, format!(r#"{{"act":"revoke","invitation":"{digest}"}}"#).as_bytes()),
    ];
    let first = genesis("ogp-commitment/1");
    let ledger = vec![first.encode(), entry(&edits[0], &first).expect("an edit").encode()];
    let packed = pack(&ledger).expect("entries follow each other");
    let mut seeds = vec![parts::join(&edits), parts::join(&steps), parts::join(&acts), packed];
    seeds.extend(golden());
    seeds
}

/// Returns the first entries of a stored ledger, and those that were blanked.
fn golden() -> Vec<Vec<u8>> {
    let mut stored =
        Reader::new(include_bytes!("../../../tests/data/golden/ledger-1-redacted.bin"));
    let mut entries = Vec::new();
    while let Ok(bytes) = stored.buf() {
        let entry = Entry::decode(bytes).expect("a stored ledger can be decoded");
        if entry.seq.0 < 2 || matches!(entry.body, Body::Blanked { .. }) {
            entries.push(bytes.to_vec());
        }
    }
    entries
}
