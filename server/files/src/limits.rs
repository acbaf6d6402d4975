//! Limits that several modules share. The limits of a single module are in that module.

/// Maximum number of characters in a PDF. A child process can set 400,000 characters of any script, written in paragraphs,
/// within its limits of time and memory.
pub(crate) const MAX_PDF_CHARACTERS: usize = 600_000;
