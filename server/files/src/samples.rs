//! Sample commitments in three scripts, for the tests of this crate and of the crates that use it.

use crate::origin::Origin;
use accord_document::ids::DocumentId;
use accord_document::model::Milestone;
use accord_document::model::attributes::Attributes;
use accord_document::model::content::Content;
use accord_document::model::delta::Op;
use accord_document::release::canonical::{Identity, Released};
use serde_json::Value;
use std::collections::BTreeMap;

/// Returns attributes from pairs of name and value.
#[must_use]
pub fn attributes(all: &[(&str, Value)]) -> Attributes {
    all.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// Returns the origin of a sample draft.
#[must_use]
pub fn draft() -> Origin<'static> {
    Origin::Draft { plan_title: "City plan 2026–2028", time: 1_795_440_000_000 }
}

/// Returns a commitment of a city as a release, after `change` has altered its content. The languages `ko`, `ka` and
/// `cs` have texts of their own; any other language gets an English text.
#[must_use]
pub fn released(language: &str, change: impl FnOnce(&mut Content)) -> Released {
    let [title, brief, name] = match language {
        "ko" => ["주민과 함께하는 예산", "우리는 예산의 10%를 주민이 정하도록 한다.", "서울특별시"],
        "ka" => {
            ["ღია ბიუჯეტი ყველასთვის", "ჩვენ ვაქვეყნებთ ყოველ ხელშეკრულებას.", "ქუთაისის მერია"]
        }
        "cs" => {
            ["Příliš žluťoučký kůň", "Zveřejníme každou smlouvu — „úplně“ a včas.", "Město Jeseník"]
        }
        _ => [
            "Open contracting",
            "We publish every contract within thirty days.",
            "City of Plymouth",
        ],
    };
    let mark = |name: &str| attributes(&[(name, true.into())]);
    let item = |text: &str, list: &str, indent: u8| {
        [
            Op::text(text),
            Op::insert("\n", attributes(&[("list", list.into()), ("indent", indent.into())])),
        ]
    };
    let solution = [
        vec![
            Op::text("First "),
            Op::insert("bold", mark("bold")),
            Op::text(" and "),
            Op::insert("both", attributes(&[("bold", true.into()), ("italic", true.into())])),
            Op::text(", then "),
            Op::insert("a link", attributes(&[("link", "https://example.org/a?b=c&d".into())])),
            Op::text(".\n\nSteps"),
            Op::insert("\n", attributes(&[("header", 2.into())])),
        ],
        item("one", "ordered", 0).into(),
        item("within", "bullet", 1).into(),
        item("two", "ordered", 0).into(),
        vec![Op::text(brief), Op::insert("\n", mark("blockquote"))],
    ]
    .concat();
    let line = |text: &str| vec![Op::text(text), Op::text("\n")];
    let mut content = Content {
        texts: BTreeMap::from([
            ("title".to_owned(), line(title)),
            ("brief".to_owned(), line(brief)),
            ("lead".to_owned(), line(name)),
            ("solution".to_owned(), solution),
            ("transparency".to_owned(), line("#set page(fill: red) *not* _markup_ $x$ <b> // @a")),
        ]),
        milestones: vec![Milestone {
            id: "m1".into(),
            order: "a".into(),
            what: line("A register that everybody can read"),
            outputs: line("The register"),
            who: line(name),
            due: "2027-06-30".into(),
            due_text: "before the summer".into(),
        }],
        facts: BTreeMap::from([("period_from".to_owned(), "2026-12-01".into())]),
    };
    change(&mut content);
    identified(language, &content)
}

/// Returns `content` as release 1 of a sample document.
#[must_use]
pub fn identified(language: &str, content: &Content) -> Released {
    let identity = Identity {
        document: DocumentId::new("d"),
        number: 1,
        language: language.into(),
        template: "ogp-commitment/1".into(),
        supersedes: None,
    };
    Released::of(identity, content)
}
