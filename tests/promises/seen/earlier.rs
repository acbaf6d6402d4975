//! Proposals and names that an earlier version accepted are judged again when somebody signs.

use super::{clean, named, of, path, propose};
use accord_document::body::{Quorum, Step};
use accord_document::ids::{DocumentId, LedgerId, PersonId, Seq, SessionId};
use accord_document::ledger::Entry;
use accord_document::people::{Actor, Seat, Sector};
use accord_document::state::DocumentState;
use accord_server::store::{Append, DiskStore, Ledger, Records, Store as _};
use accord_tests::{PASSWORD, Server, SyncClient, Visitor};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A proposal that an earlier version accepted, and names that it stored, are judged again at the signature, which is
/// refused (rule R2).
#[tokio::test(flavor = "multi_thread")]
async fn what_was_proposed_and_named_before_is_judged_again_at_the_signature() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ana = server.visit("ana")?;
    let (document, other) = (ana.create("Open contracts")?, ana.create("Open data")?);
    let mut stock = SyncClient::connect(&server, &ana, &document, 11).await?;
    stock.edit("problem", 0, 0, "pays \u{200f}90 / 10\u{200f} per cent").await?;
    stock.settled().await?;
    drop(stock);
    let joined = Visitor::join(
        &server.address,
        &server.visit("fay")?.invite("author", "government")?,
        "rosa@x.org",
    )?;
    let rosa = joined.id()?;
    let standing = json!({ "seat": "author", "sector": "government", "signatory": true });
    let seat = format!("/api/v1/plans/demo/people/{rosa}");
    ensure!(server.visit("fay")?.request("PUT", &seat, Some(standing))?.0 == 204);
    let ben = server.visit("ben")?.id()?;
    ensure!(server.stop()?.success());

    // Ben's surname begins with a Cyrillic O instead of a Latin one.
    const LOOK_ALIKE: &str = "Ben \u{41e}kafor";
    let proposal = {
        let store = DiskStore::open(data.path(), 0)?;
        name_as_before(&store, &rosa, "Rosa\u{3164}Díaz\u{202e}")?;
        name_as_before(&store, &ben, LOOK_ALIKE)?;
        propose_as_before(&store, &document)?
    };

    let server = Server::start(data.path())?;
    let place_of_ben = format!("people/{ben}");
    let (fay, ana, ben) = (server.visit("fay")?, server.visit("ana")?, server.visit("ben")?);
    let signature = |visitor: &Visitor, document: &str, proposal: u64| {
        let digest = path(visitor, document)?["digest"].clone();
        let to = of(document, &format!("proposals/{proposal}/signature"));
        visitor.request("PUT", &to, Some(json!({ "digest": digest })))
    };
    let read = path(&ana, &document)?;
    ensure!(read["proposals"][0]["fate"] == "open", "{read}");
    let (status, refused) = signature(&ana, &document, proposal)?;
    ensure!((status, &refused["error"]) == (409, &json!("strange")), "{status} {refused}");

    // A signatory's name with hidden characters blocks every proposal until it is changed.
    let place = format!("people/{rosa}");
    ensure!(
        named(&path(&fay, &other)?, &place) == BTreeSet::from(["U+3164".into(), "U+202E".into()])
    );
    let (status, refused) = propose(&fay, &other)?;
    ensure!((status, &refused["error"]) == (409, &json!("strange")), "{status} {refused}");
    let rosa = Visitor::sign_in_as(&server.address, "rosa@x.org", PASSWORD)?;
    let (status, renamed) = rosa.request(
        "PATCH",
        "/api/v1/account",
        Some(json!({ "name": "Rosa\u{3164}Díaz\u{202e}" })),
    )?;
    ensure!((status, &renamed["name"]) == (200, &json!("Rosa Díaz")), "{status} {renamed}");
    ensure!(named(&path(&fay, &other)?, &place).is_empty());
    ensure!(named(&path(&fay, &other)?, &place_of_ben) == BTreeSet::from([LOOK_ALIKE.into()]));
    let (status, refused) = propose(&fay, &other)?;
    ensure!((status, &refused["error"]) == (409, &json!("strange")), "{status} {refused}");
    let rename = |name| ben.request("PATCH", "/api/v1/account", Some(json!({ "name": name })));
    ensure!(rename(LOOK_ALIKE)?.0 == 422);
    ensure!(rename("Ben Okafor")?.0 == 200);

    ensure!(clean(&ana, &document)?.0 == 200);
    let (status, proposed) = propose(&fay, &document)?;
    ensure!(status == 200, "{status} {proposed}");
    let proposal = proposed["seq"].as_u64().context("a number")?;
    for visitor in [&ana, &ben] {
        let (status, signed) = signature(visitor, &document, proposal)?;
        ensure!(status == 200, "{status} {signed}");
    }
    ensure!(path(&ana, &document)?["frozen"] == true);
    Ok(())
}

/// Stores a name that an earlier version would have accepted.
fn name_as_before(store: &DiskStore, person: &str, name: &str) -> Result<()> {
    let record = store.get("person", person)?.context("the person's record")?;
    let mut value: Value = serde_json::from_slice(&record.value)?;
    value["name"] = name.into();
    store.put("person", person, &serde_json::to_vec(&value)?)?;
    Ok(())
}

/// Appends the entry that an earlier version would have appended when Fay proposed a text. Returns its number.
fn propose_as_before(store: &DiskStore, document: &str) -> Result<u64> {
    let document = DocumentId::new(document);
    let ledger = LedgerId::from(document.clone());
    let entries = store.read(&ledger, Seq(0))?;
    let entries: Vec<Entry> =
        entries.iter().map(|bytes| Entry::decode(bytes)).collect::<Result<_, _>>()?;
    let mut state = DocumentState::begin(entries.first().context("a genesis")?)?;
    for entry in &entries[1..] {
        state.apply(entry)?;
    }
    let fay = Actor {
        person: PersonId::new("demo-fay"),
        seat: Seat::Facilitator,
        sector: Sector::Government,
        session: SessionId::new("s"),
    };
    let released = state.to_release(&document);
    let step = Step::Propose {
        moment: state.position().seq,
        digest: released.digest(),
        quorum: Quorum { government: 1, civil_society: 1 },
        gaps: released.gaps.clone(),
        message: String::new(),
    };
    let entry = state.step(&fay, state.time(), [0; 16], step)?;
    store.append(&[Append { ledger, seq: entry.seq, bytes: entry.encode() }])?;
    Ok(entry.seq.0)
}
