//! Copies of a document, whose text is read while the document changes. Reading the text of a long document takes several
//! times as long as copying it, so a room only copies it.

use super::DocumentState;
use super::checkpoint::integrated;
use super::commands::release_of;
use crate::StateVector;
use crate::ids::DocumentId;
use crate::model::content::Content;
use crate::release::canonical::{Identity, Released};
use crate::release::unreleasable::{Unreleasable, outside_template};
use crate::update::{ScanError, StructIndex, scan};
use yrs::Doc;

/// A copy of a document at one moment, in its encoded form.
#[derive(Debug)]
pub struct TextCopy {
    encoded: Vec<u8>,
    /// The identity of the release that the text would become.
    identity: Identity,
    /// The unreleasable content outside the template.
    outside: Vec<Unreleasable>,
}

impl DocumentState {
    /// Copies the document.
    #[must_use]
    pub fn copy_text(&self, document: &DocumentId) -> TextCopy {
        TextCopy {
            encoded: self.encode_since(&StateVector::default()),
            identity: self.next_identity(document),
            outside: outside_template(&self.basis.index),
        }
    }
}

impl TextCopy {
    /// Reads the text, milestones and dates.
    ///
    /// # Errors
    /// Returns an error if the copy can't be read, which would be a fault of this program.
    pub fn content(&self) -> Result<Content, ScanError> {
        Ok(Content::read(&self.open()?))
    }

    /// Reads the release that the text would become, and the content that nobody may sign.
    ///
    /// # Errors
    /// Returns the errors of [`content`](Self::content).
    pub fn release(&self) -> Result<(Released, Vec<Unreleasable>), ScanError> {
        Ok(release_of(&self.open()?, self.identity.clone(), self.outside.clone()))
    }

    fn open(&self) -> Result<Doc, ScanError> {
        let scan = scan(&self.encoded)?;
        let order = StructIndex::default().reorder(&scan);
        order.and_then(|order| integrated(&self.encoded, &scan, &order)).ok_or(ScanError::Pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib0::Write;
    use crate::model::delta::Op;
    use crate::model::{Replica, Target};
    use crate::state::costs::{actor, empty};

    #[test]
    fn a_copy_is_read_as_the_document_is() {
        let mut state = empty();
        // More clients than yrs integrates at once, each of which writes before the words of the one before.
        for client in 1..=300 {
            let mut replica = Replica::new(client);
            replica.apply(&state.encode_since(&StateVector::default())).unwrap();
            let words = if client == 7 { "hidden\u{200b}" } else { "words " };
            replica.edit(&Target::field("problem"), &[Op::text(words)]);
            for update in replica.take_made() {
                state.edit(&actor(), 9, [1; 16], &update).unwrap();
            }
        }
        // A letter in a text that the template does not have.
        let mut outside = vec![1, 1];
        outside.put_var(1_000);
        outside.extend([0, 4, 1]);
        outside.put_buf(b"elsewhere");
        outside.put_buf(b"x");
        outside.push(0);
        state.edit(&actor(), 9, [1; 16], &outside).unwrap();
        let document = DocumentId::new("d");
        let copy = state.copy_text(&document);
        assert_eq!(copy.content().unwrap(), Content::read(state.doc()));
        let (release, unreleasable) = copy.release().unwrap();
        assert_eq!((release, unreleasable.clone()), state.read_release(&document));
        assert_eq!(unreleasable.len(), 2, "{unreleasable:?}");
    }
}
