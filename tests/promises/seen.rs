//! People sign what they see. A text with hidden characters, or with addresses or ids that could mislead readers, can't
//! be proposed, and the server lists where they are. It checks the text again when somebody signs. A cleaning is an
//! edit that removes such characters, and keeps all other text and its authors.

mod earlier;

use accord_tests::{Server, SyncClient, Visitor, node};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use yrs::types::Attrs;
use yrs::types::text::TextPrelim;
use yrs::{Map, MapPrelim, Text, Transact};

fn of(document: &str, rest: &str) -> String {
    format!("/api/v1/documents/{document}/{rest}")
}

fn path(visitor: &Visitor, document: &str) -> Result<Value> {
    let (status, path) = visitor.get(&of(document, "release"))?;
    ensure!(status == 200, "{status} {path}");
    Ok(path)
}

fn propose(visitor: &Visitor, document: &str) -> Result<(u16, Value)> {
    let digest = path(visitor, document)?["digest"].clone();
    visitor.post(&of(document, "proposals"), json!({ "digest": digest }))
}

fn clean(visitor: &Visitor, document: &str) -> Result<(u16, Value)> {
    visitor.post(&of(document, "cleaning"), json!({}))
}

/// Returns the unreleasable content that a release path lists for one place, such as `U+200B`.
fn named(path: &Value, place: &str) -> BTreeSet<String> {
    let all = path["strange"].as_array().cloned().unwrap_or_default();
    let here = all.iter().filter(|one| one["place"] == place);
    here.filter_map(|one| one["said"].as_str().map(str::to_owned)).collect()
}

fn corpus(name: &str) -> Result<Vec<Value>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/readable").join(name);
    Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_would_be_shown_otherwise_are_named_cleaned_and_then_proposed() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana, obi) = (server.visit("fay")?, server.visit("ana")?, server.visit("obi")?);
    let document = ana.create("Open contracts")?;
    let mut stock = SyncClient::connect(&server, &ana, &document, 11).await?;
    stock.edit("problem", 0, 0, "The state pays \u{202e}90 / 10\u{202c} per\u{ad} cent.").await?;
    stock.settled().await?;

    let read = path(&fay, &document)?;
    let first = &read["strange"][1];
    ensure!(
        (&first["place"], &first["said"], &first["cleanable"])
            == (&json!("problem"), &json!("U+202C"), &json!(true)),
        "{read}"
    );
    let turned = &read["strange"][2]["character"];
    ensure!(
        *turned
            == json!({
                "reason": "direction", "name": "right-to-left override", "offset": 15, "count": 1,
                "before": "The state pays ", "after": "90 / 10 per cent.",
            }),
        "{turned}"
    );
    let (status, refused) = propose(&fay, &document)?;
    ensure!((status, &refused["error"]) == (409, &json!("strange")), "{status} {refused}");
    let sentence = refused["message"].as_str().unwrap_or_default();
    ensure!(sentence.contains("U+202E (right-to-left override) in problem"), "{sentence}");

    // An observer is not allowed to clean a text. A facilitator is, and the cleaning credits the facilitator with no
    // text.
    ensure!(clean(&obi, &document)?.0 == 403);
    let (status, done) = clean(&fay, &document)?;
    ensure!(status == 200, "{status} {done}");
    ensure!(ana.text(&document, "problem")? == "The state pays 90 / 10 per cent.\n");
    let (_, diff) = ana.get(&of(&document, "diff?from=1"))?;
    let authors = diff["authors"].as_array().context("authors")?;
    let ana_is = authors.iter().position(|author| author["name"] == "Ana Ferreira");
    let texts = diff["texts"].as_array().context("texts")?;
    let problem = texts.iter().find(|text| text["target"] == "problem").context("a problem")?;
    for piece in problem["pieces"].as_array().context("pieces")? {
        let is_left = piece["fate"] != "deleted" && piece["insert"] != "\n";
        ensure!(!is_left || piece["written"]["author"] == json!(ana_is), "{piece}");
    }

    // Cleaning a clean text adds no entry.
    let (_, again) = clean(&fay, &document)?;
    ensure!(again["seq"] == done["seq"], "{again} after {done}");
    let (status, proposed) = propose(&fay, &document)?;
    ensure!(status == 200, "{status} {proposed}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_of_the_corpus_is_named_and_no_innocent_text_is_refused() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana) = (server.visit("fay")?, server.visit("ana")?);
    let hostile = ana.create("Hostile")?;
    let mut stock = SyncClient::connect(&server, &ana, &hostile, 11).await?;
    let mut expect = BTreeSet::new();
    for attack in corpus("attacks.json")? {
        let text = attack["text"].as_str().context("a text")?;
        stock.edit("problem", 0, 0, &format!("{text}\n")).await?;
        expect.extend(
            attack["named"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|code| code.as_str().map(str::to_owned)),
        );
    }
    stock.settled().await?;
    let all = named(&path(&fay, &hostile)?, "problem");
    // Besides the characters that reorder numbers, the first reordered digit is listed.
    let others: Vec<_> = all.difference(&expect).collect();
    ensure!(all.is_superset(&expect) && others == ["U+0031"], "{others:?}");
    ensure!(propose(&fay, &hostile)?.1["error"] == "strange");

    let innocent = ana.create("Innocent")?;
    let mut stock = SyncClient::connect(&server, &ana, &innocent, 12).await?;
    for line in corpus("innocent.json")? {
        let text = line["text"].as_str().context("a text")?;
        stock.edit("problem", 0, 0, &format!("{text}\n")).await?;
    }
    stock.settled().await?;
    let read = path(&fay, &innocent)?;
    ensure!(read["strange"] == json!([]), "{}", read["strange"]);
    let before = ana.text(&innocent, "problem")?;
    ensure!(clean(&ana, &innocent)?.0 == 200 && ana.text(&innocent, "problem")? == before);
    ensure!(propose(&fay, &innocent)?.0 == 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_dates_in_words_and_milestones_ids_hide_nothing() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana) = (server.visit("fay")?, server.visit("ana")?);
    let document = ana.create("Open contracts")?;
    let mut stock = SyncClient::connect(&server, &ana, &document, 11).await?;
    let links = [
        "https://a b",
        "https://ana@evil.example/",
        "https://exa\u{ad}mple.org/a",
        "https://example.org/fine",
    ];
    let update = {
        let text = stock.doc.get_or_insert_text("problem");
        let milestones = stock.doc.get_or_insert_map("milestones");
        let mut txn = stock.doc.transact_mut();
        for link in links {
            let attributes = Attrs::from([("link".into(), link.into())]);
            text.insert_with_attributes(&mut txn, 0, "https://a.example ", attributes);
        }
        let id = "but nothing before 2031";
        let milestone = milestones.insert(&mut txn, id, MapPrelim::default());
        milestone.insert(&mut txn, "what", TextPrelim::new("A step\n"));
        milestone.insert(&mut txn, "due_text", "Fall\u{200b} 2027");
        milestone.insert(&mut txn, "removed", false);
        txn.encode_update_v1()
    };
    stock.feed_update(&update).await?;
    stock.flush().await?;
    stock.settled().await?;
    let listed = |path: &Value| -> Vec<(String, String, bool)> {
        let all = path["strange"].as_array().cloned().unwrap_or_default();
        let one = |one: &Value| {
            (one["kind"].to_string(), one["said"].to_string(), one["cleanable"] == true)
        };
        all.iter().map(one).collect()
    };
    let quoted = |kind: &str, content: &str, cleanable| {
        (json!(kind).to_string(), json!(content).to_string(), cleanable)
    };
    let id = quoted("identifier", "but nothing before 2031", false);
    let expect = [
        id.clone(),
        quoted("character", "U+200B", true),
        quoted("address", links[0], false),
        quoted("address", links[1], false),
        quoted("address", links[2], true),
    ];
    let read = path(&fay, &document)?;
    ensure!(listed(&read) == expect, "{:?}", listed(&read));
    ensure!(clean(&ana, &document)?.0 == 200);
    let read = path(&fay, &document)?;
    ensure!(listed(&read) == [id, expect[2].clone(), expect[3].clone()], "{:?}", listed(&read));
    ensure!(read["draft"]["milestones"][0]["due_text"] == "Fall 2027");
    Ok(())
}

#[test]
fn names_titles_and_messages_are_cleaned_on_the_way_in_or_refused_with_the_character() -> Result<()>
{
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana, ida) = (server.visit("fay")?, server.visit("ana")?, server.visit("ida")?);
    let hidden = "Open\u{ad} con\u{200b}tracts\u{202e}";

    let document = ana.create(hidden)?;
    ensure!(ana.text(&document, "title")? == "Open contracts\n");
    let (_, renamed) = ana.request(
        "PATCH",
        "/api/v1/account",
        Some(json!({ "name": "\u{200f}Ana \u{2800} Ferreira\u{feff}" })),
    )?;
    ensure!(renamed["name"] == "Ana Ferreira", "{renamed}");
    let plan = ida.post("/api/v1/plans", json!({ "title": hidden }))?.1["id"].clone();
    let (_, plan) = ida.get(&format!("/api/v1/plans/{}", plan.as_str().context("a plan")?))?;
    ensure!(plan["title"] == "Open contracts", "{plan}");
    ensure!(fay.request("PATCH", "/api/v1/plans/demo", Some(json!({ "title": hidden })))?.0 == 204);
    ensure!(fay.get("/api/v1/plans/demo")?.1["title"] == "Open contracts");
    ensure!(ana.post(&of(&document, "versions"), json!({ "name": hidden }))?.0 == 200);
    ensure!(ana.get(&of(&document, "history"))?.1["versions"][0]["name"] == "Open contracts");
    let digest = path(&fay, &document)?["digest"].clone();
    ensure!(
        fay.post(&of(&document, "proposals"), json!({ "digest": digest, "message": hidden }))?.0
            == 200
    );
    ensure!(path(&fay, &document)?["proposals"][0]["message"] == "Open contracts");

    // Names in other scripts keep the joiners that they need.
    let persian = "علی\u{200c}رضا";
    let (_, renamed) = ana.request("PATCH", "/api/v1/account", Some(json!({ "name": persian })))?;
    ensure!(renamed["name"] == persian, "{renamed}");

    for (name, code) in [
        ("A\u{336}na", None),
        ("Ana\u{e000}", None),
        ("\u{3164}", None),
        ("\u{410}na Ferreira", None),
        ("9\u{336}0 contracts", Some("U+0336")),
    ] {
        let refused = match code {
            None => ana.request("PATCH", "/api/v1/account", Some(json!({ "name": name })))?,
            Some(_) => ana.post("/api/v1/plans/demo/documents", json!({ "title": name }))?,
        };
        ensure!(refused.0 == 422, "{name:?}: {refused:?}");
        ensure!(
            refused.1["message"].as_str().unwrap_or_default().contains(code.unwrap_or_default())
        );
    }
    Ok(())
}

#[test]
fn an_import_is_cleaned_and_says_so() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana) = (server.visit("fay")?, server.visit("ana")?);
    let file = "# Open con\u{ad}tracts\n\n## Problem\n\n\u{feff}Pays \u{202e}**90**\u{202c} / 10, [here](<https://example.org/a b>).\n";
    let (status, made) = ana.upload("/api/v1/plans/demo/imports?name=a.md", file.as_bytes())?;
    ensure!(status == 201, "{status} {made}");
    let document = made["id"].as_str().context("an id")?;
    ensure!(ana.text(document, "title")? == "Open contracts\n");
    let read = path(&fay, document)?;
    let strange: Vec<_> = read["strange"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|one| one["kind"] != "notes")
        .collect();
    ensure!(strange.is_empty(), "{strange:?}");
    ensure!(made["cleaned"].as_u64().is_some_and(|cleaned| cleaned >= 3), "{made}");
    ensure!(
        read["draft"].to_string().contains("https://example.org/a%20b") || made["notes"] == true,
        "{read}"
    );
    Ok(())
}

/// The editor finds the same faulty links as the server. It finds the same hidden characters too, except those for
/// which JavaScript lacks the Unicode properties.
#[test]
fn the_editor_judges_links_and_hidden_characters_as_the_server_does() -> Result<()> {
    node("readable.mjs", &[]).map(drop)
}

/// A real browser shows numbers in the order that the server computes.
#[test]
fn a_browser_shows_numbers_in_the_order_that_the_server_judges() -> Result<()> {
    node("order.mjs", &[]).map(drop)
}
