//! Computes the digest of a release while writing its canonical JSON piece by piece. The library for canonical JSON
//! keeps the members of each object in memory until it can sort them, so it would keep several copies of a whole text.
//! This module knows the order of the members, and uses the library only for the smallest parts.

use super::canonical::{Hashing, Released, ReleasedMilestone};
use crate::ids::Digest;
use crate::model::delta::Op;
use serde::Serialize;
use std::io::{self, Write};

impl Released {
    /// Returns the digest that both sides sign.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hashing = Hashing::default();
        write_release(self, &mut hashing).expect("JSON has no numbers that JSON can't write");
        hashing.digest()
    }
}

/// Writes the canonical JSON of a release (RFC 8785).
///
/// # Errors
/// Returns an error if `out` can't be written to.
fn write_release(release: &Released, out: &mut impl Write) -> io::Result<()> {
    // The pattern names all members, so that this code does not compile if a new member is forgotten here.
    let Released {
        format,
        document,
        number,
        language,
        template,
        supersedes,
        gaps,
        texts,
        milestones,
        facts,
    } = release;
    write_member(out, "{", "document", document)?;
    write_member(out, ",", "facts", facts)?;
    write_member(out, ",", "format", format)?;
    write_member(out, ",", "gaps", gaps)?;
    write_member(out, ",", "language", language)?;
    write_name(out, ",", "milestones")?;
    write_array(out, milestones, |milestone, out| write_milestone(milestone, out))?;
    write_member(out, ",", "number", number)?;
    if let Some(supersedes) = supersedes {
        write_member(out, ",", "supersedes", supersedes)?;
    }
    write_member(out, ",", "template", template)?;
    write_name(out, ",", "texts")?;
    let mut texts: Vec<_> = texts.iter().collect();
    texts.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    out.write_all(b"{")?;
    for (index, (key, ops)) in texts.into_iter().enumerate() {
        write_text(out, if index == 0 { "" } else { "," }, key, ops)?;
    }
    out.write_all(b"}}")
}

fn write_milestone(milestone: &ReleasedMilestone, out: &mut impl Write) -> io::Result<()> {
    let ReleasedMilestone { id, what, outputs, who, due, due_text } = milestone;
    write_member(out, "{", "due", due)?;
    write_member(out, ",", "due_text", due_text)?;
    write_member(out, ",", "id", id)?;
    write_text(out, ",", "outputs", outputs)?;
    write_text(out, ",", "what", what)?;
    write_text(out, ",", "who", who)?;
    out.write_all(b"}")
}

fn write_text(out: &mut impl Write, before: &str, name: &str, ops: &[Op]) -> io::Result<()> {
    write_name(out, before, name)?;
    write_array(out, ops, |op, out| write_value(out, op))
}

fn write_array<T, W: Write>(
    out: &mut W,
    values: &[T],
    write: impl Fn(&T, &mut W) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(b"[")?;
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        write(value, out)?;
    }
    out.write_all(b"]")
}

fn write_member(
    out: &mut impl Write,
    before: &str,
    name: &str,
    value: &impl Serialize,
) -> io::Result<()> {
    write_name(out, before, name)?;
    write_value(out, value)
}

fn write_name(out: &mut impl Write, before: &str, name: &str) -> io::Result<()> {
    out.write_all(before.as_bytes())?;
    write_value(out, &name)?;
    out.write_all(b":")
}

fn write_value(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    Ok(serde_json_canonicalizer::to_writer(value, out)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DocumentId;
    use crate::model::attributes::Attributes;
    use crate::release::canonical::{RELEASE_FORMAT, canonical};
    use crate::template::Need;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn check(release: &Released) {
        let mut written = Vec::new();
        write_release(release, &mut written).unwrap();
        assert_eq!(String::from_utf8(written), String::from_utf8(canonical(release)));
    }

    fn empty() -> Released {
        Released {
            format: RELEASE_FORMAT.into(),
            document: DocumentId::new("d"),
            number: 1,
            language: "en".into(),
            template: "ogp-commitment/1".into(),
            supersedes: None,
            gaps: Vec::new(),
            texts: BTreeMap::new(),
            milestones: Vec::new(),
            facts: BTreeMap::new(),
        }
    }

    /// Returns a text with attributes, an embedded value, and characters that JSON escapes.
    fn text(words: &str) -> Vec<Op> {
        let mut attributes = Attributes::new();
        attributes.insert("link", json!("https://example.org/\u{1f600}"));
        attributes.insert("bold", json!(true));
        let embedded: Op =
            serde_json::from_value(json!({ "insert": { "b": 1.0, "a": [null] } })).unwrap();
        vec![Op::text(words), Op::insert("\"\\\n\u{7}", attributes), embedded]
    }

    #[test]
    fn the_pieces_are_the_canonical_json_of_the_whole() {
        check(&empty());
        // The last two keys have another order by UTF-16 code units than by code points.
        let keys = ["title", "", "a\"b", "\u{fb33}", "\u{1f600}"];
        let milestone = |id: &str| ReleasedMilestone {
            id: id.into(),
            what: text("what"),
            outputs: Vec::new(),
            who: text(id),
            due: "2027-01-31".into(),
            due_text: "Fall \u{2028}".into(),
        };
        let facts =
            [("start", json!("2026-01-01")), ("odd", json!({ "\u{20ac}": 1e21, "a": -0.0 }))];
        let facts: BTreeMap<String, Value> =
            facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        check(&Released {
            number: 12,
            supersedes: Some(Digest([7; 32])),
            gaps: vec![Need::Title, Need::MilestoneDates],
            texts: keys.into_iter().map(|key| (key.to_owned(), text(key))).collect(),
            milestones: vec![milestone("m1"), milestone("m2")],
            facts,
            ..empty()
        });
    }
}
