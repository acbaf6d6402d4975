//! The files that every verifier must judge correctly: unaltered ones, and at least one for each way to tamper with
//! them.

use super::files::{
    file, in_note, mallory, note, ours, sealed, signatory, statement, text, with, with_name,
    with_note, with_quorum, with_statement, with_text, with_words,
};
use accord_document::ids::{DocumentId, PersonId};
use accord_document::people::Sector;
use serde_json::{Value, json};

/// The name of a file, its text, and the verdict on it: `verified`, `verified, other key`, or the name of a fault.
type Case = (&'static str, String, &'static str);

/// Returns the files that verify.
fn whole_files() -> Vec<Case> {
    let whole = sealed(&text());
    let value: Value = serde_json::from_str(&whole).unwrap();
    let note = note();
    vec![
        ("whole", whole.clone(), "verified"),
        ("one-line", serde_json::to_string(&value).unwrap(), "verified"),
        ("escaped", with("Open contracts", "\\u004fpen contracts"), "verified"),
        (
            "title-with-line",
            with_text(|all| {
                all["texts"]["title"][0]["insert"] =
                    "A plan\nSigned for government by Mal, 1 May 2026\n".into()
            }),
            "verified",
        ),
        (
            "plan-with-line",
            with_statement(|all| {
                all.plan_title = "P”\r\nVERIFIED\u{2028}Signed for government by Mal".into()
            }),
            "verified",
        ),
        (
            "name-with-controls",
            with_name("Ben\u{1b}[2K\u{1b}]0;x\u{7}\u{9b}1m\u{8}\u{7f}"),
            "verified",
        ),
        (
            "name-with-directions",
            with_name("Ben \u{202d}10 / 90\u{202c}\u{2066}\u{200f}\u{61c}"),
            "verified",
        ),
        (
            "name-with-blanks",
            with_name("Ben\u{ad}\u{200b}\u{2060}\u{3164}\u{2800}\u{fe0f}\u{e0041}\u{a0}\u{e000}"),
            "verified",
        ),
        (
            "name-that-goes-on",
            with_name("Ben, 1 May 2026. Signed for government by Mal"),
            "verified",
        ),
        ("name-of-marks", with_name(&format!("B{}", "\u{301}".repeat(60))), "verified"),
        (
            "two-of-a-side",
            with_statement(|all| {
                all.quorum.civil_society = 2;
                all.signatories.push(signatory("eka", Sector::CivilSociety));
            }),
            "verified",
        ),
        ("foreign-key-named", file(&text(), &note, &mallory()), "verified, other key"),
    ]
}

/// Returns files in which an object contains a name twice.
fn names_that_stand_twice() -> Vec<Case> {
    let whole = sealed(&text());
    vec![
        ("release-twice", whole.replacen('{', "{\"release\": {},", 1), "twice"),
        ("note-twice", whole.replacen('{', "{\"note\": \"\",", 1), "twice"),
        (
            "title-twice",
            with(
                "\"title\": [",
                "\"title\": [{\"insert\": \"Closed contracts\\n\"}], \"title\": [",
            ),
            "twice",
        ),
        ("title-twice-escaped", with("\"title\": [", "\"titl\\u0065\": [], \"title\": ["), "twice"),
        (
            "insert-twice",
            with("\"insert\": \"Agree", "\"insert\": \"Disagree\\n\", \"insert\": \"Agree"),
            "twice",
        ),
        ("attribute-twice", with("\"bold\": true", "\"bold\": true, \"bold\": true"), "twice"),
        (
            "statement-name-twice",
            with_words(|words| words.replacen("{", "{\"digest\":\"\",", 1)),
            "form",
        ),
    ]
}

/// Returns files that are not one JSON text of the right form.
fn malformed_files() -> Vec<Case> {
    let whole = sealed(&text());
    let note = note();
    let deep = format!("{}{}", "[".repeat(20), "]".repeat(20));
    let many = format!("\"gaps\": [{}", "0,".repeat(500_001));
    vec![
        ("empty", String::new(), "none"),
        ("trailing", format!("{whole}{{}}"), "none"),
        ("trailing-letter", format!("{whole}x"), "none"),
        ("byte-order-mark", format!("\u{feff}{whole}"), "none"),
        ("list", format!("[{whole}]"), "none"),
        ("more-members", whole.replacen('{', "{\"verified\": true,", 1), "none"),
        ("no-key", json!({ "release": text(), "note": note }).to_string(), "none"),
        (
            "key-no-key",
            json!({ "release": text(), "note": note, "key": "trust me" }).to_string(),
            "none",
        ),
        (
            "key-with-space",
            json!({ "release": text(), "note": note, "key": format!(" {}", ours().public()) })
                .to_string(),
            "none",
        ),
        (
            "note-null",
            json!({ "release": text(), "note": null, "key": ours().public().to_string() })
                .to_string(),
            "none",
        ),
        (
            "release-text",
            json!({ "release": "all of it", "note": note, "key": ours().public().to_string() })
                .to_string(),
            "text",
        ),
        ("surrogate", with("Open contracts", "Open \\ud800 contracts"), "none"),
        ("number-with-fraction", with("\"number\": 1", "\"number\": 1.0"), "none"),
        ("number-with-exponent", with("\"number\": 1", "\"number\": 1e0"), "none"),
        ("number-with-zeros", with("\"header\": 2.0", "\"header\": 2.00"), "none"),
        ("number-negative-zero", with("\"indent\": 1", "\"indent\": -0"), "none"),
        ("number-too-large", with("\"number\": 1", "\"number\": 18446744073709551617"), "none"),
        ("deep", with("\"gaps\": [", &format!("\"gaps\": [{deep},")), "none"),
        ("many", with("\"gaps\": [", &many), "none"),
    ]
}

/// Returns files whose text is not the signed one.
fn changed_files() -> Vec<Case> {
    vec![
        ("text-changed", with("Open contracts", "Open contrasts"), "text"),
        (
            "member-beside-insert",
            with("\"insert\": \"Agree", "\"aside\": 1, \"insert\": \"Agree"),
            "text",
        ),
        ("number-changed", with("\"number\": 1", "\"number\": 2"), "number"),
        ("number-below", with("\"number\": 1", "\"number\": -1"), "text"),
        ("other-document", with_statement(|all| all.document = DocumentId::new("d2")), "document"),
    ]
}

/// Returns files with a correctly signed text that is not a valid release.
fn unreleasable_texts() -> Vec<Case> {
    vec![
        (
            "signed-aside",
            with_text(|all| all["texts"]["title"][0]["aside"] = "hidden".into()),
            "none",
        ),
        ("signed-member", with_text(|all| all["annex"] = "hidden".into()), "none"),
        (
            "signed-picture",
            with_text(|all| all["texts"]["title"][0]["insert"] = json!({ "image": "x" })),
            "none",
        ),
        (
            "signed-retain",
            with_text(|all| all["texts"]["title"][0] = json!({ "retain": 1 })),
            "none",
        ),
        (
            "signed-nested-attribute",
            with_text(|all| all["texts"]["problem"][2]["attributes"]["link"] = json!(["a"])),
            "none",
        ),
        (
            "signed-empty-attributes",
            with_text(|all| all["texts"]["title"][0]["attributes"] = json!({})),
            "none",
        ),
        ("signed-fact-number", with_text(|all| all["facts"]["period_from"] = 2027.into()), "none"),
        ("signed-need", with_text(|all| all["gaps"][0] = "everything".into()), "none"),
        ("signed-format", with_text(|all| all["format"] = "accord-release/2".into()), "none"),
        ("signed-null", with_text(|all| all["supersedes"] = Value::Null), "none"),
    ]
}

/// Returns files whose statement was changed, lacks the required form, or does not have exactly one valid signature.
fn faulty_statements() -> Vec<Case> {
    let note = note();
    vec![
        ("statement-changed", in_note("\"Ben\"", "\"Bob\""), "statement"),
        (
            "statement-spaced",
            with_words(|words| words.replacen("\"number\":1", "\"number\": 1", 1)),
            "form",
        ),
        (
            "statement-number-written-otherwise",
            with_words(|words| words.replacen("\"number\":1", "\"number\":1.0", 1)),
            "form",
        ),
        ("statement-more", with_words(|words| words.replacen('{', "{\"also\":1,", 1)), "form"),
        ("statement-other-first-line", with_words(|words| words.replacen("/1", "/2", 1)), "form"),
        ("statement-second-line", with_words(|words| format!("{words}and more\n")), "form"),
        ("statement-no-date", with_statement(|all| all.frozen = 253_402_300_800_000), "form"),
        (
            "statement-sector",
            with_words(|words| {
                words.replacen("\"civil_society\",\"time\"", "\"everybody\",\"time\"", 1)
            }),
            "form",
        ),
        (
            "foreign",
            file(&text(), &mallory().sign(&statement(&text()).text()), &mallory()),
            "foreign",
        ),
        (
            "foreign-with-our-key",
            file(&text(), &mallory().sign(&statement(&text()).text()), &ours()),
            "foreign",
        ),
        ("note-without-signature", with_note(&statement(&text()).text()), "none"),
        (
            "note-two-signatures",
            with_note(&format!("{note}{}\n", mallory().sign("a\n").lines().last().unwrap())),
            "none",
        ),
        ("note-other-line", with_note(&format!("{note}Signed by everybody\n")), "none"),
        ("note-with-control", in_note("accord-release/1\n", "accord-release/1\t\n"), "none"),
        ("note-unpadded", with_note(&note.replace('=', "")), "none"),
        ("note-with-blank", with_note(&format!("{}  \n", note.trim_end())), "none"),
    ]
}

/// Returns files whose statement names too few signatories, one person twice or a person who may not sign, or requires a
/// number of signatures that is not allowed.
fn faulty_signatories() -> Vec<Case> {
    vec![
        ("one-side", with_statement(|all| all.signatories.truncate(1)), "side"),
        ("nobody", with_statement(|all| all.signatories.clear()), "side"),
        (
            "one-person",
            with_statement(|all| all.signatories[1].person = PersonId::new("ana")),
            "signatories",
        ),
        (
            "twice-a-person",
            with_statement(|all| {
                all.quorum.government = 2;
                all.signatories.push(signatory("ana", Sector::Government));
            }),
            "signatories",
        ),
        (
            "adviser",
            with_statement(|all| all.signatories.push(signatory("ada", Sector::Adviser))),
            "signatories",
        ),
        ("quorum-of-civil-society", with_quorum(1, 2), "quorum"),
        ("quorum-of-government", with_quorum(2, 1), "quorum"),
        ("quorum-of-none", with_quorum(0, 1), "quorum"),
        ("quorum-too-large", with_quorum(1, 4_294_967_295), "quorum"),
    ]
}

/// Returns the name, the bytes and the verdict of every file: see [`Case`].
pub(super) fn cases() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let groups = [
        whole_files(),
        names_that_stand_twice(),
        malformed_files(),
        changed_files(),
        unreleasable_texts(),
        faulty_statements(),
        faulty_signatories(),
    ];
    let of_text = groups.into_iter().flatten();
    let mut all: Vec<_> =
        of_text.map(|(name, text, verdict)| (name, text.into_bytes(), verdict)).collect();
    let mut not_utf8 = sealed(&text()).into_bytes();
    let at = not_utf8.windows(4).position(|part| part == b"Open").unwrap();
    not_utf8[at] = 0xff;
    all.push(("not-utf-8", not_utf8, "none"));
    all
}
