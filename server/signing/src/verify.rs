//! Verifies a release's file by itself, without a server. `web/src/features/release/verify.ts` comes to the same
//! verdicts: `tests/data/verify` contains files, and the verdict that both must give on each file.

use super::fault::Fault;
use super::note::{Note, NoteError, PublicKey};
use super::shown::Shown;
use super::strict;
use super::{ReleaseFile, Statement};
use accord_document::body::MAX_SIGNATORIES;
use accord_document::ids::PersonId;
use accord_document::model::delta::Op;
use accord_document::people::Sector;
use accord_document::release::canonical::{RELEASE_FORMAT, Released, digest};
use serde::Deserialize as _;
use serde_json::Value;
use std::collections::BTreeSet;

/// The last millisecond of the year 9999, in milliseconds since the Unix epoch. Later years have five digits.
const MAX_TIME_MS: u64 = 253_402_300_799_999;

/// A release's file that passed all checks.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The text of the release.
    pub released: Released,
    /// The signed statement about the release.
    pub statement: Statement,
    /// The key that signed the statement.
    pub key: PublicKey,
    /// Whether that key is one of the trusted keys. If not, its owner is unknown.
    pub is_trusted: bool,
    /// The key in the file, if another key signed the statement.
    pub other_key: Option<PublicKey>,
}

/// Verifies a release's file. `trusted` are the keys of the installation from which the file should come. The list is
/// empty if these keys are not known.
///
/// # Errors
/// Returns the first fault that is found.
///
/// # Examples
/// ```
/// use accord_signing::fault::Fault;
/// use accord_signing::note::PublicKey;
/// use accord_signing::verify::verify;
///
/// let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/foreign-release.json");
/// let file = std::fs::read_to_string(path)?;
/// // The key must come from a place that the reader trusts, because the key in the file proves nothing.
/// let key: PublicKey = "127.0.0.1:4999+321778fe+AR5X4+NweQqdS3m0BFk/h8hH0xGSEJef0igyVQqPaouy".parse()?;
///
/// let verified = verify(file.as_bytes(), std::slice::from_ref(&key))?;
/// assert!(verified.is_trusted);
/// assert_eq!(verified.statement.number, verified.released.number);
///
/// let changed = file.replacen("contract", "contrast", 1);
/// assert!(matches!(verify(changed.as_bytes(), &[key]), Err(Fault::Text { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn verify(file: &[u8], trusted: &[PublicKey]) -> Result<Verified, Fault> {
    let file = strict::read(file)?;
    let file: ReleaseFile = serde_json::from_value(file).map_err(|_| {
        Fault::NotARelease("a release is an object with `release`, `note` and `key`")
    })?;
    let ReleaseFile { release, note, key } = file;
    let own = key.parse::<PublicKey>().ok().filter(|own| own.to_string() == key);
    let own = own.ok_or(Fault::NotARelease("its `key` is not a key"))?;
    let (text, key) = open(&note, &own, trusted)?;
    let statement = Statement::read(text).ok_or(Fault::Form)?;
    let released = text_of(release, &statement)?;
    if released.document != statement.document {
        return Err(Fault::Document);
    }
    signatories(&statement)?;
    let other_key = (own != key).then_some(own);
    Ok(Verified { released, statement, is_trusted: !trusted.is_empty(), key, other_key })
}

/// Verifies a note, and returns its text and the key that signed it. The key must be one of the trusted keys, or, if
/// there are none, the key in the file.
fn open<'n>(
    note: &'n str,
    own: &PublicKey,
    trusted: &[PublicKey],
) -> Result<(&'n str, PublicKey), Fault> {
    const NO_NOTE: Fault = Fault::NotARelease("its `note` is not a signed note");
    // Accord signs a note once. A second signature, which nobody verifies, would make a file look better than it is.
    if Note::read(note).map_err(|_| NO_NOTE)?.signatures.len() != 1 {
        return Err(Fault::NotARelease("its note has more than one signature"));
    }
    let mut found = String::new();
    let keys = if trusted.is_empty() { std::slice::from_ref(own) } else { trusted };
    for key in keys {
        match key.open(note) {
            Ok(text) => return Ok((text, key.clone())),
            Err(NoteError::OtherKeys(names)) => found = names,
            Err(NoteError::Forged) => return Err(Fault::Statement),
            Err(NoteError::Malformed) => return Err(NO_NOTE),
        }
    }
    let found = Shown::of(&found);
    if trusted.is_empty() {
        return Err(Fault::OwnKey { found, own: Shown::of(&own.to_string()) });
    }
    let names: Vec<_> = trusted.iter().map(PublicKey::short).collect();
    Err(Fault::UntrustedKey { found, trusted: Shown::of(&names.join(", ")) })
}

/// Reads the text of a release, and checks that it has the number and the digest that the statement names.
fn text_of(release: Value, statement: &Statement) -> Result<Released, Fault> {
    let number = release.get("number").and_then(Value::as_u64);
    if let Some(text) = number.and_then(|number| u32::try_from(number).ok())
        && text != statement.number
    {
        return Err(Fault::Number { text, signed: statement.number });
    }
    let found = digest(&release);
    if found != statement.digest {
        return Err(Fault::Text { found, signed: statement.digest });
    }
    const OTHER: Fault = Fault::NotARelease("its text has a form that this version does not know");
    let released = Released::deserialize(&release).map_err(|_| OTHER)?;
    // The text is written again and compared, so that the file contains nothing beyond what is read and shown here.
    let is_all = serde_json::to_value(&released).is_ok_and(|read| read == release);
    let is_known =
        is_all && released.format == RELEASE_FORMAT && released.number > 0 && is_text(&released);
    if is_known { Ok(released) } else { Err(OTHER) }
}

/// Whether a release contains only text: each operation inserts a string, each attribute is a single value (not a list,
/// an object or null), and each date is a string.
fn is_text(released: &Released) -> bool {
    let of_milestones =
        released.milestones.iter().flat_map(|one| [&one.what, &one.outputs, &one.who]);
    let mut ops = released.texts.values().chain(of_milestones).flatten();
    let is_single = |value: &Value| !(value.is_object() || value.is_array() || value.is_null());
    ops.all(|op| match op {
        Op::Insert { insert, attributes } => {
            insert.is_string() && attributes.iter().all(|(_, value)| is_single(value))
        }
        Op::Retain { .. } | Op::Delete { .. } => false,
    }) && released.facts.values().all(Value::is_string)
}

/// Checks that both sides have signed with their quorum, that nobody signed twice or for another side, and that no time
/// is after the year 9999.
fn signatories(statement: &Statement) -> Result<(), Fault> {
    let Statement { quorum, signatories, frozen, .. } = statement;
    let mut people = BTreeSet::<&PersonId>::new();
    for one in signatories {
        if !matches!(one.sector, Sector::Government | Sector::CivilSociety) {
            return Err(Fault::NeitherSide(Shown::name(&one.name)));
        }
        if !people.insert(&one.person) {
            return Err(Fault::Twice(Shown::name(&one.name)));
        }
    }
    // No person occurs twice (checked above), so the signatories of the two sides are different people.
    for (sector, side, needed) in [
        (Sector::Government, "government", quorum.government),
        (Sector::CivilSociety, "civil society", quorum.civil_society),
    ] {
        let found = signatories.iter().filter(|one| one.sector == sector).count();
        if found == 0 {
            return Err(Fault::Side(side));
        }
        let is_met = (1..=MAX_SIGNATORIES).contains(&needed) && found >= needed as usize;
        if !is_met {
            return Err(Fault::Quorum { side, needed, found });
        }
    }
    let mut times = signatories.iter().map(|one| one.time).chain([*frozen]);
    if times.all(|time| time <= MAX_TIME_MS) { Ok(()) } else { Err(Fault::Form) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Signatory;
    use crate::note::PrivateKey;
    use accord_document::body::Quorum;
    use accord_document::ids::{Digest, DocumentId, LineageId, PersonId, PlanId, Seq};
    use accord_document::ledger::LedgerPosition;
    use accord_document::model::content::Content;
    use accord_document::model::delta::Op;
    use accord_document::release::canonical::Identity;
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
            ledger: LedgerPosition {
                lineage: LineageId::new("l"),
                seq: Seq(9),
                head: Digest([1; 32]),
            },
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
        assert_eq!(known.other_key, None);
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
            // Verification succeeds only if text and note are unchanged. The file's own key is not used when a key is
            // trusted.
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
        // Somebody else signs everything again, with their own key.
        let mallory = PrivateKey::new("accord.example.org", [4; 32]);
        assert!(matches!(fault(&file(2, &statement(2), &mallory)), Fault::UntrustedKey { .. }));
        // The note names somebody else as a signatory, and keeps the signature of the original.
        let mut swapped = statement(2);
        swapped.signatories[1].name = "mal".into();
        let note = key().sign(&statement(2).text()).replace("\"ben\"", "\"mal\"");
        assert_eq!(fault(&changed("/note", note.into())), Fault::Statement);
        // An older release is passed off as a newer one: by its number, and by a statement about the newer one.
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
        let mut one_person = statement(2);
        one_person.signatories[1].person = PersonId::new("ana");
        assert!(matches!(fault(&file(2, &one_person, &key())), Fault::Twice(_)));
        let mut adviser = statement(2);
        adviser.signatories.push(Signatory {
            person: PersonId::new("ada"),
            sector: Sector::Adviser,
            ..adviser.signatories[0].clone()
        });
        assert!(matches!(fault(&file(2, &adviser, &key())), Fault::NeitherSide(_)));
        for (government, civil_society) in [(1, 2), (2, 1), (0, 1), (21, 1)] {
            let mut few = statement(2);
            few.quorum = Quorum { government, civil_society };
            assert!(matches!(fault(&file(2, &few, &key())), Fault::Quorum { .. }));
        }
        assert!(matches!(fault(b"{}"), Fault::NotARelease(_)));
        assert!(matches!(fault(&changed("/key", json!("no key"))), Fault::NotARelease(_)));
    }

    #[test]
    fn a_key_inside_the_file_proves_nothing_and_another_one_is_named() {
        let mallory = PrivateKey::new("accord.example.org", [4; 32]);
        let mut value: Value = serde_json::from_slice(&file(2, &statement(2), &key())).unwrap();
        value["key"] = mallory.public().to_string().into();
        let bytes = serde_json::to_vec(&value).unwrap();
        let found = verify(&bytes, &[key().public().clone()]).unwrap();
        assert_eq!(found.other_key.as_ref(), Some(mallory.public()));
        assert!(found.words().contains(&mallory.public().to_string()));
        assert!(found.words().contains("A key inside a file proves nothing"));
        assert!(matches!(verify(&bytes, &[]), Err(Fault::OwnKey { .. })));
    }

    #[test]
    fn nothing_of_a_file_is_printed_as_it_is() {
        let mut statement = statement(2);
        statement.plan_title = "A plan\nSigned for government by Mal".into();
        statement.signatories[0].name = "Ana\u{1b}[2K\u{202e}".into();
        let found = verify(&file(2, &statement, &key()), &[]).unwrap();
        let said = found.words();
        assert!(!said.contains(['\u{1b}', '\u{202e}']));
        assert_eq!(said.lines().filter(|line| line.starts_with("Signed for")).count(), 2, "{said}");
    }
}
