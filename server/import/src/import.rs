//! Makes a commitment from the bytes of a file.

use crate::budget::at_most;
use crate::error::ImportError;
use crate::found::{Found, Paragraph};
use crate::limits::{Excess, MAX_MARKDOWN_BYTES, MAX_MARKUP_CHARACTERS};
use crate::place::{Placed, place};
use crate::{docx_reader, markdown_reader};

/// Makes a commitment from a file. The extension of `name` selects the format, and `language` (BCP 47) is the language
/// of the text.
///
/// # Errors
/// Returns an error if the file is not Word or Markdown, is damaged, contains no text, or exceeds a limit.
pub(crate) fn import(name: &str, bytes: &[u8], language: &str) -> Result<Placed, ImportError> {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let findings = match extension.to_ascii_lowercase().as_str() {
        "docx" => docx_reader::read(bytes)?,
        "md" | "markdown" | "txt" => {
            at_most(bytes.len(), MAX_MARKDOWN_BYTES, Excess::MarkdownBytes)?;
            let text = std::str::from_utf8(bytes).map_err(|_| ImportError::Kind)?;
            let markup = text.bytes().filter(|byte| b"\\`*_[]<>&#~|!\n".contains(byte)).count();
            at_most(markup, MAX_MARKUP_CHARACTERS, Excess::MarkupCharacters)?;
            markdown_reader::read(text.trim_start_matches('\u{feff}'))?
        }
        _ => return Err(ImportError::Kind),
    };
    let says = |paragraph: &Paragraph| paragraph.pieces.iter().any(|piece| !piece.text.is_empty());
    let is_said = findings.all.iter().any(|found| match found {
        Found::Paragraph(one) | Found::OutsideText(one) => says(one),
        Found::Table(rows) => rows.iter().flatten().flatten().any(says),
    });
    if is_said { place(findings, stem, language) } else { Err(ImportError::Empty) }
}
