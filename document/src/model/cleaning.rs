//! Removes hidden characters from a document. Cleaning is an edit like any other: it deletes or replaces single characters, so
//! every other character keeps its author and its place.

use crate::limits;
use crate::model::Draft;
use crate::model::attributes::Attributes;
use crate::model::delta::{Op, utf16_len};
use crate::model::{Replica, Target};
use crate::readable::{address, clean, findings};
use crate::template::{FIELDS, MILESTONE_TEXTS};
use serde_json::{Value, json};

/// Maximum cost of one cleaning, in UTF-16 code units that yrs moves: a quarter of an update's limit (rule U11 of
/// docs/protocol.md). Each deletion within an item copies the text of the item.
const MAX_UNITS_MOVED: u64 = limits::MAX_SPLIT_COST / 4;
/// Maximum number of places that one cleaning changes. Each place can split an item in three.
const MAX_PLACES: u32 = 10_000;

/// The part of [`MAX_UNITS_MOVED`] and of [`MAX_PLACES`] that one cleaning has not used yet.
struct Budget {
    units: u64,
    places: u32,
}

impl Budget {
    /// Takes the cost of a change in a text of `units` UTF-16 code units. Returns false if too little is left.
    fn spend(&mut self, units: u32) -> bool {
        let is_enough = self.places > 0 && self.units >= u64::from(units);
        if is_enough {
            self.places -= 1;
            self.units -= u64::from(units);
        }
        is_enough
    }
}

/// Cleans all texts, dates in words and link addresses of a document, without changing what readers see. A long text with many
/// hidden characters needs more than one call, because one call makes a limited number of changes.
pub fn clean_document(replica: &mut Replica) {
    let mut budget = Budget { units: MAX_UNITS_MOVED, places: MAX_PLACES };
    let mut targets: Vec<Target> = FIELDS.iter().map(|field| Target::field(field.key)).collect();
    for milestone in replica.milestones() {
        targets.extend(MILESTONE_TEXTS.map(|key| Target::milestone(&milestone.id, key)));
        let due_text = clean(&milestone.due_text);
        if due_text != milestone.due_text && budget.spend(0) {
            replica.set_milestone(&milestone.id, "due_text", &due_text);
        }
    }
    for target in targets {
        for steps in [characters, links] {
            let ops = steps(&replica.read(&target), &mut budget);
            if !ops.is_empty() {
                replica.edit(&target, &ops);
            }
        }
    }
}

/// Cleans a draft before it becomes a document. Returns the number of characters, addresses and dates that changed.
pub fn clean_draft(draft: &mut Draft) -> usize {
    let milestones = draft.milestones.iter_mut();
    let texts = milestones.flat_map(|one| [&mut one.what, &mut one.outputs, &mut one.who]);
    let texts = draft.texts.iter_mut().map(|(_, ops)| ops).chain(texts);
    let mut cleaned: usize = texts.map(clean_ops).sum();
    for milestone in &mut draft.milestones {
        let due_text = clean(&milestone.due_text).into_owned();
        cleaned += usize::from(due_text != milestone.due_text);
        milestone.due_text = due_text;
    }
    cleaned
}

fn clean_ops(ops: &mut Vec<Op>) -> usize {
    let mut changed = 0;
    for op in ops.iter_mut() {
        let Op::Insert { attributes, .. } = op else { continue };
        let Some(cleaned) = cleaned_link(attributes) else { continue };
        attributes.insert("link", cleaned.into());
        changed += 1;
    }
    let mut pieces: Vec<&mut String> = Vec::new();
    for op in ops.iter_mut() {
        match op {
            Op::Insert { insert: Value::String(text), .. } => pieces.push(text),
            Op::Insert { .. } => changed += clean_pieces(std::mem::take(&mut pieces)),
            _ => {}
        }
    }
    changed += clean_pieces(pieces);
    ops.retain(
        |op| !matches!(op, Op::Insert { insert: Value::String(text), .. } if text.is_empty()),
    );
    changed
}

/// Cleans adjacent pieces of text as one text, because hidden characters are judged by their neighbours. Returns the number of
/// characters that changed.
fn clean_pieces(pieces: Vec<&mut String>) -> usize {
    let whole: String = pieces.iter().map(|piece| piece.as_str()).collect();
    let mut cleaned = findings(&whole)
        .filter_map(|found| Some((found.at, found.character, found.replacement?)))
        .peekable();
    let (mut from, mut changed) = (0, 0);
    for piece in pieces {
        let end = from + piece.len();
        let mut left = String::new();
        let mut upto = from;
        while let Some((at, character, replacement)) = cleaned.next_if(|(at, ..)| *at < end) {
            left.push_str(&whole[upto..at]);
            left.push_str(replacement);
            upto = at + character.len_utf8();
            changed += 1;
        }
        if upto > from {
            left.push_str(&whole[upto..end]);
            *piece = left;
        }
        from = end;
    }
    changed
}

/// Returns the steps that remove the hidden characters of a text, as far as the budget allows.
fn characters(ops: &[Op], budget: &mut Budget) -> Vec<Op> {
    let units = length(ops);
    let mut steps = DeltaBuilder::default();
    let mut pieces: Vec<(&str, &Attributes)> = Vec::new();
    for op in ops {
        match op {
            Op::Insert { insert: Value::String(text), attributes } => {
                pieces.push((text, attributes))
            }
            Op::Insert { .. } => {
                steps.clean(&pieces, units, budget);
                steps.retain(1);
                pieces.clear();
            }
            _ => {}
        }
    }
    steps.clean(&pieces, units, budget);
    steps.into_ops()
}

/// Returns the steps that clean the addresses of a text's links, as far as the budget allows.
fn links(ops: &[Op], budget: &mut Budget) -> Vec<Op> {
    let units = length(ops);
    let mut steps = DeltaBuilder::default();
    for op in ops {
        let Op::Insert { insert, attributes } = op else { continue };
        let len = insert.as_str().map_or(1, utf16_len);
        match cleaned_link(attributes).filter(|_| budget.spend(units)) {
            Some(cleaned) => {
                steps.format(len, Attributes::from_iter([("link", json!(cleaned))]));
            }
            None => steps.retain(len),
        }
    }
    steps.into_ops()
}

/// Returns the length of a text in UTF-16 code units.
fn length(ops: &[Op]) -> u32 {
    let len = |op: &Op| match op {
        Op::Insert { insert, .. } => insert.as_str().map_or(1, utf16_len),
        _ => 0,
    };
    ops.iter().map(len).sum()
}

/// Returns the cleaned address of an unsafe link, or `None` if the link is safe or can't be made safe.
fn cleaned_link(attributes: &Attributes) -> Option<String> {
    let link = attributes.get("link")?.as_str()?;
    if address::is_safe(link) { None } else { address::clean(link) }
}

/// A Delta under construction. It never ends with steps that do nothing.
///
/// All replacements of adjacent characters are inserted first, and then one step deletes those characters. yrs applies
/// the formatting that follows a deletion to the next step. A second deletion or an insertion directly after the first
/// deletion would therefore change which text is bold.
#[derive(Default)]
struct DeltaBuilder {
    done: Vec<Op>,
    kept: u32,
    inserted: Vec<Op>,
    deleted: u32,
}

impl DeltaBuilder {
    fn retain(&mut self, len: u32) {
        if len > 0 {
            self.finish();
            self.kept += len;
        }
    }

    fn format(&mut self, len: u32, attributes: Attributes) {
        self.finish();
        self.move_on();
        self.done.push(Op::retain(len, attributes));
    }

    fn replace(&mut self, len: u32, replacement: Option<Op>) {
        self.move_on();
        self.inserted.extend(replacement);
        self.deleted += len;
    }

    fn move_on(&mut self) {
        if self.kept > 0 {
            self.done.push(Op::retain(self.kept, Attributes::new()));
            self.kept = 0;
        }
    }

    fn finish(&mut self) {
        self.done.append(&mut self.inserted);
        if self.deleted > 0 {
            self.done.push(Op::delete(self.deleted));
            self.deleted = 0;
        }
    }

    fn into_ops(mut self) -> Vec<Op> {
        self.finish();
        self.done
    }

    /// Adds the steps that clean adjacent pieces of text as one text. Each change costs `units`, the length of the whole text in
    /// UTF-16 code units.
    fn clean(&mut self, pieces: &[(&str, &Attributes)], units: u32, budget: &mut Budget) {
        let whole: String = pieces.iter().map(|(text, _)| *text).collect();
        let mut ends = pieces.iter().scan(0, |end, (text, attributes)| {
            *end += text.len();
            Some((*end, *attributes))
        });
        let mut piece = ends.next();
        let mut upto = 0;
        for finding in findings(&whole) {
            let Some(replacement) = finding.replacement else { continue };
            while piece.is_some_and(|(end, _)| end <= finding.at) {
                piece = ends.next();
            }
            // The budget counts a run of adjacent hidden characters once.
            let is_new = upto == 0 || upto < finding.at;
            if is_new && !budget.spend(units) {
                break;
            }
            self.retain(utf16_len(&whole[upto..finding.at]));
            let attributes = || piece.map(|(_, attributes)| attributes.clone()).unwrap_or_default();
            let inserted = (!replacement.is_empty()).then(|| Op::insert(replacement, attributes()));
            self.replace(finding.character.len_utf16() as u32, inserted);
            upto = finding.at + finding.character.len_utf8();
        }
        self.retain(utf16_len(&whole[upto..]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(ops: Value, expect: Value) {
        let mut ops: Vec<Op> = serde_json::from_value(ops).unwrap();
        clean_ops(&mut ops);
        assert_eq!(serde_json::to_value(&ops).unwrap(), expect);
        assert_eq!(clean_ops(&mut ops), 0);
    }

    #[test]
    fn a_text_is_cleaned_across_its_formatting_and_keeps_it() {
        check(
            json!([{"insert": "con\u{ad}"}, {"insert": "\u{200b}tra\u{1f600}\u{feff}cts", "attributes": {"bold": true}}, {"insert": "\n", "attributes": {"list": "bullet"}}]),
            json!([{"insert": "con"}, {"insert": "tra\u{1f600}cts", "attributes": {"bold": true}}, {"insert": "\n", "attributes": {"list": "bullet"}}]),
        );
        // The neighbours of a joiner (U+200C) decide whether it is hidden, even if their formatting differs.
        check(
            json!([{"insert": "می"}, {"insert": "\u{200c}", "attributes": {"bold": true}}, {"insert": "شود\n"}]),
            json!([{"insert": "می"}, {"insert": "\u{200c}", "attributes": {"bold": true}}, {"insert": "شود\n"}]),
        );
        check(
            json!([{"insert": "a"}, {"insert": "\u{2028}b\u{2800}c", "attributes": {"italic": true}}]),
            json!([{"insert": "a"}, {"insert": " b c", "attributes": {"italic": true}}]),
        );
        check(
            json!([{"insert": "x", "attributes": {"link": " https://exa\u{ad}mple.org/a b"}}]),
            json!([{"insert": "x", "attributes": {"link": "https://example.org/a%20b"}}]),
        );
        check(
            json!([{"insert": "con\u{ad}"}, {"insert": "\u{2800}tr", "attributes": {"bold": true}}, {"insert": "\u{202c}"}, {"insert": "\u{ad}a\n"}]),
            json!([{"insert": "con"}, {"insert": " tr", "attributes": {"bold": true}}, {"insert": "a\n"}]),
        );
        check(json!([{"insert": "9\u{336}0\u{e000}"}]), json!([{"insert": "9\u{336}0\u{e000}"}]));
    }

    /// Applies steps to a text in a document, and returns the text after them.
    fn apply(ops: &[Op], steps: &[Op]) -> Vec<Op> {
        let doc = crate::ydoc::new(1);
        let text = doc.get_or_insert_text("text");
        let mut txn = yrs::Transact::transact_mut(&doc);
        for all in [ops, steps] {
            yrs::Text::apply_delta(&text, &mut txn, all.iter().filter_map(Op::to_yrs));
        }
        crate::model::delta::read(&text, &txn)
    }

    #[test]
    fn a_long_text_full_of_hidden_characters_is_cleaned_in_bounded_steps() {
        let mut replica = Replica::new(7);
        let target = Target::field("problem");
        let places = 30_000;
        replica.edit(&target, &[Op::text(&"a\u{ad}".repeat(places))]);
        let mut left = places;
        for _ in 0..60 {
            replica.take_made();
            clean_document(&mut replica);
            let next = crate::model::delta::plain(&replica.read(&target)).matches('\u{ad}').count();
            assert!(next == 0 || left - next <= MAX_PLACES as usize);
            assert!(next < left);
            left = next;
            if left == 0 {
                return;
            }
        }
        panic!("{left} are left");
    }

    #[test]
    fn every_character_that_stays_keeps_its_formatting() {
        let mut seed = 7_u64;
        let mut random = |below: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        let alphabet = [
            'a',
            'b',
            '\u{ad}',
            '\u{202e}',
            '\u{2800}',
            'م',
            '\u{200c}',
            '\u{1f600}',
            '\u{336}',
            '\u{e0041}',
        ];
        let kinds = [
            json!({}),
            json!({"bold": true}),
            json!({"italic": true}),
            json!({"bold": true, "italic": true}),
        ];
        for _ in 0..500 {
            let mut ops = Vec::new();
            for _ in 0..1 + random(6) {
                let text: String =
                    (0..1 + random(5)).map(|_| alphabet[random(alphabet.len())]).collect();
                ops.push(Op::insert(
                    &text,
                    serde_json::from_value(kinds[random(kinds.len())].clone()).unwrap(),
                ));
            }
            let each = |ops: &[Op]| -> Vec<(char, Attributes)> {
                let inserts = ops.iter().filter_map(|op| match op {
                    Op::Insert { insert: Value::String(text), attributes } => {
                        Some((text.clone(), attributes.clone()))
                    }
                    _ => None,
                });
                inserts
                    .flat_map(|(text, of)| {
                        text.chars().map(|c| (c, of.clone())).collect::<Vec<_>>()
                    })
                    .collect()
            };
            let before = each(&ops);
            let whole: String = before.iter().map(|(c, _)| *c).collect();
            let found: std::collections::HashMap<usize, &str> = findings(&whole)
                .filter_map(|finding| Some((finding.at, finding.replacement?)))
                .collect();
            let expect: Vec<_> = whole
                .char_indices()
                .zip(before)
                .filter_map(|((at, _), (c, of))| match found.get(&at) {
                    None => Some((c, of)),
                    Some(instead) => Some((instead.chars().next()?, of)),
                })
                .collect();
            let mut budget = Budget { units: MAX_UNITS_MOVED, places: MAX_PLACES };
            let steps = characters(&ops, &mut budget);
            assert_eq!(each(&apply(&ops, &steps)), expect, "{whole:?}, in a document");
            clean_ops(&mut ops);
            assert_eq!(each(&ops), expect, "{whole:?}");
        }
    }
}
