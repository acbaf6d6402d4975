//! An update from a client, and the scan and the check that it passes before yrs sees it.

use crate::actors::{actor, genesis};
use crate::parts;
use crate::same::assert_same;
use accord_document::ledger::{Entry, Outcome};
use accord_document::model::attributes::Attributes;
use accord_document::model::content::Content;
use accord_document::model::delta::Op;
use accord_document::model::{Replica, Target};
use accord_document::people::Seat;
use accord_document::state::DocumentState;
use accord_document::update::scan;
use accord_document::{StateVector, ydoc};
use yrs::updates::decoder::Decode;
use yrs::{Transact, Update};

const MAX_UPDATES: usize = 8;

/// Sends updates to an empty document and to one with content. What a document accepts must be an entry that replays,
/// a checkpoint that resumes, and an update that another replica takes, all with the same content.
pub(crate) fn run(data: &[u8]) {
    let updates = parts::split(data, MAX_UPDATES);
    edit(&[], &updates);
    edit(&base(), &updates);
}

/// Sends updates to a document that has taken `base`.
fn edit(base: &[Vec<u8>], updates: &[&[u8]]) {
    let ana = actor("ana", Seat::Author);
    let first = genesis("ogp-commitment/1");
    let mut state = DocumentState::begin(&first).expect("the genesis is valid");
    let mut entries: Vec<Entry> = Vec::new();
    for update in base {
        entries.extend(state.edit(&ana, 1, [1; 16], update).expect("the base is valid"));
    }
    let before = entries.len();
    for update in updates {
        let taken = state.edit(&ana, 1, [1; 16], update);
        assert!(!state.is_broken(), "the scan and the check let pass what yrs can't integrate");
        if let Ok(taken) = taken {
            assert!(scan(update).is_ok(), "what is taken has passed the scan");
            entries.extend(taken);
        }
    }
    if entries.len() > before {
        reads_the_same(&state, &first, &entries);
    }
}

/// Checks that every way of reading a document gives the same content.
fn reads_the_same(state: &DocumentState, first: &Entry, entries: &[Entry]) {
    let content = Content::read(state.doc());
    let mut replayed = DocumentState::begin(first).expect("the genesis is valid");
    let other = ydoc::new(9);
    for entry in entries {
        let read = Entry::decode(&entry.encode()).expect("a new entry can be decoded");
        assert_eq!(&read, entry);
        assert_eq!(replayed.apply(&read), Ok(Outcome::Applied));
        let (update, _) = entry.body.edit().expect("each entry is an edit");
        let update = Update::decode_v1(update).expect("yrs reads what a ledger contains");
        other.transact_mut().apply_update(update).expect("yrs takes what a ledger contains");
    }
    assert_same(&replayed, state, "replayed from the ledger");
    assert_eq!(Content::read(&other), content, "received as it was broadcast");
    let resumed = DocumentState::resume(&state.checkpoint()).expect("a checkpoint resumes");
    assert_same(&resumed, state, "resumed from a checkpoint");
    let whole = state.encode_since(&StateVector::default());
    let late = ydoc::new(9);
    let update = Update::decode_v1(&whole).expect("yrs reads what it has encoded");
    late.transact_mut().apply_update(update).expect("yrs takes what it has encoded");
    assert_eq!(Content::read(&late), content, "received as a whole");
}

/// Returns the updates of a document with text, formatting, a milestone and deletions.
pub(crate) fn base() -> Vec<Vec<u8>> {
    let mut replica = Replica::new(1);
    let problem = Target::field("problem");
    replica.edit(&problem, &[Op::text("some words, \u{d55c}\u{1f600}")]);
    let bold = Attributes::from_iter([("bold", true.into())]);
    replica.edit(&problem, &[Op::retain(2, bold)]);
    replica.add_milestone("m", None);
    replica.edit(&problem, &[Op::retain(4, Attributes::new()), Op::delete(3)]);
    replica.take_made()
}

/// Returns updates that follow [`base`], made by the same client and by another one.
pub(crate) fn updates() -> Vec<Vec<u8>> {
    let mut made = Vec::new();
    for client in [1, 2] {
        let mut replica = Replica::new(client);
        for update in base() {
            replica.apply(&update).expect("the base is valid");
        }
        let problem = Target::field("problem");
        replica.edit(&problem, &[Op::retain(3, Attributes::new()), Op::text("more\n")]);
        let link = Attributes::from_iter([("link", "https://example.org".into())]);
        replica.edit(&problem, &[Op::retain(1, Attributes::new()), Op::retain(4, link)]);
        replica.remove_milestone("m");
        replica.add_milestone("n", None);
        replica.edit(&problem, &[Op::delete(5)]);
        made.extend(replica.take_made());
    }
    made
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = updates();
    let (all, before) = (updates(), base());
    seeds.push(parts::join(&all[..all.len() / 2]));
    seeds.push(parts::join(&all[all.len() / 2..]));
    seeds.push(parts::join(&before));
    seeds
}
