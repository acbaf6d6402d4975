//! Two people do two things at the same time at the same place. Every character that was typed and that nobody
//! deleted is there exactly once. The table in docs/protocol.md, section 9, says what each pair of acts results in.

use accord_document::model::attributes::Attributes;
use accord_document::model::content::Content;
use accord_document::model::delta::{Op, normalise};
use accord_document::model::{Draft, seed};
use accord_document::model::{MilestoneDraft, Replica, Target};
use serde_json::Value;
use std::fmt::Write as _;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Type,
    Split,
    Join,
    List,
    Heading,
    Quote,
    Indent,
    Bold,
    Link,
    Delete,
    Undo,
    MoveMilestone,
    EditMilestone,
    DeleteMilestone,
}

use Act::*;

const ACTS: [Act; 14] = [
    Type,
    Split,
    Join,
    List,
    Heading,
    Quote,
    Indent,
    Bold,
    Link,
    Delete,
    Undo,
    MoveMilestone,
    EditMilestone,
    DeleteMilestone,
];

impl Act {
    fn name(self) -> &'static str {
        match self {
            Type => "type",
            Split => "split",
            Join => "join",
            List => "make a list",
            Heading => "make a heading",
            Quote => "quote",
            Indent => "indent",
            Bold => "bold",
            Link => "link",
            Delete => "delete",
            Undo => "undo",
            MoveMilestone => "move a milestone",
            EditMilestone => "edit it",
            DeleteMilestone => "delete it",
        }
    }
}

/// The initial text: two lines in which no letter occurs twice. All acts on text are on the first line, around the
/// gap after `ab`.
const TEXT: &str = "abcd\nefgh";
const GAP: u32 = 2;
const LINE_END: u32 = 4;
/// The characters that `Delete` deletes: one on each side of the gap.
const DELETED: &str = "bc";
const STEP: &str = "xyz";

struct Person {
    replica: Replica,
    /// The letter that this person types.
    tag: &'static str,
}

fn field() -> Target {
    Target::field("problem")
}

fn set(name: &str, value: Value) -> Attributes {
    Attributes::from_iter([(name, value)])
}

impl Person {
    fn new(client: u64, tag: &'static str, seed: &[u8]) -> Self {
        let mut replica = Replica::new(client);
        replica.apply(seed).unwrap();
        replica.take_all();
        Self { replica, tag }
    }

    fn edit(&mut self, ops: &[Op]) {
        self.replica.edit(&field(), ops);
    }

    /// If `act` is an undo, types the letter that the undo will remove. Both people receive this letter before the act.
    fn prepare(&mut self, act: Act) {
        if act == Undo {
            self.replica.set_now(1_000);
            self.edit(&[Op::retain(GAP, Attributes::new()), Op::text(&self.tag.to_lowercase())]);
            self.replica.stop_capturing();
        }
    }

    fn act(&mut self, act: Act, gap: u32, end: u32) {
        self.replica.set_now(100_000);
        let at = |at| Op::retain(at, Attributes::new());
        let line = |name: &str, value: Value| [at(end), Op::retain(1, set(name, value))];
        match act {
            Type => self.edit(&[at(gap), Op::text(self.tag)]),
            Split => self.edit(&[at(gap), Op::text("\n")]),
            Join => self.edit(&[at(end), Op::delete(1)]),
            List => self.edit(&line("list", "bullet".into())),
            Heading => self.edit(&line("header", 1.into())),
            Quote => self.edit(&line("blockquote", true.into())),
            Indent => self.edit(&line("indent", 1.into())),
            Bold => self.edit(&[Op::retain(end, set("bold", true.into()))]),
            Link => self.edit(&[Op::retain(end, set("link", "https://example.org".into()))]),
            Delete => {
                // The deletion spares letters that `prepare` has typed into the gap.
                self.edit(&[
                    at(1),
                    Op::delete(1),
                    at(gap.max(GAP) - GAP + end - LINE_END),
                    Op::delete(1),
                ]);
            }
            Undo => assert!(self.replica.undo()),
            MoveMilestone => self.replica.move_milestone("m1", None),
            EditMilestone => {
                let target = Target::milestone("m1", "what");
                self.replica.edit(&target, &[at(1), Op::text(self.tag)]);
            }
            DeleteMilestone => self.replica.remove_milestone("m1"),
        }
    }
}

/// Exchanges updates until neither person has anything new.
fn exchange(a: &mut Person, b: &mut Person) {
    for _ in 0..4 {
        let (from_a, from_b) = (a.replica.take_made(), b.replica.take_made());
        for update in from_a {
            b.replica.apply(&update).unwrap();
        }
        for update in from_b {
            a.replica.apply(&update).unwrap();
        }
    }
}

fn start(first: u64, second: u64) -> (Person, Person) {
    let draft = Draft {
        texts: vec![("problem", vec![Op::text(TEXT)])],
        milestones: ["m1", "m2"]
            .map(|id| MilestoneDraft {
                id: id.into(),
                what: vec![Op::text(STEP)],
                ..Default::default()
            })
            .to_vec(),
        facts: vec![],
    };
    let seed = seed(1_000, &draft);
    (Person::new(first, "P", &seed), Person::new(second, "Q", &seed))
}

fn together(one: Act, other: Act, first: u64, second: u64) -> Content {
    let (mut a, mut b) = start(first, second);
    a.prepare(one);
    exchange(&mut a, &mut b);
    b.prepare(other);
    exchange(&mut a, &mut b);
    let prepared = [one, other].iter().filter(|act| **act == Undo).count() as u32;
    a.act(one, GAP, LINE_END + prepared);
    b.act(other, GAP, LINE_END + prepared);
    exchange(&mut a, &mut b);
    let content = a.replica.content();
    assert_eq!(content, b.replica.content(), "{one:?} and {other:?} converge");
    content
}

/// Checks for a pair of acts which characters, lines and milestones the result contains, and that each is there
/// exactly once.
fn check(one: Act, other: Act, content: &Content) {
    let pair = format!("{} + {}", one.name(), other.name());
    let text = content.plain("problem");
    let acts = [(one, "P"), (other, "Q")];
    for letter in TEXT.chars().filter(|c| *c != '\n') {
        let deleted = acts.iter().any(|(act, _)| *act == Delete) && DELETED.contains(letter);
        assert_eq!(
            text.matches(letter).count(),
            usize::from(!deleted),
            "{pair}: {letter:?} in {text:?}"
        );
    }
    for (act, tag) in acts {
        assert_eq!(
            text.matches(tag).count(),
            usize::from(act == Type),
            "{pair}: {tag} in {text:?}"
        );
        let undone = tag.to_lowercase();
        assert!(!text.contains(&undone), "{pair}: {undone} was undone, in {text:?}");
    }
    let splits = acts.iter().filter(|(act, _)| *act == Split).count();
    let joined = usize::from(acts.iter().any(|(act, _)| *act == Join));
    let lines = 2 + splits - joined;
    assert_eq!(text.matches('\n').count(), lines, "{pair}: lines of {text:?}");

    let removed = acts.iter().any(|(act, _)| *act == DeleteMilestone);
    let all: String = content
        .milestones
        .iter()
        .map(|milestone| accord_document::model::delta::plain(&milestone.what))
        .collect();
    for (act, tag) in acts {
        assert_eq!(
            all.matches(tag).count(),
            usize::from(act == EditMilestone),
            "{pair}: {tag} in {all:?}"
        );
    }
    let kept = 1 + usize::from(!removed);
    assert_eq!(all.matches('x').count(), kept, "{pair}: milestones say {all:?}");
}

/// Returns a text on one line: `¶` ends a block and is followed by its attributes, and brackets contain text with
/// marks.
fn show(ops: &[Op]) -> String {
    let mut out = String::new();
    for op in normalise(ops) {
        let Op::Insert { insert: Value::String(text), attributes } = op else { continue };
        let names: Vec<&str> = attributes.iter().map(|(name, _)| name).collect();
        let names = names.join(",");
        if text.contains('\n') && !names.is_empty() {
            for _ in text.chars() {
                let _ = write!(out, "¶({names}) ");
            }
        } else if names.is_empty() {
            out.push_str(&text.replace('\n', "¶ "));
        } else {
            let _ = write!(out, "[{text}]({names})");
        }
    }
    out.trim_end().to_owned()
}

fn show_all(one: Act, other: Act, content: &Content) -> String {
    let on_milestones = |act| matches!(act, MoveMilestone | EditMilestone | DeleteMilestone);
    let text = show(&content.texts["problem"]);
    let milestones = content
        .milestones
        .iter()
        .map(|m| format!("{}: {}", m.id, accord_document::model::delta::plain(&m.what).trim_end()));
    let milestones = milestones.collect::<Vec<_>>().join(", ");
    match (on_milestones(one), on_milestones(other)) {
        (true, true) => milestones,
        (false, false) => text,
        _ => format!("{text}; {milestones}"),
    }
}

#[test]
fn every_pair_of_acts_keeps_every_character_exactly_once() {
    let mut table = String::from("| P | Q | together |\n| --- | --- | --- |\n");
    for (index, &one) in ACTS.iter().enumerate() {
        for &other in &ACTS[index..] {
            // If both insert at the same place, the insertion of the person with the smaller client id comes first. So
            // both orders of client ids are tried.
            for (first, second) in [(1, 2), (2, 1)] {
                check(one, other, &together(one, other, first, second));
            }
            let content = together(one, other, 1, 2);
            let shown = show_all(one, other, &content);
            let _ = writeln!(table, "| {} | {} | `{shown}` |", one.name(), other.name());
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol.md");
    let protocol = std::fs::read_to_string(path).unwrap();
    if std::env::var_os("ACCORD_WRITE").is_some() {
        let (before, rest) = protocol.split_once("<!-- intents -->\n").unwrap();
        let (_, after) = rest.split_once("<!-- /intents -->").unwrap();
        let written = format!("{before}<!-- intents -->\n{table}<!-- /intents -->{after}");
        std::fs::write(path, written).unwrap();
    } else {
        assert!(
            protocol.contains(&table),
            "docs/protocol.md says otherwise: write it with ACCORD_WRITE=1:\n{table}"
        );
    }
}
