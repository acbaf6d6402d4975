//! Simulates the race between writing and freezing: a text is proposed, signed and reopened while several people type,
//! over a network that delays and cuts connections, with a store that fails and crashes.

use crate::world::{PEOPLE, World, actor};
use accord_document::body::{Body, Quorum, Step};
use accord_document::history::History;
use accord_document::ids::{Digest, DocumentId, PersonId, Seq};
use accord_document::ledger::{Entry, Outcome};
use accord_document::model::content::Content;
use accord_document::people::{Actor, Seat, Sector};
use accord_document::release::canonical::{Identity, Released};
use accord_document::release::{Release, StepError};
use accord_document::state::DocumentState;
use accord_document::sync::{Effect, Link, ProposalRequest, ProposeError};
use rand::RngExt;

const STEPS: usize = 500;

/// Counts of the events in one or more runs.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub freezes: usize,
    /// Number of proposals and signatures that came too late, because the text had changed.
    pub stale: usize,
    /// Number of texts that were set aside on their authors' devices.
    pub parked: usize,
    pub words: usize,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.freezes += other.freezes;
        self.stale += other.stale;
        self.parked += other.parked;
        self.words += other.words;
    }
}

fn facilitator() -> Actor {
    Actor { seat: Seat::Facilitator, sector: Sector::Government, ..actor(90) }
}

fn signatory(sector: Sector) -> Actor {
    let person = PersonId::new(format!("{sector:?}"));
    Actor { person, sector, ..actor(0) }
}

/// A proposal that somebody has read: its entry and its digest.
type Read = (Seq, Digest);

/// Checks that every client is connected, has nothing unsaved, and has the same text as the server.
fn check_that_all_agree(run: u64, world: &World) {
    let server = world.room.as_ref().map(|room| Content::read(room.state().doc()));
    for (person, client) in world.clients.iter().enumerate().take(PEOPLE) {
        assert_eq!(
            Some(client.replica().content()),
            server,
            "run {run}: person {person} reads another text"
        );
        assert!(!client.is_unsaved(), "run {run}: person {person} has something unsaved");
        assert_eq!(*client.link(), Link::Live, "run {run}: person {person}");
    }
}

/// Simulates one run, and returns the counts of its events. `run` is the seed: the same number repeats the run.
///
/// # Panics
/// Panics if something happens that Accord promises never happens, such as a lost word or a change of a frozen text.
#[must_use]
pub fn freeze_run(run: u64) -> Tally {
    let mut world = World::new(run, true);
    let mut tally = Tally::default();
    let document = DocumentId::new("simulated");
    let (mut drafted, mut read): (Option<Digest>, Option<Read>) = (None, None);
    for _ in 0..STEPS {
        world.step();
        world.check();
        let choice = world.random.random_range(0..60);
        let now = world.now;
        let Some(room) = world.room.as_mut() else { continue };
        let path = room.state().releases();
        let effects: Result<Vec<Effect>, StepError> = match choice {
            // The facilitator reads the text, to propose it later.
            0..2 => {
                drafted = Some(room.state().to_release(&document).digest());
                continue;
            }
            // The facilitator proposes the text that was read. Other steps can have come between.
            2..4 => {
                let Some(digest) = drafted.take() else { continue };
                let (document, quorum, message) = (document.clone(), Quorum::LEAST, String::new());
                let wanted = ProposalRequest { document, digest, quorum, message };
                room.propose(&facilitator(), wanted, now).map_err(|error| match error {
                    ProposeError::Step(error) => error,
                    ProposeError::Unreleasable(strange) => panic!("run {run}: {strange:?}"),
                })
            }
            // A signatory reads the open proposal.
            4..10 => {
                read = path.open().map(|open| (open.by.seq, open.digest)).or(read);
                continue;
            }
            // One of the two sides signs the proposal that was read, which may be stale by now.
            10..22 => {
                let Some((proposal, digest)) = read else { continue };
                let side = if choice % 2 == 0 { Sector::Government } else { Sector::CivilSociety };
                room.step(&signatory(side), Step::Approve { proposal, digest }, now)
            }
            22 => room.step(&facilitator(), Step::Reopen { message: String::new() }, now),
            _ => continue,
        };
        match effects {
            Ok(effects) => world.carry_out(effects),
            Err(StepError::Stale | StepError::OtherText) => tally.stale += 1,
            Err(StepError::Seat | StepError::Side | StepError::Gaps | StepError::Quorum) => {
                panic!("run {run}: who may do this is not the question")
            }
            Err(_) => {}
        }
    }
    world.settle();
    check_that_all_agree(run, &world);
    tally.freezes = replay(run, &world, &document);
    tally.parked = world.parked.len();
    tally.words = world.typed.len();
    tally
}

/// Replays the ledger from the disk, checks each release and each typed word, and returns the number of releases.
fn replay(run: u64, world: &World, document: &DocumentId) -> usize {
    let mut state = DocumentState::begin(&world.disk[0]).expect("a genesis");
    let mut history = History::default();
    history.record(&world.disk[0], true);
    // For each draft, `drafts` has the bytes of all its updates.
    let mut drafts: Vec<Vec<u8>> = vec![Vec::new()];
    for entry in &world.disk[1..] {
        let entry = Entry::decode(&entry.encode()).expect("what was written");
        let known = state.releases().all().len();
        assert_eq!(state.apply(&entry), Ok(Outcome::Applied), "run {run}: entry {}", entry.seq);
        history.record(&entry, true);
        match &entry.body {
            Body::Edit { update, .. } => {
                assert!(
                    !state.releases().is_frozen(),
                    "run {run}: entry {} changes a frozen text",
                    entry.seq
                );
                if let Some(draft) = drafts.last_mut() {
                    draft.extend_from_slice(update);
                }
            }
            Body::Step(Step::Reopen { .. }) => drafts.push(Vec::new()),
            _ => {}
        }
        if let Some(release) = state.releases().all().get(known) {
            covers(run, document, &state, &history, release);
        }
    }
    for word in &world.typed {
        let holds =
            |bytes: &[u8]| bytes.windows(word.word.len()).any(|part| part == word.word.as_bytes());
        for (index, draft) in drafts.iter().enumerate() {
            assert!(
                index <= word.draft
                    || !holds(draft)
                    || drafts[..index].iter().any(|before| holds(before)),
                "run {run}: {} was written in draft {} and came into draft {index}",
                word.word,
                word.draft
            );
        }
        let saved = drafts.iter().any(|draft| holds(draft));
        let parked = world.parked.iter().any(|text| text.contains(&word.word));
        assert!(saved || parked, "run {run}: {} is nowhere", word.word);
    }
    state.releases().all().len()
}

/// Checks that a release's digest is the digest of two texts: the one that the history gives for the proposed moment,
/// and the one that is frozen.
fn covers(
    run: u64,
    document: &DocumentId,
    state: &DocumentState,
    history: &History,
    release: &Release,
) {
    let path = state.releases();
    let proposal = path.proposal_of(release);
    let before = path.all().iter().take(release.number as usize - 1).next_back();
    let identity = || Identity {
        document: document.clone(),
        number: release.number,
        language: state.genesis().language.clone(),
        template: state.genesis().schema.clone(),
        supersedes: before.map(|before| path.proposal_of(before).digest),
    };
    let proposed = Released::of(identity(), &history.content_at(proposal.moment));
    assert_eq!(proposed.digest(), proposal.digest, "run {run}: release {}", release.number);
    let frozen = Released::of(identity(), &Content::read(state.doc()));
    assert_eq!(frozen.digest(), proposal.digest, "run {run}: release {}", release.number);
}
