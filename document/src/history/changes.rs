//! The differences between two moments, each as a person would name it.

use super::diff::{Diff, EditSpan, Piece, PieceStatus, TextDiff};
use super::weave::{Holder, Number};
use super::{AuthorIndex, History};
use crate::model::Target;
use crate::model::delta::{Attributes, utf16_len};
use crate::template::FACTS;
use serde::Serialize;
use serde_json::Value;

/// The fewest characters that are told as moved: shorter ones are found anywhere.
const MIN_MOVED_CHARS: usize = 12;

/// One thing that somebody did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Change {
    /// The text it happened in; nothing for dates of the commitment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Where, in UTF-16 code units of that text at the second moment.
    pub at: u32,
    /// The change itself.
    #[serde(flatten)]
    pub what: What,
    /// The person who made it, and the entries.
    pub by: EditSpan,
    /// Of what was deleted or replaced: who wrote it first, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<u32>, required = false))]
    pub wrote: Vec<AuthorIndex>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// Text was added.
    Inserted {
        /// The text.
        text: String,
    },
    /// Text was deleted.
    Deleted {
        /// The text.
        text: String,
    },
    /// Text was replaced.
    Replaced {
        /// The text before.
        old: String,
        /// The text after.
        new: String,
    },
    /// A paragraph was made two.
    Split {
        /// The text before the split.
        before: String,
        /// The text behind the split.
        after: String,
    },
    /// Two paragraphs were made one.
    Joined {
        /// The text of the first paragraph.
        before: String,
        /// The text of the second paragraph.
        after: String,
    },
    /// A paragraph became one of another kind: a heading, a list item, indented.
    Block {
        /// The text of the paragraph.
        text: String,
        /// Its attributes before.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        old: Attributes,
        /// Its attributes after.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        new: Attributes,
    },
    /// Characters were given other marks, or another link.
    Marked {
        /// The characters.
        text: String,
        /// Their attributes before.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        old: Attributes,
        /// Their attributes after.
        #[cfg_attr(feature = "schema", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
        new: Attributes,
    },
    /// Text was taken from one place to another.
    Moved {
        /// The text.
        text: String,
        /// The text that it was taken from.
        from: Target,
    },
    /// A milestone was added.
    MilestoneAdded {
        /// The milestone.
        id: String,
    },
    /// A milestone was removed.
    MilestoneRemoved {
        /// The milestone.
        id: String,
    },
    /// It stands elsewhere among the milestones.
    MilestoneMoved {
        /// The milestone.
        id: String,
    },
    /// A date was changed: of a milestone, or of the commitment.
    Value {
        /// The key of the date.
        key: String,
        /// The milestone; none for a date of the commitment.
        id: Option<String>,
        /// The value before, if there was one.
        old: Option<Value>,
        /// The value after, if there is one.
        new: Option<Value>,
    },
}

impl History {
    /// What happened between two moments, in the order of the page.
    #[must_use]
    pub fn changes(&self, diff: &Diff) -> Vec<Change> {
        let mut all: Vec<Change> = diff.texts.iter().flat_map(in_text).collect();
        pair_moves(&mut all);
        all.extend(self.value_changes(diff));
        all
    }

    /// Dates, and milestones that came, went or were moved.
    fn value_changes(&self, diff: &Diff) -> Vec<Change> {
        let (from, to) = (self.number(diff.from), self.number(diff.to));
        let mut out = Vec::new();
        let facts = Holder::Root(FACTS.into());
        for key in self.weave.keys(&facts) {
            let key = key.to_string();
            let what = |old, new| What::Value { key: key.clone(), id: None, old, new };
            out.extend(self.value_change(&facts, &key, (from, to), None, what));
        }
        for id in self.milestone_ids() {
            let Some(map) = self.milestone_map(id, to).or_else(|| self.milestone_map(id, from))
            else {
                continue;
            };
            let target = Some(Target::milestone(id, "what"));
            let id = id.to_owned();
            match (self.is_shown(&id, from), self.is_shown(&id, to)) {
                (false, false) => {}
                (false, true) => {
                    let what = |_, _| What::MilestoneAdded { id: id.clone() };
                    out.extend(self.value_change(&map, "removed", (from, to), target, what));
                }
                (true, false) => {
                    let what = |_, _| What::MilestoneRemoved { id: id.clone() };
                    out.extend(self.value_change(&map, "removed", (from, to), target, what));
                }
                (true, true) => {
                    let what = |_, _| What::MilestoneMoved { id: id.clone() };
                    out.extend(self.value_change(&map, "order", (from, to), target.clone(), what));
                    for key in ["due", "due_text"] {
                        let id = Some(id.clone());
                        let what = |old, new| What::Value { key: key.to_owned(), id, old, new };
                        out.extend(self.value_change(&map, key, (from, to), target.clone(), what));
                    }
                }
            }
        }
        out
    }

    fn value_change(
        &self,
        holder: &Holder,
        key: &str,
        (from, to): (Number, Number),
        target: Option<Target>,
        what: impl FnOnce(Option<Value>, Option<Value>) -> What,
    ) -> Option<Change> {
        let (old, new) = (self.value_at(holder, key, from), self.value_at(holder, key, to));
        if old == new {
            return None;
        }
        let (first, last) = (from.min(to), from.max(to));
        let cause = self.weave.last_written(holder, key, first, last)?;
        Some(Change {
            target,
            at: 0,
            what: what(old, new),
            by: self.span(cause),
            wrote: Vec::new(),
        })
    }
}

/// The changes of one text, in its order.
fn in_text(text: &TextDiff) -> Vec<Change> {
    let mut shaping = Shaping {
        target: &text.target,
        at: 0,
        line: String::new(),
        word: String::new(),
        open: None,
        out: Vec::new(),
    };
    for (index, piece) in text.pieces.iter().enumerate() {
        shaping.step(piece, &text.pieces[index + 1..]);
    }
    shaping.close("", "");
    let mut out = shaping.out;
    // The one empty line that a text of a new milestone has is not somebody's paragraph.
    if text.pieces.iter().all(|piece| piece.fate != PieceStatus::Kept) {
        let is_bare = |before: &str, after: &str| before.is_empty() && after.is_empty();
        out.retain(|change| match &change.what {
            What::Split { before, after } | What::Joined { before, after } => {
                !is_bare(before, after)
            }
            _ => true,
        });
    }
    out
}

/// A stretch of insertions and deletions by one person with nothing kept between, or only a part of a
/// word.
struct Open {
    at: u32,
    by: EditSpan,
    old: String,
    new: String,
    /// The line so far, before it.
    before: String,
    /// The part of a word that was there and stands directly before it.
    head: String,
    wrote: Vec<AuthorIndex>,
    /// Kept characters since: part of it, if it goes on within the same word.
    gap: String,
}

struct Shaping<'d> {
    target: &'d Target,
    /// Where the walk is in the text as it is at the second moment.
    at: u32,
    /// What stands in the line at the second moment, up to here.
    line: String,
    /// The part of a word, there at both moments, that ends here.
    word: String,
    open: Option<Open>,
    out: Vec<Change>,
}

impl Shaping<'_> {
    fn step(&mut self, piece: &Piece, rest: &[Piece]) {
        let text = piece.insert.as_str().unwrap_or("\u{fffc}");
        match (piece.fate, piece.by) {
            (PieceStatus::Kept, None) => self.kept(text),
            (PieceStatus::Kept, Some(by)) => {
                self.close(text, text);
                let old = piece.was.clone().unwrap_or_default();
                let new = piece.attributes.clone();
                self.reformatted(text, &old, &new, by);
            }
            (_, by) => {
                let by = by.unwrap_or(piece.written);
                self.changed(piece, text, by);
            }
        }
        if piece.fate != PieceStatus::Deleted {
            self.pass(text);
        }
        self.word = match (piece.fate, &piece.insert) {
            (PieceStatus::Kept, Value::String(text)) => ending_word(&self.word, text),
            _ => String::new(),
        };
        if rest.is_empty() {
            self.close("", "");
        }
    }

    fn pass(&mut self, text: &str) {
        self.at += utf16_len(text);
        match text.rfind('\n') {
            Some(end) => text[end + 1..].clone_into(&mut self.line),
            None => self.line.push_str(text),
        }
    }

    fn kept(&mut self, text: &str) {
        let Some(open) = &mut self.open else { return };
        let is_in_word = !text.contains(|c: char| !c.is_alphanumeric());
        if is_in_word && open.gap.is_empty() && text.chars().count() < MIN_MOVED_CHARS {
            text.clone_into(&mut open.gap);
        } else {
            self.close(text, text);
        }
    }

    fn changed(&mut self, piece: &Piece, text: &str, by: EditSpan) {
        if let Some(open) = &mut self.open {
            let mut grown = open.by;
            if grown.extend(&by) {
                open.by = grown;
                let gap = std::mem::take(&mut open.gap);
                open.old.push_str(&gap);
                open.new.push_str(&gap);
            } else {
                self.close(if piece.fate == PieceStatus::Inserted { text } else { "" }, "");
            }
        }
        let (at, before, head) = (self.at, self.line.clone(), self.word.clone());
        let open = self.open.get_or_insert_with(|| Open {
            at,
            by,
            before,
            head,
            old: String::new(),
            new: String::new(),
            wrote: Vec::new(),
            gap: String::new(),
        });
        if piece.fate == PieceStatus::Deleted {
            open.old.push_str(text);
            if !open.wrote.contains(&piece.written.author) {
                open.wrote.push(piece.written.author);
            }
        } else {
            open.new.push_str(text);
        }
    }

    fn reformatted(&mut self, text: &str, old: &Attributes, new: &Attributes, by: EditSpan) {
        // What stands on a newline is its paragraph's, the rest its characters'.
        for part in text.split_inclusive('\n') {
            let (chars, newline) = match part.strip_suffix('\n') {
                Some(chars) => (chars, true),
                None => (part, false),
            };
            let (old, new) = (old.clone(), new.clone());
            let at = self.at;
            if !chars.is_empty() {
                let text = chars.to_owned();
                self.push(at, What::Marked { text, old: old.clone(), new: new.clone() }, by);
            }
            if newline {
                let text = format!("{}{chars}", self.line);
                self.push(at, What::Block { text, old, new }, by);
            }
        }
    }

    fn push(&mut self, at: u32, what: What, by: EditSpan) {
        let target = Some(self.target.clone());
        self.out.push(Change { target, at, what, by, wrote: Vec::new() });
    }

    /// Names what is open. `next` is what stands behind it, and `word` what of that was there before.
    fn close(&mut self, next: &str, word: &str) {
        let Some(open) = self.open.take() else { return };
        let Open { at, by, mut old, mut new, before, head, wrote, gap } = open;
        let rest_of_line = || {
            let behind = format!("{gap}{next}");
            behind.split('\n').next().unwrap_or_default().to_owned()
        };
        let what = match (old.as_str(), new.as_str()) {
            ("", "\n") => What::Split { before, after: rest_of_line() },
            ("\n", "") => What::Joined { before, after: rest_of_line() },
            _ => {
                // A change within a word is told as a change of the word.
                if old.chars().chain(new.chars()).all(char::is_alphanumeric) {
                    let behind = gap.chars().chain(word.chars());
                    let tail: String = behind.take_while(|c| c.is_alphanumeric()).collect();
                    if !head.is_empty() || !tail.is_empty() {
                        old = format!("{head}{old}{tail}");
                        new = format!("{head}{new}{tail}");
                    }
                }
                match (old.is_empty(), new.is_empty()) {
                    (true, _) => What::Inserted { text: new },
                    (_, true) => What::Deleted { text: old },
                    _ => What::Replaced { old, new },
                }
            }
        };
        self.out.push(Change { target: Some(self.target.clone()), at, what, by, wrote });
    }
}

/// The part of a word that a text ends with, behind what there was of it before.
fn ending_word(before: &str, text: &str) -> String {
    match text.char_indices().rev().find(|(_, c)| !c.is_alphanumeric()) {
        Some((at, c)) => text[at + c.len_utf8()..].to_owned(),
        None => format!("{before}{text}"),
    }
}

/// What the same person deleted in one place and inserted in another was moved.
fn pair_moves(all: &mut Vec<Change>) {
    let mut gone = Vec::new();
    for deleted in 0..all.len() {
        let What::Deleted { text } = &all[deleted].what else { continue };
        let text = text.clone();
        if text.trim().chars().count() < MIN_MOVED_CHARS {
            continue;
        }
        let author = all[deleted].by.author;
        let same = |change: &Change| {
            matches!(&change.what, What::Inserted { text: new } if new.trim() == text.trim())
                && change.by.author == author
        };
        let Some(inserted) = all.iter().position(same) else { continue };
        let from = all[deleted].target.clone().unwrap_or_else(|| Target::field(""));
        all[inserted].what = What::Moved { text, from };
        gone.push(deleted);
    }
    let mut index = 0;
    all.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}
