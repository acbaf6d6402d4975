//! Counts what is read from a text, and refuses a text that exceeds a limit.

use crate::error::ImportError;
use crate::limits::{
    Excess, MAX_CHARACTERS, MAX_ITEMS, MAX_MILESTONES, MAX_PARAGRAPHS, MAX_STRETCHES,
    MAX_TEXT_BYTES,
};
use accord_document::model::Draft;
use accord_document::model::attributes::Attributes;
use accord_document::model::delta::Op;

/// Returns an error if `count` is greater than `most`.
pub(super) fn at_most(count: usize, most: usize, excess: Excess) -> Result<(), ImportError> {
    if count > most { Err(ImportError::Much(excess)) } else { Ok(()) }
}

/// Checks that a document can be created from a draft with one update.
pub(super) fn draft(draft: &Draft) -> Result<(), ImportError> {
    at_most(draft.milestones.len(), MAX_MILESTONES, Excess::Milestones)?;
    let items = |ops: &Vec<Op>| -> usize { ops.iter().map(items).sum() };
    let in_texts: usize = draft.texts.iter().map(|(_, ops)| items(ops)).sum();
    let milestones = draft.milestones.iter();
    let in_milestones: usize =
        milestones.map(|one| items(&one.what) + items(&one.outputs) + items(&one.who)).sum();
    at_most(in_texts + in_milestones, MAX_ITEMS, Excess::Items)
}

/// Returns the number of Yjs items that a step of a Delta becomes.
fn items(op: &Op) -> usize {
    match op {
        Op::Insert { attributes, .. } | Op::Retain { attributes, .. } => 1 + 2 * attributes.len(),
        Op::Delete { .. } => 0,
    }
}

/// Counts of everything that was read from a text so far.
#[derive(Debug, Default)]
pub(super) struct TextBudget {
    characters: usize,
    bytes: usize,
    stretches: usize,
    paragraphs: usize,
}

impl TextBudget {
    /// Counts characters with the same formatting. `begins` is true if they begin a new stretch.
    pub(super) fn text(
        &mut self,
        text: &str,
        marks: &Attributes,
        begins: bool,
    ) -> Result<(), ImportError> {
        self.characters += text.chars().count();
        self.bytes += text.len();
        if begins {
            self.stretches += 1;
            self.bytes +=
                marks.iter().filter_map(|(_, value)| value.as_str()).map(str::len).sum::<usize>();
        }
        if self.characters > MAX_CHARACTERS {
            return Err(ImportError::Long);
        }
        at_most(self.bytes, MAX_TEXT_BYTES, Excess::TextBytes)?;
        at_most(self.stretches, MAX_STRETCHES, Excess::Stretches)
    }

    pub(super) fn paragraphs(&mut self, count: usize) -> Result<(), ImportError> {
        self.paragraphs += count;
        at_most(self.paragraphs, MAX_PARAGRAPHS, Excess::Paragraphs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_long_addresses_is_refused_by_the_name_of_their_limit() {
        let mut marks = Attributes::default();
        marks.insert("link", "a".repeat(MAX_TEXT_BYTES).into());
        let error = TextBudget::default().text("a", &marks, true).unwrap_err();
        assert_eq!(error, ImportError::Much(Excess::TextBytes));
        assert!(error.to_string().contains("8 MiB of text and addresses of links"), "{error}");
    }
}
