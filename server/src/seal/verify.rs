//! Judging a release's file by itself, and saying in words what it proves and what not.

use super::note::{NoteError, PublicKey};
use super::{ReleaseFile, Signatory, Statement};
use accord_document::ids::Digest;
use accord_document::model::release::{FORMAT, Released, digest};
use accord_document::people::Sector;
use std::fmt::Write as _;
use thiserror::Error;

/// What is wrong with a file. Each is a sentence for whoever holds it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    #[error("This is no release of Accord: {0}.")]
    NoRelease(String),
    #[error(
        "The text was changed: its digest is {found}, and what was signed has {signed}. It is not what both sides agreed to."
    )]
    Text { found: Digest, signed: Digest },
    #[error(
        "The signed statement was changed: who signed, when, or which text. Its signature does not fit what it says."
    )]
    Statement,
    #[error(
        "It was signed by somebody else: with the key {found}, and not with {trusted}, which you trust."
    )]
    Foreign { found: String, trusted: String },
    #[error(
        "The text says that it is release {text}, and the signed statement is of release {signed}: one release was passed off as another."
    )]
    Number { text: u32, signed: u32 },
    #[error("The text and the signed statement are of two different commitments.")]
    Document,
    #[error("The signed statement names no signatory of {0}: both sides must have signed.")]
    Side(&'static str),
    #[error("You asked for release {wanted}, and this is release {found}.")]
    OtherNumber { wanted: u32, found: u32 },
}

/// A file that is whole.
#[derive(Debug, Clone)]
pub struct Verified {
    pub released: Released,
    pub statement: Statement,
    pub key: PublicKey,
    /// Whether the key is one that was said to be trusted. Else nobody knows whose it is.
    pub is_trusted: bool,
}

/// Verifies a file. `trusted`: the keys of the installation that it should be of; none when they are not known.
///
/// # Errors
/// With the first thing that is wrong.
pub fn verify(file: &[u8], trusted: &[PublicKey]) -> Result<Verified, Fault> {
    let no = |reason: &dyn std::fmt::Display| Fault::NoRelease(reason.to_string());
    let file: ReleaseFile = serde_json::from_slice(file).map_err(|error| no(&error))?;
    let own: PublicKey = file.key.parse().map_err(|error| no(&error))?;
    let names = || trusted.iter().map(PublicKey::short).collect::<Vec<_>>().join(", ");
    let (text, key) = if trusted.is_empty() {
        (own.open(&file.note), own)
    } else {
        let opened = trusted.iter().map(|key| (key.open(&file.note), key.clone()));
        let is_own = |opened: &Result<_, NoteError>| !matches!(opened, Err(NoteError::Foreign(_)));
        let Some(found) = opened.into_iter().find(|(opened, _)| is_own(opened)) else {
            return Err(Fault::Foreign { found: own.short(), trusted: names() });
        };
        found
    };
    let text = text.map_err(|error| match error {
        NoteError::Malformed => no(&error),
        NoteError::Foreign(found) => Fault::Foreign { found, trusted: file.key.clone() },
        NoteError::Forged => Fault::Statement,
    })?;
    let statement = Statement::read(text).ok_or(Fault::Statement)?;
    let found = digest(&file.release);
    let number = file.release.get("number").and_then(serde_json::Value::as_u64);
    if let Some(number) = number.and_then(|number| u32::try_from(number).ok())
        && number != statement.number
    {
        return Err(Fault::Number { text: number, signed: statement.number });
    }
    if found != statement.digest {
        return Err(Fault::Text { found, signed: statement.digest });
    }
    let released: Released = serde_json::from_value(file.release).map_err(|error| no(&error))?;
    if released.format != FORMAT {
        return Err(no(&"its text is of a form that this version does not know"));
    }
    if released.document != statement.document {
        return Err(Fault::Document);
    }
    for (sector, name) in
        [(Sector::Government, "government"), (Sector::CivilSociety, "civil society")]
    {
        if !statement.signatories.iter().any(|signatory| signatory.sector == sector) {
            return Err(Fault::Side(name));
        }
    }
    Ok(Verified { released, statement, is_trusted: !trusted.is_empty(), key })
}

impl Verified {
    /// What the file proves, and what not, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { released, statement, key, is_trusted } = self;
        let mut out = String::new();
        let mut line = |text: String| {
            let _ = writeln!(out, "{text}");
        };
        line(format!("“{}”", released.title()));
        line(format!(
            "Release {} of {}, in “{}”, frozen on {}.",
            statement.number,
            statement.document,
            statement.plan_title,
            moment(statement.frozen)
        ));
        for Signatory { name, sector, time, .. } in &statement.signatories {
            let side = match sector {
                Sector::Government => "government",
                Sector::CivilSociety => "civil society",
                Sector::Other | Sector::Adviser => "neither side",
            };
            line(format!("Signed for {side} by {name}, {}.", moment(*time)));
        }
        if !released.gaps.is_empty() {
            line("It was frozen with gaps, which it names.".into());
        }
        line(format!("SHA-256 {}", statement.digest));
        line(String::new());
        line("This proves:".into());
        line(format!(
            "- Not one character of the text, and nothing of who signed and when, was changed since the holder of the key {} signed it.",
            key.short()
        ));
        line("- It is that release, and no earlier or later one.".into());
        line("This does not prove:".into());
        if !is_trusted {
            line("- Whose key that is: it stands in the file itself. Compare it with the one that the installation publishes (/keys.txt), and pass it with --key.".into());
        }
        line("- That there is no later release: the list of them is on the commitment’s public page.".into());
        line("- That the people named are who they say they are: the installation says so.".into());
        out
    }
}

fn moment(milliseconds: u64) -> String {
    let time =
        i64::try_from(milliseconds).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map_or_else(String::new, |time| time.strftime("%-d %B %Y at %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Place;
    use crate::seal::note::PrivateKey;
    use accord_document::ids::{DocumentId, LineageId, PersonId, PlanId, Seq};
    use accord_document::ledger::Quorum;
    use accord_document::model::content::Content;
    use accord_document::model::delta::Op;
    use accord_document::model::release::Identity;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn key() -> PrivateKey {
        PrivateKey::new("accord.example.org", [3; 32])
    }

    fn released(number: u32) -> Released {
        let identity = Identity {
            document: DocumentId::new("d"),
            number,
            language: "en".into(),
            template: "ogp-commitment/1".into(),
            supersedes: None,
        };
        let texts = BTreeMap::from([("title".to_owned(), vec![Op::text("Open contracts")])]);
        Released::of(identity, &Content { texts, milestones: Vec::new(), facts: BTreeMap::new() })
    }

    fn statement(number: u32) -> Statement {
        let by = |name: &str, sector| Signatory {
            person: PersonId::new(name),
            name: name.into(),
            sector,
            time: 5,
        };
        Statement {
            digest: released(number).digest(),
            document: DocumentId::new("d"),
            number,
            plan: PlanId::new("p"),
            plan_title: "A plan".into(),
            ledger: Place { lineage: LineageId::new("l"), seq: Seq(9), head: Digest([1; 32]) },
            frozen: 5,
            quorum: Quorum::LEAST,
            signatories: vec![by("ana", Sector::Government), by("ben", Sector::CivilSociety)],
        }
    }

    fn file(number: u32, statement: &Statement, key: &PrivateKey) -> Vec<u8> {
        let release = serde_json::to_value(released(number)).unwrap();
        let (note, key) = (key.sign(&statement.text()), key.public().to_string());
        serde_json::to_vec(&ReleaseFile { release, note, key }).unwrap()
    }

    fn fault(file: &[u8]) -> Fault {
        verify(file, &[key().public().clone()]).unwrap_err()
    }

    #[test]
    fn a_whole_file_says_what_it_proves() {
        let whole = file(2, &statement(2), &key());
        let known = verify(&whole, &[key().public().clone()]).unwrap();
        assert!(known.is_trusted && !known.words().contains("--key"));
        let unknown = verify(&whole, &[]).unwrap();
        assert!(!unknown.is_trusted && unknown.words().contains("--key"));
        assert!(unknown.words().contains("Signed for civil society by ben"));
    }

    #[test]
    fn any_changed_byte_of_a_file_is_found() {
        let whole = file(2, &statement(2), &key());
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] = if changed[at] == b'7' { b'8' } else { b'7' };
            // What changes neither text nor statement: the spelling of the key that nobody trusts for it.
            let is_key = verify(&changed, &[key().public().clone()]).is_ok();
            let same = serde_json::from_slice::<ReleaseFile>(&changed).is_ok_and(|file| {
                let original: ReleaseFile = serde_json::from_slice(&whole).unwrap();
                file.note == original.note && file.release == original.release
            });
            assert!(!is_key || same, "byte {at} of {}", String::from_utf8_lossy(&changed));
            assert!(verify(&changed, &[]).is_err() || same, "byte {at}");
        }
    }

    #[test]
    fn each_forgery_is_named() {
        let changed = |path: &str, value: serde_json::Value| {
            let mut file: serde_json::Value =
                serde_json::from_slice(&file(2, &statement(2), &key())).unwrap();
            *file.pointer_mut(path).unwrap() = value;
            serde_json::to_vec(&file).unwrap()
        };
        assert!(matches!(
            fault(&changed("/release/texts/title/0/insert", json!("Open kontracts\n"))),
            Fault::Text { .. }
        ));
        // Somebody else's key, with everything signed again.
        let mallory = PrivateKey::new("accord.example.org", [4; 32]);
        assert!(matches!(fault(&file(2, &statement(2), &mallory)), Fault::Foreign { .. }));
        // Somebody else among the signatories.
        let mut swapped = statement(2);
        swapped.signatories[1].name = "mal".into();
        let note = key().sign(&statement(2).text()).replace("\"ben\"", "\"mal\"");
        assert_eq!(fault(&changed("/note", note.into())), Fault::Statement);
        // An older release passed off as newer, in both ways.
        assert_eq!(
            fault(&changed("/release/number", json!(3))),
            Fault::Number { text: 3, signed: 2 }
        );
        assert_eq!(fault(&file(1, &statement(2), &key())), Fault::Number { text: 1, signed: 2 });
        let mut one_sided = statement(2);
        one_sided.signatories.truncate(1);
        assert_eq!(fault(&file(2, &one_sided, &key())), Fault::Side("civil society"));
        let mut elsewhere = statement(2);
        elsewhere.document = DocumentId::new("e");
        assert_eq!(fault(&file(2, &elsewhere, &key())), Fault::Document);
        assert!(matches!(fault(b"{}"), Fault::NoRelease(_)));
        assert!(matches!(fault(&changed("/key", json!("no key"))), Fault::NoRelease(_)));
    }
}
