//! Limits that several modules share. The limits of a single module are in that module.

/// Maximum number of characters in a PDF. A longer text is refused before it is typeset. Within its memory, a child can
/// set 300,000 characters of any script that are written in paragraphs, and more of most scripts.
pub(crate) const MAX_PDF_CHARACTERS: usize = 600_000;
