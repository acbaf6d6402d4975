//! Tests of who gets places and slots, and in which order.

use super::*;

const LIMITS: QueueLimits =
    QueueLimits { slots: 2, anonymous_slots: 1, slots_each: 1, places_each: 3, places: 5 };

fn person(name: &str) -> Requester {
    Requester::Person(PersonId::new(name))
}

fn reader(address: &str) -> Requester {
    Requester::at(address.parse().unwrap())
}

fn is_idle(queue: &FairQueue) -> bool {
    let state = queue.shared.lock();
    state.usages.is_empty() && state.running == 0 && state.places == [0, 0]
}

#[tokio::test]
async fn one_requester_runs_one_and_holds_a_few_places() {
    let queue = FairQueue::new(LIMITS);
    let places: Vec<Place> = (0..3).map(|_| queue.place(&person("ana")).unwrap()).collect();
    assert_eq!(queue.place(&person("ana")).unwrap_err(), Busy::Requester);
    let slot = places[0].slot().await.unwrap();
    let second = tokio::time::timeout(Duration::from_millis(20), places[1].slot()).await;
    assert!(second.is_err(), "one runs at a time");
    let other = queue.place(&person("ben")).unwrap();
    let others = other.slot().await.unwrap();
    drop(slot);
    let again = places[1].slot().await.unwrap();
    drop((again, others, other, places));
    assert!(is_idle(&queue), "{queue:?}");
}

#[tokio::test]
async fn requesters_take_turns_whatever_the_number_of_their_requests() {
    let queue = FairQueue::new(QueueLimits { slots: 1, ..LIMITS });
    let order = Arc::new(Mutex::new(Vec::new()));
    let first = queue.place(&person("ada")).unwrap();
    let running = first.slot().await.unwrap();
    let mut tasks = Vec::new();
    for name in ["ana", "ana", "ana", "ben"] {
        let (place, order) = (queue.place(&person(name)).unwrap(), order.clone());
        tasks.push(tokio::spawn(async move {
            let _slot = place.slot().await.unwrap();
            order.lock().unwrap().push(name);
        }));
        tokio::task::yield_now().await;
    }
    drop(running);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), ["ana", "ben", "ana", "ana"]);
}

#[tokio::test]
async fn readers_without_an_account_leave_a_slot_and_places_to_people() {
    let queue = FairQueue::new(LIMITS);
    let places: Vec<Place> =
        (0..5).map(|n| queue.place(&reader(&format!("10.0.0.{n}"))).unwrap()).collect();
    assert_eq!(queue.place(&reader("10.0.0.9")).unwrap_err(), Busy::Server);
    let slot = places[0].slot().await.unwrap();
    let second = tokio::time::timeout(Duration::from_millis(20), places[1].slot()).await;
    assert!(second.is_err(), "the other slot is for people");
    let place = queue.place(&person("ana")).unwrap();
    drop((place.slot().await.unwrap(), slot));
}

#[tokio::test]
async fn a_request_that_is_given_up_leaves_nothing_behind() {
    let queue = FairQueue::new(QueueLimits { slots: 1, ..LIMITS });
    let place = queue.place(&person("ana")).unwrap();
    let slot = place.slot().await.unwrap();
    for _ in 0..100 {
        let other = queue.place(&person("ben")).unwrap();
        let _ = tokio::time::timeout(Duration::from_micros(10), other.slot()).await;
    }
    assert!(queue.shared.lock().waiting.is_empty(), "{queue:?}");
    // A request that is given up does not take the turn of the requester's other requests.
    let others = [queue.place(&person("ben")).unwrap(), queue.place(&person("ben")).unwrap()];
    let mut kept = Box::pin(others[0].slot());
    let still = tokio::time::timeout(Duration::from_millis(5), &mut kept).await;
    assert!(still.is_err(), "there is one slot");
    let given_up = tokio::time::timeout(Duration::from_millis(5), others[1].slot()).await;
    assert!(given_up.is_err());
    drop(slot);
    drop((kept.await.unwrap(), others, place));
    assert!(is_idle(&queue), "{queue:?}");
}

#[tokio::test]
async fn a_person_has_one_running_of_all_kinds_that_share_it() {
    let personal_locks = PersonalLocks::default();
    let [files, readings] = [(); 2].map(|()| FairQueue::sharing(LIMITS, personal_locks.clone()));
    let file = files.place(&person("ana")).unwrap();
    let making = file.slot().await.unwrap();
    let reading = readings.place(&person("ana")).unwrap();
    let mut waiting = Box::pin(reading.slot());
    let still = tokio::time::timeout(Duration::from_millis(20), &mut waiting).await;
    assert!(still.is_err(), "her file is being made");
    // While Ana's reading waits for her file to be made, the reading holds no slot, so others can read.
    for name in ["ben", "eva"] {
        let place = readings.place(&person(name)).unwrap();
        drop(place.slot().await.unwrap());
    }
    drop(making);
    drop((waiting.await.unwrap(), reading, file));
    assert!(is_idle(&files) && is_idle(&readings));
    drop(personal_locks.turn(&PersonId::new("ben")).await);
    assert_eq!(personal_locks.people.lock().unwrap().len(), 1, "nobody else is remembered");
}

#[test]
fn an_ipv6_subscriber_is_one_reader() {
    assert_eq!(reader("2001:db8::1"), reader("2001:db8::ffff:1"));
    assert_ne!(reader("2001:db8::1"), reader("2001:db8:0:1::1"));
    assert_eq!(reader("::ffff:10.0.0.1"), reader("10.0.0.1"));
}
