//! JSON bodies of requests that become entries: acts of a plan, and steps and versions of a document.

use super::scan::{base, updates};
use crate::actors::{actor, genesis};
use crate::parts;
use crate::same::assert_same;
use accord_document::body::{Act, Quorum, Redaction, Step, Version};
use accord_document::ids::{Digest, DocumentId, PersonId, Seq};
use accord_document::ledger::{Entry, Outcome};
use accord_document::people::{Actor, Seat, Sector};
use accord_document::plan::{PLAN_SCHEMA, PlanState};
use accord_document::state::DocumentState;
use accord_document::sync::{Effect, ProposalRequest, Room};
use std::fmt::Debug;

const MAX_REQUESTS: usize = 16;
/// The people who make requests. The first byte of a part chooses one.
const PEOPLE: [(&str, Seat, Sector); 4] = [
    ("ana", Seat::Facilitator, Sector::Government),
    ("ben", Seat::Author, Sector::CivilSociety),
    ("obi", Seat::Observer, Sector::Other),
    ("adi", Seat::Administrator, Sector::Government),
];

/// Carries out requests in a plan and in a document. What is carried out must be entries that replay, without becoming
/// void, to the same state. What is refused must change nothing.
pub(crate) fn run(data: &[u8]) {
    let requests = parts::split(data, MAX_REQUESTS);
    in_plan(&requests);
    in_document(&requests);
}

fn person(byte: u8) -> Actor {
    let (name, seat, sector) = PEOPLE[usize::from(byte) % PEOPLE.len()];
    Actor { sector, ..actor(name, seat) }
}

fn in_plan(requests: &[&[u8]]) {
    let first = genesis(PLAN_SCHEMA);
    let mut plan = PlanState::begin(&first).expect("the genesis is valid");
    let mut replayed = plan.clone();
    let now = |at: usize| at as u64 * 1_000;
    for (at, request) in requests.iter().enumerate() {
        let Some((&by, json)) = request.split_first() else { continue };
        let Ok(act) = serde_json::from_slice::<Act>(json) else { continue };
        let before = format!("{plan:?}");
        match plan.act(&person(by), now(at), [2; 16], act) {
            Ok(entry) => {
                let read = Entry::decode(&entry.encode()).expect("a new entry can be decoded");
                assert_eq!(replayed.apply(&read), Ok(Outcome::Applied));
                same(&replayed, &plan);
            }
            Err(_) => assert_eq!(format!("{plan:?}"), before, "a refused act changes nothing"),
        }
    }
    let documents: Vec<&DocumentId> = plan.documents().into_iter().map(|(id, _)| id).collect();
    for id in documents {
        assert!(plan.languages_of(id).count() <= plan.documents().len());
        assert!(plan.published(id).count() <= plan.launched_releases(id).count());
    }
}

fn same<T: Debug>(one: &T, other: &T) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

fn in_document(requests: &[&[u8]]) {
    let first = genesis("ogp-commitment/1");
    let mut state = DocumentState::begin(&first).expect("the genesis is valid");
    let mut ledger = vec![first];
    for update in base() {
        let entry = state.edit(&person(1), 1, [1; 16], &update);
        ledger.extend(entry.expect("the base is valid"));
    }
    let mut room = Room::new(state, [7; 32]);
    for (at, request) in requests.iter().enumerate() {
        let Some((&by, json)) = request.split_first() else { continue };
        let before = DocumentState::resume(&room.state().checkpoint());
        let before = before.expect("a checkpoint resumes");
        let made = in_room(&mut room, &person(by), json, 10 + at as u64);
        if made.is_none() {
            assert_same(room.state(), &before, "a refused request changes nothing");
        }
        for effect in made.unwrap_or_default() {
            if let Effect::Append(entry) = effect {
                ledger.push(entry);
            }
        }
    }
    let mut replayed = DocumentState::begin(&ledger[0]).expect("the genesis is valid");
    for entry in &ledger[1..] {
        let read = Entry::decode(&entry.encode()).expect("a new entry can be decoded");
        assert_eq!(replayed.apply(&read), Ok(Outcome::Applied));
    }
    assert_same(&replayed, room.state(), "replayed");
}

/// Makes a request in a room. Returns its effects, or `None` if it is refused.
fn in_room(room: &mut Room, by: &Actor, json: &[u8], now: u64) -> Option<Vec<Effect>> {
    if let Some(message) = json.strip_prefix(b"propose ") {
        let document = DocumentId::new("d");
        let digest = room.state().to_release(&document).digest();
        let message = String::from_utf8_lossy(message).into_owned();
        let wanted = ProposalRequest { document, digest, quorum: Quorum::LEAST, message };
        return room.propose(by, wanted, now).ok();
    }
    if let Some(update) = json.strip_prefix(b"restore ") {
        return room.restore(by, update, Vec::new(), Seq(1), now).ok();
    }
    if let Ok(step) = serde_json::from_slice::<Step>(&with_digest(room, json)) {
        return room.step(by, step, now).ok();
    }
    if let Ok(redaction) = serde_json::from_slice::<Redaction>(json) {
        return room.redact(by, redaction, now).ok();
    }
    let version = serde_json::from_slice::<Version>(json).ok()?;
    room.name_version(by, version, now).ok()
}

/// Returns JSON in which `DIGEST` is replaced with the digest of the present text, which no fuzzer can guess.
fn with_digest(room: &Room, json: &[u8]) -> Vec<u8> {
    let digest = room.state().to_release(&DocumentId::new("d")).digest();
    String::from_utf8_lossy(json).replace("DIGEST", &digest.to_string()).into_bytes()
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let part = |by: u8, json: &str| [&[by], json.as_bytes()].concat();
    let digest = Digest([7; 32]);
    let ben = PersonId::new("ben");
    let signatory = r#"{"seat":"author","sector":"civil_society","signatory":true}"#;
    let facilitator = r#"{"seat":"facilitator","sector":"government","signatory":false}"#;
    let plan = [
        part(3, &format!(r#"{{"act":"seat","person":"ana","standing":{facilitator}}}"#)),
        part(0, r#"{"act":"title","title":"Plan"}"#),
        part(
            0,
            &format!(
                r#"{{"act":"invite","invitation":"{digest}","standing":{signatory},"expires":99000}}"#
            ),
        ),
        part(1, &format!(r#"{{"act":"join","invitation":"{digest}"}}"#)),
        part(0, r#"{"act":"add_document","document":"d","language":"en"}"#),
        part(0, r#"{"act":"add_document","document":"e","language":"es","translates":"d"}"#),
        part(
            0,
            &format!(
                r#"{{"act":"launch","releases":[{{"document":"d","number":1,"digest":"{digest}"}}],"opens":7000,"zone":"Europe/Lisbon"}}"#
            ),
        ),
        part(0, r#"{"act":"publish","launch":7}"#),
        part(0, r#"{"act":"call_off","launch":7}"#),
        part(0, r#"{"act":"quorum","quorum":{"government":2,"civil_society":1}}"#),
        part(0, r#"{"act":"archive","document":"e"}"#),
        part(0, r#"{"act":"unarchive","document":"e"}"#),
        part(0, r#"{"act":"delete","document":"e"}"#),
        part(0, &format!(r#"{{"act":"unseat","person":"{ben}"}}"#)),
        part(0, r#"{"act":"close"}"#),
        part(0, r#"{"act":"reopen"}"#),
    ];
    let document = [
        part(0, r#"{"name":"First","moment":2}"#),
        part(0, "propose Please read"),
        part(0, r#"{"step":"approve","proposal":6,"digest":"DIGEST"}"#),
        part(1, r#"{"step":"approve","proposal":6,"digest":"DIGEST"}"#),
        part(1, r#"{"step":"reopen","message":"again"}"#),
        part(0, r#"{"step":"reopen"}"#),
        part(0, "propose "),
        part(1, r#"{"step":"decline","proposal":10,"reason":"no"}"#),
        part(0, r#"{"step":"withdraw","proposal":10}"#),
        part(0, r#"{"reason":"secret","ranges":[{"client":1,"clock":2,"len":2}],"targets":[]}"#),
        [&b"\0restore "[..], &updates()[0]].concat(),
    ];
    vec![parts::join(&plan), parts::join(&document)]
}
