//! Finds the characters of a text that readers do not see as they are, and describes each so that a person finds it in
//! the text.

use super::finding::{FoundCharacter, Unreleasable, UnreleasableKind};
use crate::model::delta::utf16_len;
use crate::readable::{
    CodePoint, Finding, Reason, findings, mixes_scripts, name, turned_numbers, visible_part,
};
use std::collections::BTreeMap;

/// Maximum length of the context in a report, in characters: before the character that was found, and again after it.
const CONTEXT_CHARS: usize = 24;

/// Adds the characters of `text` that readers do not see as they are to `all`. A character that occurs several times is
/// added once. `offset` is the start of `text` within the whole text, in UTF-16 code units.
pub(super) fn words(place: &str, text: &str, offset: u32, all: &mut Vec<Unreleasable>) {
    let mut found: BTreeMap<char, Unreleasable> = BTreeMap::new();
    let (mut upto, mut units) = (0, offset);
    for finding in findings(text) {
        units += utf16_len(&text[upto..finding.at]);
        upto = finding.at;
        let known =
            found.entry(finding.character).or_insert_with(|| report(place, text, finding, units));
        if let Some(character) = &mut known.character {
            character.count += 1;
        }
    }
    all.extend(found.into_values());
    turned(place, text, offset, all);
}

/// Adds to `all` the first number of `text` that bidirectional display moves: one that is shown before a number that precedes
/// it in the text, or before its own sign. The `count` of the added item is the number of all such numbers.
fn turned(place: &str, text: &str, offset: u32, all: &mut Vec<Unreleasable>) {
    let numbers = turned_numbers(text);
    let Some((&at, character)) =
        numbers.first().and_then(|at| Some((at, text[*at..].chars().next()?)))
    else {
        return;
    };
    let finding = Finding { at, character, reason: Reason::Turned, replacement: None };
    let mut one = report(place, text, finding, offset + utf16_len(&text[..at]));
    if let Some(character) = &mut one.character {
        character.count = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    }
    all.push(one);
}

/// Adds to `all` the unreleasable characters of a value that must be a single line. The first newline or tab is one of them,
/// because some files show the text after it and others do not.
pub(super) fn line(place: &str, text: &str, all: &mut Vec<Unreleasable>) {
    words(place, text, 0, all);
    if let Some(at) = text.find(['\n', '\t']) {
        let character = if text[at..].starts_with('\n') { '\n' } else { '\t' };
        let finding = Finding { at, character, reason: Reason::Control, replacement: None };
        let mut one = report(place, text, finding, utf16_len(&text[..at]));
        if let Some(character) = &mut one.character {
            character.count = 1;
        }
        all.push(one);
    }
}

fn report(place: &str, text: &str, finding: Finding, offset: u32) -> Unreleasable {
    let Finding { at, character, reason, replacement } = finding;
    let before: Vec<char> =
        text[..at].chars().rev().take_while(|c| *c != '\n').take(CONTEXT_CHARS).collect();
    let behind = text[at + character.len_utf8()..].chars().take_while(|c| *c != '\n');
    let found = FoundCharacter {
        reason,
        name: name(character).map(str::to_owned),
        offset,
        count: 0,
        // The context leaves hidden characters out, so that they can't change the page that shows it.
        before: visible_part(&before.into_iter().rev().collect::<String>()).into_owned(),
        after: visible_part(&behind.take(CONTEXT_CHARS).collect::<String>()).into_owned(),
    };
    Unreleasable {
        character: Some(found),
        cleanable: replacement.is_some(),
        ..Unreleasable::new(place, UnreleasableKind::Character, &CodePoint(character).to_string())
    }
}

impl Unreleasable {
    /// Returns the unreleasable content of a person's name. `place` is `people/{id}`.
    #[must_use]
    pub fn in_name(place: &str, text: &str) -> Vec<Self> {
        let mut all = Self::in_text(place, text);
        if mixes_scripts(text) {
            all.push(Self::new(place, UnreleasableKind::Name, text));
        }
        all
    }

    /// Returns the unreleasable content of a text outside a document, such as a plan's title.
    #[must_use]
    pub fn in_text(place: &str, text: &str) -> Vec<Self> {
        let mut all = Vec::new();
        words(place, text, 0, &mut all);
        all
    }
}
