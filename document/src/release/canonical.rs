//! The text of a release: the visible content of a document at one moment, together with its identity.
//!
//! The digest of a release is the SHA-256 of its canonical JSON (RFC 8785). Anybody who has the text can compute the
//! digest, with any Yjs client; docs/protocol.md, section 10, describes how.

use crate::ids::{Digest, DocumentId};
use crate::model::Milestone;
use crate::model::completeness::checklist;
use crate::model::content::Content;
use crate::model::delta::{self, Op};
use crate::template::NOTES;
use crate::template::Need;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Value of the member `format` of a release.
pub const RELEASE_FORMAT: &str = "accord-release/1";

/// The text and facts of a release, which both sides sign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Released {
    /// The format of the release, always [`RELEASE_FORMAT`].
    pub format: String,
    /// The id of the document whose text is released.
    pub document: DocumentId,
    /// The number of the release, from 1 on.
    pub number: u32,
    /// The language of the document, as a BCP 47 tag.
    pub language: String,
    /// The name and version of the template.
    pub template: String,
    /// The digest of the previous release, or `None` for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<Digest>,
    /// The needs that the text does not meet, in the order of the checklist.
    pub gaps: Vec<Need>,
    /// The text fields of the template by key, each as a normalised Delta ([`delta::normalise`]).
    pub texts: BTreeMap<String, Vec<Op>>,
    /// The milestones, in the order of the page.
    pub milestones: Vec<ReleasedMilestone>,
    /// The dates of the commitment, by key.
    pub facts: BTreeMap<String, Value>,
}

/// A milestone of a release. Its order key is left out, because its place in the list gives the order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedMilestone {
    /// The id of the milestone, which is its key in the document's map of milestones.
    pub id: String,
    /// The text that says what the milestone is.
    pub what: Vec<Op>,
    /// The outputs of the milestone.
    pub outputs: Vec<Op>,
    /// The people or institutions responsible.
    pub who: Vec<Op>,
    /// The date as `YYYY-MM-DD`, or empty.
    pub due: String,
    /// The date in words, or empty.
    pub due_text: String,
}

/// The identity of a release: the members that its content does not determine.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The id of the document whose text is released.
    pub document: DocumentId,
    /// The number of the release, from 1 on.
    pub number: u32,
    /// The language of the document, as a BCP 47 tag.
    pub language: String,
    /// The name and version of the template.
    pub template: String,
    /// The digest of the previous release, or `None` for the first.
    pub supersedes: Option<Digest>,
}

impl Released {
    /// Makes a release of a document's content: normalises its texts, leaves out the notes, and lists its gaps.
    #[must_use]
    pub fn of(identity: Identity, content: &Content) -> Self {
        let Identity { document, number, language, template, supersedes } = identity;
        let open = checklist(content).into_iter().filter(|check| !check.met);
        let normal = |(key, ops): (&String, &Vec<Op>)| (key.clone(), delta::normalise(ops));
        Self {
            format: RELEASE_FORMAT.into(),
            document,
            number,
            language,
            template,
            supersedes,
            gaps: open.map(|check| check.need).collect(),
            texts: content.texts.iter().filter(|(key, _)| *key != NOTES).map(normal).collect(),
            milestones: content.milestones.iter().map(released).collect(),
            facts: content.facts.clone(),
        }
    }

    /// Returns the characters of a text field, trimmed, or an empty string if the release has no such field.
    #[must_use]
    pub fn plain(&self, key: &str) -> String {
        self.texts.get(key).map(|ops| delta::plain(ops).trim().to_owned()).unwrap_or_default()
    }

    /// Returns the characters of the title, trimmed.
    #[must_use]
    pub fn title(&self) -> String {
        self.plain("title")
    }
}

fn released(milestone: &Milestone) -> ReleasedMilestone {
    ReleasedMilestone {
        id: milestone.id.clone(),
        what: delta::normalise(&milestone.what),
        outputs: delta::normalise(&milestone.outputs),
        who: delta::normalise(&milestone.who),
        due: milestone.due.clone(),
        due_text: milestone.due_text.clone(),
    }
}

/// Returns the canonical JSON of a value (RFC 8785).
#[cfg(feature = "digest")]
#[must_use]
pub fn canonical(value: &impl Serialize) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).expect("JSON has no numbers that JSON can't write")
}

/// Returns the SHA-256 of a value's canonical JSON. Pass the JSON as it was read, not a [`Released`]: the digest also
/// covers members that this version does not know.
#[cfg(feature = "digest")]
#[must_use]
pub fn digest(value: &impl Serialize) -> Digest {
    let mut hashing = Hashing::default();
    serde_json_canonicalizer::to_writer(value, &mut hashing)
        .expect("JSON has no numbers that JSON can't write");
    hashing.digest()
}

/// A writer that adds all bytes to a digest and stores none of them.
#[cfg(feature = "digest")]
#[derive(Default)]
pub(super) struct Hashing(sha2::Sha256);

#[cfg(feature = "digest")]
impl Hashing {
    pub(super) fn digest(self) -> Digest {
        Digest(sha2::Digest::finalize(self.0).into())
    }
}

#[cfg(feature = "digest")]
impl std::io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        sha2::Digest::update(&mut self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(all(test, feature = "digest"))]
mod tests {
    use super::*;
    use crate::model::attributes::Attributes;

    fn identity() -> Identity {
        Identity {
            document: DocumentId::new("d"),
            number: 1,
            language: "en".into(),
            template: "ogp-commitment/1".into(),
            supersedes: None,
        }
    }

    fn content(ops: Vec<Op>) -> Content {
        let texts = BTreeMap::from([("title".to_owned(), ops)]);
        Content { texts, milestones: Vec::new(), facts: BTreeMap::new() }
    }

    /// Each format has the digest of a release here, whose document contains only a blank milestone. So a field or a need
    /// that the template gains changes the digest, unless it is left out. A later format adds a digest, and changes none.
    #[test]
    fn a_release_keeps_its_digest_whatever_fields_the_template_gains() {
        const DIGEST_1: &str = "f970c32240451bf7ee174ecc2f6c99a3dea24ad04bb2fe447e2dd42d926a2cf5";
        let milestone = Milestone {
            id: "m".into(),
            order: "V".into(),
            what: Vec::new(),
            outputs: Vec::new(),
            who: Vec::new(),
            due: String::new(),
            due_text: String::new(),
        };
        let content =
            Content { milestones: vec![milestone], ..Content::read(&crate::ydoc::new(0)) };
        let released =
            Released { format: "accord-release/1".into(), ..Released::of(identity(), &content) };
        assert_eq!(
            released.digest().to_string(),
            DIGEST_1,
            "Releases that people have signed would get another digest, and nobody could read or verify them any more. \
             Do not change the digest of this test. Leave a new field out while it is blank \
             (`belongs_to_content` in document/src/model/content.rs), keep a new need out of the gaps of earlier \
             releases, and give a new member to a new format only. \
             CONTRIBUTING.md, “How to add a field of a commitment” and “How to add a member to the JSON of a release”, \
             has all steps. The gaps and texts of this release: {:?}, {:?}",
            released.gaps,
            released.texts.keys()
        );
    }

    #[test]
    fn one_text_has_one_digest_however_it_was_cut() {
        let whole = Released::of(identity(), &content(vec![Op::text("a text\n")]));
        let cut =
            content(vec![Op::text("a "), Op::insert("te", Attributes::new()), Op::text("xt")]);
        assert_eq!(Released::of(identity(), &cut).digest(), whole.digest());
        let other = Released::of(identity(), &content(vec![Op::text("a Text\n")]));
        assert_ne!(other.digest(), whole.digest());
        let second =
            Released::of(Identity { number: 2, ..identity() }, &content(vec![Op::text("a text")]));
        assert_ne!(second.digest(), whole.digest());
    }

    #[test]
    fn json_is_canonical_as_rfc_8785_has_it() {
        // Members are sorted by UTF-16 code units, and numbers are written as in ECMAScript (RFC 8785, section 3.2).
        let value = serde_json::json!({
            "\u{fb33}": 1, "\u{1f600}": 2.0, "\u{20ac}": "\u{20ac}$\u{f}\nA'B\"\\\\\"/", "a": [1e21, true, null], "": {},
        });
        let expect = "{\"\":{},\"a\":[1e+21,true,null],\"\u{20ac}\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\",\"\u{1f600}\":2,\"\u{fb33}\":1}";
        assert_eq!(String::from_utf8(canonical(&value)).unwrap(), expect);
    }

    #[test]
    fn json_is_canonical_as_the_browser_writes_it() {
        #[derive(Deserialize)]
        struct Case {
            json: String,
            canonical: String,
        }
        let file =
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/canonical.json"));
        for Case { json, canonical: expect } in serde_json::from_str::<Vec<Case>>(file).unwrap() {
            let value: Value = serde_json::from_str(&json).unwrap();
            assert_eq!(String::from_utf8(canonical(&value)).unwrap(), expect, "{json}");
        }
    }

    #[test]
    fn a_release_reads_back_and_a_member_it_does_not_know_is_refused() {
        let released = Released::of(identity(), &content(vec![Op::text("words")]));
        let mut value = serde_json::to_value(&released).unwrap();
        assert_eq!(serde_json::from_value::<Released>(value.clone()).unwrap(), released);
        value["more"] = 1.into();
        assert!(serde_json::from_value::<Released>(value).is_err());
    }
}
