//! The changes within one text. This module combines the pieces of a comparison into changes that one person made.

use super::change::{Change, What};
use crate::history::AuthorIndex;
use crate::history::diff::{EditSpan, Piece, PieceStatus, TextDiff};
use crate::model::Target;
use crate::model::attributes::Attributes;
use crate::model::delta::utf16_len;
use serde_json::Value;

/// Minimum length, in characters, of unchanged text inside a word that separates two replacements. A shorter stretch becomes
/// part of one replacement, because different words share a few letters by chance.
const MIN_UNCHANGED_CHARS: usize = 12;

/// Returns the changes of one text, in the order of the text.
pub(super) fn in_text(text: &TextDiff) -> Vec<Change> {
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
    // The empty line at the start of each text of a new milestone is not reported as a change.
    if text.pieces.iter().all(|piece| piece.status != PieceStatus::Kept) {
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

/// A change that is not complete yet: insertions and deletions by one person, with no kept text between them, or only
/// with part of a word between them.
struct Open {
    at: u32,
    by: EditSpan,
    old: String,
    new: String,
    /// The text of the line in which the change begins, from the start of the line to the place of the change.
    before: String,
    /// The kept letters directly before the change, which belong to the same word.
    head: String,
    wrote: Vec<AuthorIndex>,
    /// The kept characters directly after the change. They become part of the change if the change continues within the
    /// same word.
    gap: String,
}

struct Shaping<'d> {
    target: &'d Target,
    /// The current position, in UTF-16 code units of the text at the second moment.
    at: u32,
    /// The text of the current line at the second moment, up to the current position.
    line: String,
    /// The kept characters of the current word that end at the current position.
    word: String,
    open: Option<Open>,
    out: Vec<Change>,
}

impl Shaping<'_> {
    fn step(&mut self, piece: &Piece, rest: &[Piece]) {
        let text = piece.insert.as_str().unwrap_or("\u{fffc}");
        match (piece.status, piece.by) {
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
        if piece.status != PieceStatus::Deleted {
            self.pass(text);
        }
        self.word = match (piece.status, &piece.insert) {
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
        if is_in_word && open.gap.is_empty() && text.chars().count() < MIN_UNCHANGED_CHARS {
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
                self.close(if piece.status == PieceStatus::Inserted { text } else { "" }, "");
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
        if piece.status == PieceStatus::Deleted {
            open.old.push_str(text);
            if !open.wrote.contains(&piece.written.author) {
                open.wrote.push(piece.written.author);
            }
        } else {
            open.new.push_str(text);
        }
    }

    fn reformatted(&mut self, text: &str, old: &Attributes, new: &Attributes, by: EditSpan) {
        // Attributes of a newline format its paragraph; all others format characters.
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

    /// Completes the open change and adds it to the list. `next` is the text that follows the change, and `word` is the part of
    /// `next` that was kept.
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
                // A change within a word is reported as a replacement of the whole word.
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

/// Returns the word, or part of a word, with which `text` ends. If all of `text` belongs to one word, the result begins
/// with `before`, which is the part of that word before `text`.
fn ending_word(before: &str, text: &str) -> String {
    match text.char_indices().rev().find(|(_, c)| !c.is_alphanumeric()) {
        Some((at, c)) => text[at + c.len_utf8()..].to_owned(),
        None => format!("{before}{text}"),
    }
}
