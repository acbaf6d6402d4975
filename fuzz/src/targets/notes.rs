//! Signed notes, keys, and the files of releases.

use accord_signing::note::{Note, PrivateKey, PublicKey};
use accord_signing::verify::verify;
use accord_signing::{ReleaseFile, Statement, strict};
use serde_json::Value;

/// A release's file that another installation has signed, and the key of that installation.
const RELEASE: &[u8] = include_bytes!("../../../tests/data/foreign-release.json");
const KEY: &str = "127.0.0.1:4999+321778fe+AR5X4+NweQqdS3m0BFk/h8hH0xGSEJef0igyVQqPaouy";

/// Reads the input as a note, a key, a statement, and the file of a release. Nothing but the genuine note and release
/// may be accepted, and what is read must have one form.
pub(crate) fn run(data: &[u8]) {
    file(data);
    if let Ok(text) = std::str::from_utf8(data) {
        note(text);
        keys(text);
        signed(text);
    }
}

fn genuine() -> (ReleaseFile, PublicKey) {
    let file = serde_json::from_slice(RELEASE).expect("the stored release is valid");
    (file, KEY.parse().expect("the stored key is valid"))
}

/// Only the genuine release passes under the genuine key, however its file is written. Two readers of JSON read it the
/// same.
fn file(data: &[u8]) {
    if let Ok(value) = strict::read(data) {
        let other: Value = serde_json::from_slice(data).expect("a strict file is JSON");
        assert_eq!(value, other);
    }
    let (genuine, key) = genuine();
    if let Ok(verified) = verify(data, std::slice::from_ref(&key)) {
        let read: ReleaseFile = serde_json::from_slice(data).expect("a verified file is a release");
        assert_eq!(read.release, genuine.release, "the text is the one that was signed");
        assert_eq!(read.note, genuine.note, "the note is the one that was signed");
        assert!(verified.is_trusted && verified.key == key);
        assert_eq!(verified.statement.text(), key.open(&genuine.note).expect("it is genuine"));
    }
    if let Ok(verified) = verify(data, &[]) {
        assert!(!verified.is_trusted && verified.other_key.is_none());
    }
}

/// A note opens only with the text that was signed.
fn note(text: &str) {
    let (genuine, key) = genuine();
    let signed = key.open(&genuine.note).expect("the stored note is valid");
    if let Ok(opened) = key.open(text) {
        assert_eq!(opened, signed);
    }
    if let Ok(note) = Note::read(text) {
        assert!(text.starts_with(note.text) && note.text.ends_with('\n'));
        assert!((1..=100).contains(&note.signatures.len()));
    }
    if let Some(statement) = Statement::read(text) {
        assert_eq!(statement.text(), text, "a statement has one form");
    }
}

/// A key has one form.
fn keys(text: &str) {
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string(), text.trim());
    }
    if let Ok(key) = PrivateKey::read(text) {
        assert_eq!(key.secret(), text.trim());
        let public: PublicKey = key.public().to_string().parse().expect("its public key is one");
        assert_eq!(public, *key.public());
    }
}

/// Whatever text Accord signs, the signature is read and verified, and covers all of the text.
fn signed(text: &str) {
    let key = PrivateKey::new(&text.chars().take(20).collect::<String>(), [3; 32]);
    let text = format!("{}\n", text.replace(|c: char| c < ' ' && c != '\n', " "));
    let note = key.sign(&text);
    assert_eq!(key.public().open(&note), Ok(text.as_str()));
    let changed = note.replacen('e', "a", 1);
    if changed != note {
        assert!(key.public().open(&changed).is_err(), "a changed note is refused");
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let (genuine, key) = genuine();
    let key_pair = PrivateKey::new("accord.example.org", [3; 32]);
    let text = key.open(&genuine.note).expect("the stored note is valid").to_owned();
    vec![
        RELEASE.to_vec(),
        genuine.note.into_bytes(),
        text.into_bytes(),
        KEY.into(),
        key_pair.secret().into(),
        "a text\n\n— of two\n".into(),
    ]
}
