//! Tests of rooms with a store that fails or blocks.

mod faulty_store;

use super::event::Outgoing;
use super::outbox::Queued;
use super::*;
use crate::demo;
use crate::fair_queue::Requester;
use crate::generation::Generation;
use crate::people::{People, SessionLimits};
use crate::plans::{Plans, installation};
use crate::store::Ledger;
use accord_document::body::{Act, Step};
use accord_document::ids::{Seq, SessionId};
use accord_document::lib0::Write as _;
use accord_document::people::{Actor, Seat, Sector, Standing};
use accord_document::sync::wire::{Message, read_frame};
use accord_document::sync::{Dialect, PresenceUser};
use faulty_store::FaultyStore;
use futures_util::FutureExt as _;
use std::time::Duration;

const CLIENT: u64 = 77;
/// Much longer than any test here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The demo data with a store that can fail.
struct Demo {
    store: Arc<FaultyStore>,
    people: People,
    plans: Plans,
    access: Access,
    rooms: Rooms,
}

impl Demo {
    async fn new() -> Self {
        let store = Arc::new(FaultyStore::default());
        let shared: Arc<dyn Store> = store.clone();
        let (clock, generation, metrics) =
            (Clock::system(), Generation::default(), Metrics::default());
        let committer = Committer::start(shared.clone(), metrics.clone()).unwrap();
        let day = Duration::from_secs(86_400);
        let limits = SessionLimits { absolute: day, idle: day };
        let people =
            People::open(shared.clone(), clock.clone(), limits, generation.clone()).unwrap();
        let plans =
            Plans::open(shared.clone(), committer.clone(), clock.clone(), generation.clone());
        let plans = plans.unwrap();
        demo::seed(&plans, &people).await.unwrap();
        let access = Access::new(people.clone(), plans.clone(), generation);
        let rooms = Rooms::new(shared, committer, metrics, clock, access.clone());
        Self { store, people, plans, access, rooms }
    }

    fn document() -> DocumentId {
        DocumentId::new(demo::PLAN)
    }

    /// Connects one of the demo people to the demo's commitment.
    async fn join(&self, name: &str) -> Page {
        let secret = self.people.sessions().begin(&demo::person_id(name), "127.0.0.1", "").unwrap();
        let by = self.people.signed_in(&secret).unwrap().unwrap();
        let user = PresenceUser {
            person: by.person.id.clone(),
            name: by.person.name.clone(),
            sector: Sector::Other,
        };
        let standing = Standing { seat: Seat::Author, sector: user.sector, signatory: false };
        let admission = Admission {
            actor: by.actor(standing),
            session: by.session,
            user,
            dialect: Dialect::Accord,
            may_write: true,
        };
        self.access.grant(&admission, &Self::document()).unwrap();
        let (outbox, queue) = self.rooms.outbox(&admission.user.person);
        let joined = self.rooms.join(&Self::document(), admission, outbox).await.unwrap();
        Page { joined, queue }
    }

    /// Returns the number of saved entries of the commitment.
    fn entries(&self) -> usize {
        self.store.read(&Self::document().into(), Seq(0)).unwrap().len()
    }

    /// Returns the saved owner of [`CLIENT`], or `None` if its claim is not saved.
    fn owner(&self) -> Option<PersonId> {
        let saved = announced::load(&*self.store, &Self::document()).unwrap();
        saved.owner(CLIENT).cloned()
    }
}

/// A person's connection to the room.
struct Page {
    joined: Joined,
    queue: mpsc::Receiver<Queued>,
}

impl Page {
    async fn send(&self, frame: Vec<u8>) {
        let place = self.joined.frame_places.enter(frame.len()).await.unwrap();
        let frame = RoomEvent::Frame { id: self.joined.id, bytes: frame.into(), place };
        self.joined.room.send(frame).await.unwrap();
    }

    /// Announces [`CLIENT`] as the id for this page's awareness.
    async fn announce(&self) {
        self.announce_as(CLIENT).await;
    }

    async fn announce_as(&self, client: u64) {
        let mut update = Vec::new();
        for number in [1, client, 1] {
            update.put_var(number);
        }
        update.put_buf(b"{}");
        self.send(Message::Awareness(&update).encode()).await;
    }

    /// Writes one letter as [`CLIENT`].
    async fn write(&self) {
        self.write_as(CLIENT, "a").await;
    }

    async fn write_as(&self, client: u64, words: &str) {
        let mut update = Vec::new();
        for number in [1, 1, client, 0] {
            update.put_var(number);
        }
        update.extend([4, 1]);
        update.put_buf(b"problem");
        update.put_buf(words.as_bytes());
        update.push(0);
        self.send(Message::Update(&update).encode()).await;
    }

    /// Takes all waiting messages out of this page's queue. Returns whether any of them shows the awareness of
    /// [`CLIENT`].
    fn has_heard(&mut self) -> bool {
        let mut heard = false;
        while let Ok(Queued { outgoing, .. }) = self.queue.try_recv() {
            let Outgoing::Frame(bytes) = outgoing else { continue };
            let messages = read_frame(&bytes).unwrap();
            heard |= messages.into_iter().any(|message| match message {
                Message::Awareness(update) => update.get(1) == Some(&(CLIENT as u8)),
                _ => false,
            });
        }
        heard
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(tokio::time::Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_client_id_that_can_t_be_saved_is_hidden_and_saved_later() {
    let demo = Demo::new().await;
    let (ana, mut ben) = (demo.join("ana").await, demo.join("ben").await);
    demo.store.loses_records.store(true, Ordering::SeqCst);
    ana.announce().await;
    until("it is tried again", || demo.store.lost.load(Ordering::SeqCst) >= 2).await;
    assert!(!ben.has_heard());
    demo.store.loses_records.store(false, Ordering::SeqCst);
    until("ben learns of it", || ben.has_heard()).await;
    assert_eq!(demo.owner(), Some(demo::person_id("ana")));
}

#[tokio::test]
async fn a_client_id_that_can_never_be_saved_keeps_no_other_from_being_saved() {
    let demo = Demo::new().await;
    demo.store.damaged.store(CLIENT + 1, Ordering::SeqCst);
    let (ana, mut fay, ben) =
        (demo.join("ana").await, demo.join("fay").await, demo.join("ben").await);
    demo.store.is_slow.store(true, Ordering::SeqCst);
    ben.announce_as(CLIENT + 1).await;
    ana.announce().await;
    demo.store.is_slow.store(false, Ordering::SeqCst);
    until("fay learns of the other", || fay.has_heard()).await;
    assert_eq!(demo.owner(), Some(demo::person_id("ana")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_until_a_client_id_is_saved() {
    let demo = Demo::new().await;
    let ana = demo.join("ana").await;
    demo.store.is_slow.store(true, Ordering::SeqCst);
    ana.announce().await;
    until("the id is being saved", || demo.store.delayed.load(Ordering::SeqCst) > 0).await;
    let rooms = demo.rooms.clone();
    let mut stopping = tokio::spawn(async move { rooms.shut_down().await });
    let early = tokio::time::timeout(Duration::from_millis(50), &mut stopping).await;
    assert!(early.is_err(), "it stops before the id is saved");
    demo.store.is_slow.store(false, Ordering::SeqCst);
    tokio::time::timeout(PATIENCE, stopping).await.expect("it stops").unwrap();
    assert_eq!(demo.owner(), Some(demo::person_id("ana")));
}

#[tokio::test]
async fn a_client_id_stays_its_persons_when_what_they_wrote_can_t_be_saved() {
    let demo = Demo::new().await;
    let ana = demo.join("ana").await;
    ana.announce().await;
    until("the id is saved", || demo.owner().is_some()).await;
    demo.store.is_full.store(true, Ordering::SeqCst);
    ana.write().await;
    tokio::time::timeout(PATIENCE, ana.joined.room.closed()).await.expect("the room is over");
    assert_eq!(demo.owner(), Some(demo::person_id("ana")));
    demo.store.is_full.store(false, Ordering::SeqCst);
    // Once an edit is on disk, the ledger names the owner of the id.
    let before = demo.entries();
    let ana = demo.join("ana").await;
    ana.write().await;
    until("it is written", || demo.entries() > before).await;
    demo.rooms.shut_down().await;
    until("the claim is removed", || demo.owner().is_none()).await;
}

/// A request can wait long for its turn, and permissions can change meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_refused_if_its_person_has_lost_the_role_that_it_had_at_first() {
    let demo = Demo::new().await;
    let (person, document) = (demo::person_id("ana"), Demo::document());
    let (plan, state) = demo.plans.home(&document).unwrap();
    let Standing { seat, sector, .. } = state.standing(&person).unwrap();
    let session = SessionId::new("session");
    let actor = Actor { person: person.clone(), seat, sector, session };
    let room = demo.rooms.handle(&document, Requester::Person(person.clone()));
    let withdraw = || room.step(&actor, Step::Withdraw { proposal: Seq(1) }, |_| async {});
    assert!(matches!(withdraw().await, Err(RequestError::Refused(_))), "there is no proposal");
    let is_outdated = |refused: Result<_, _>| {
        assert!(matches!(refused, Err(RequestError::Open(OpenError::RoleChanged))), "{refused:?}");
    };
    let standing = Standing { seat, sector, signatory: false };
    let act = Act::Seat { person: person.clone(), standing };
    demo.plans.act(&plan, &installation(), act, None).await.unwrap();
    let declining = Step::Decline { proposal: Seq(1), reason: "Not yet".into() };
    is_outdated(room.step(&actor, declining, |_| async {}).await);
    demo.plans.act(&plan, &installation(), Act::Unseat { person }, None).await.unwrap();
    is_outdated(withdraw().await);
}

/// Only the store knows whether an error can pass. As long as it has not stopped, it is asked again.
#[tokio::test(flavor = "multi_thread")]
async fn writers_come_back_after_an_error_that_passes() {
    let demo = Demo::new().await;
    let before = demo.entries();
    let ana = demo.join("ana").await;
    demo.store.fails.store(true, Ordering::SeqCst);
    ana.write().await;
    tokio::time::timeout(PATIENCE, ana.joined.room.closed()).await.expect("the room is over");
    demo.store.fails.store(false, Ordering::SeqCst);
    let ana = demo.join("ana").await;
    ana.write().await;
    until("the same letter is written", || demo.entries() == before + 1).await;
}

/// Rule C7.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_turn_waits_for_its_slot_and_others_write_meanwhile() {
    let demo = Demo::new().await;
    let (ana, ben) = (demo.join("ana").await, demo.join("ben").await);
    let before = demo.entries();
    let mut held = Vec::new();
    for name in (0..).map(|n| format!("p{n}")) {
        let place = demo.rooms.shared.large_turns.place(&Requester::Person(PersonId::new(name)));
        let place = place.unwrap();
        let Some(slot) = place.slot().now_or_never() else { break };
        held.push(slot.unwrap());
    }
    ana.write_as(CLIENT, &"a".repeat(20_000)).await;
    ana.write_as(CLIENT + 1, "b").await;
    ben.write_as(CLIENT + 2, "c").await;
    until("ben writes", || demo.entries() > before).await;
    ben.write_as(CLIENT + 3, "d").await;
    until("ben writes again", || demo.entries() > before + 1).await;
    assert_eq!(demo.entries(), before + 2, "what ana sent later stays behind her large turn");
    drop(held);
    until("ana's large turn has its slot", || demo.entries() == before + 4).await;
}
