//! Makes release files, unaltered or with one change. A file consists of the text, a note with the signed statement
//! about the text, and the key.

use accord_document::body::Quorum;
use accord_document::ids::{Digest, DocumentId, LineageId, PersonId, PlanId, Seq};
use accord_document::ledger::LedgerPosition;
use accord_document::people::Sector;
use accord_document::release::canonical::digest;
use accord_server::signing::note::PrivateKey;
use accord_server::signing::{Signatory, Statement};
use serde_json::{Value, json};

/// Returns the key of the installation that should have signed the files.
pub(super) fn ours() -> PrivateKey {
    PrivateKey::new("accord.example.org", [3; 32])
}

/// Returns a forger's key, with the same name as the installation's key.
pub(super) fn mallory() -> PrivateKey {
    PrivateKey::new("accord.example.org", [4; 32])
}

/// Returns the text of a release that uses every part of the format.
pub(super) fn text() -> Value {
    json!({
        "format": "accord-release/1", "document": "d1", "number": 1, "language": "en", "template": "ogp-commitment/1",
        "gaps": ["results", "milestone_dates"],
        "texts": {
            "title": [{ "insert": "Open contracts: ღია, 열린, مفتوح 😀\n" }],
            "problem": [
                { "insert": "Why" }, { "insert": "\n", "attributes": { "header": 2.0 } },
                { "insert": "here", "attributes": { "bold": true, "link": "https://example.org/ä" } },
                { "insert": "\n", "attributes": { "indent": 1, "list": "bullet" } },
            ],
        },
        "milestones": [{
            "id": "m1", "what": [{ "insert": "Agree\n" }], "outputs": [{ "insert": "\n" }], "who": [{ "insert": "\n" }],
            "due": "2027-03-31", "due_text": "",
        }],
        "facts": { "period_from": "2027-01-01" },
    })
}

pub(super) fn signatory(person: &str, sector: Sector) -> Signatory {
    let name = format!("{}{}", person[..1].to_uppercase(), &person[1..]);
    Signatory { person: PersonId::new(person), name, sector, time: 1_767_225_600_000 }
}

pub(super) fn statement(text: &Value) -> Statement {
    Statement {
        digest: digest(text),
        document: DocumentId::new("d1"),
        number: 1,
        plan: PlanId::new("p1"),
        plan_title: "Action plan 2027".into(),
        ledger: LedgerPosition {
            lineage: LineageId::new("l1"),
            seq: Seq(9),
            head: Digest([1; 32]),
        },
        frozen: 1_767_225_600_000,
        quorum: Quorum::LEAST,
        signatories: vec![
            signatory("ana", Sector::Government),
            signatory("ben", Sector::CivilSociety),
        ],
    }
}

/// Returns a release's file, as the server offers it for download.
pub(super) fn file(text: &Value, note: &str, key: &PrivateKey) -> String {
    let file = json!({ "release": text, "note": note, "key": key.public().to_string() });
    serde_json::to_string_pretty(&file).unwrap() + "\n"
}

/// Returns the release file of a text, correctly signed.
pub(super) fn sealed(text: &Value) -> String {
    file(text, &ours().sign(&statement(text).text()), &ours())
}

/// Returns a release file with a changed text, which was correctly signed after the change.
pub(super) fn with_text(change: impl FnOnce(&mut Value)) -> String {
    let mut text = text();
    change(&mut text);
    sealed(&text)
}

/// Returns a release file with a changed statement, which was correctly signed after the change.
pub(super) fn with_statement(change: impl FnOnce(&mut Statement)) -> String {
    let mut statement = statement(&text());
    change(&mut statement);
    file(&text(), &ours().sign(&statement.text()), &ours())
}

/// Returns a release file whose statement was changed, as text, before the statement was signed.
pub(super) fn with_words(change: impl FnOnce(String) -> String) -> String {
    let words = change(statement(&text()).text());
    file(&text(), &ours().sign(&words), &ours())
}

/// Returns the unaltered file with one passage replaced after the signing.
pub(super) fn with(from: &str, to: &str) -> String {
    let whole = sealed(&text());
    assert!(whole.contains(from), "{from}");
    whole.replacen(from, to, 1)
}

/// Returns the correctly signed note of the unaltered file.
pub(super) fn note() -> String {
    ours().sign(&statement(&text()).text())
}

/// Returns the unaltered file with `note` in place of its own note.
pub(super) fn with_note(note: &str) -> String {
    file(&text(), note, &ours())
}

/// Returns the unaltered file with one passage of its note replaced after the signing.
pub(super) fn in_note(from: &str, to: &str) -> String {
    with_note(&note().replacen(from, to, 1))
}

/// Returns the file whose statement requires these numbers of signatures, correctly signed.
pub(super) fn with_quorum(government: u32, civil_society: u32) -> String {
    with_statement(move |all| all.quorum = Quorum { government, civil_society })
}

/// Returns a release file whose second signatory has this name, correctly signed.
pub(super) fn with_name(name: &str) -> String {
    let name = name.to_owned();
    with_statement(move |all| all.signatories[1].name = name)
}
