//! Limits that several modules share. Those of one module are in it.

/// The most characters of a PDF. 400,000 of any script that is written in paragraphs are set within a child's limits.
pub(crate) const MAX_PDF_CHARACTERS: usize = 600_000;
