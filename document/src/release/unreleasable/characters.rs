//! Finds the characters of a text that readers do not see as they are, and describes each so that a person finds it in
//! the text.

use super::finding::{FoundCharacter, Unreleasable, UnreleasableKind};
use crate::model::delta::utf16_len;
use crate::readable::{
    CodePoint, Finding, Reason, findings, mixes_scripts, name, seen_of, turned_numbers,
};
use std::collections::BTreeMap;

/// Maximum number of characters that are reported before and after a found one.
const CONTEXT_CHARS: usize = 24;

/// Adds to `all`, once each, the different characters of `said` that readers do not see as they are. `offset` is the
/// start of `said` within its text, in UTF-16 code units.
pub(super) fn words(place: &str, said: &str, offset: u32, all: &mut Vec<Unreleasable>) {
    let mut found: BTreeMap<char, Unreleasable> = BTreeMap::new();
    let (mut upto, mut units) = (0, offset);
    for finding in findings(said) {
        units += utf16_len(&said[upto..finding.at]);
        upto = finding.at;
        let known =
            found.entry(finding.character).or_insert_with(|| tell(place, said, finding, units));
        if let Some(character) = &mut known.character {
            character.count += 1;
        }
    }
    all.extend(found.into_values());
    turned(place, said, offset, all);
}

/// Adds the first number that is shown before a number written earlier, with the count of all such numbers.
fn turned(place: &str, said: &str, offset: u32, all: &mut Vec<Unreleasable>) {
    let numbers = turned_numbers(said);
    let Some((&at, character)) =
        numbers.first().and_then(|at| Some((at, said[*at..].chars().next()?)))
    else {
        return;
    };
    let finding = Finding { at, character, reason: Reason::Turned, replacement: None };
    let mut one = tell(place, said, finding, offset + utf16_len(&said[..at]));
    if let Some(character) = &mut one.character {
        character.count = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    }
    all.push(one);
}

/// Checks a value that must be a single line. The first newline or tab in it is listed as well, because some files show
/// the text after it and others do not.
pub(super) fn line(place: &str, said: &str, all: &mut Vec<Unreleasable>) {
    words(place, said, 0, all);
    if let Some(at) = said.find(['\n', '\t']) {
        let character = if said[at..].starts_with('\n') { '\n' } else { '\t' };
        let finding = Finding { at, character, reason: Reason::Control, replacement: None };
        let mut one = tell(place, said, finding, utf16_len(&said[..at]));
        if let Some(character) = &mut one.character {
            character.count = 1;
        }
        all.push(one);
    }
}

fn tell(place: &str, said: &str, finding: Finding, offset: u32) -> Unreleasable {
    let Finding { at, character, reason, replacement } = finding;
    let before: Vec<char> =
        said[..at].chars().rev().take_while(|c| *c != '\n').take(CONTEXT_CHARS).collect();
    let behind = said[at + character.len_utf8()..].chars().take_while(|c| *c != '\n');
    let found = FoundCharacter {
        reason,
        name: name(character).map(str::to_owned),
        offset,
        count: 0,
        // The context leaves hidden characters out, so that they can't change the page that shows it.
        before: seen_of(&before.into_iter().rev().collect::<String>()).into_owned(),
        after: seen_of(&behind.take(CONTEXT_CHARS).collect::<String>()).into_owned(),
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
    pub fn in_name(place: &str, said: &str) -> Vec<Self> {
        let mut all = Self::in_text(place, said);
        if mixes_scripts(said) {
            all.push(Self::new(place, UnreleasableKind::Name, said));
        }
        all
    }

    /// Returns the unreleasable content of a text outside a document, such as a plan's title.
    #[must_use]
    pub fn in_text(place: &str, said: &str) -> Vec<Self> {
        let mut all = Vec::new();
        words(place, said, 0, &mut all);
        all
    }
}
