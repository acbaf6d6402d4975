//! Why a file can't be imported.

use crate::limits::{Excess, MAX_CHARACTERS};
use serde::{Deserialize, Serialize};

/// Why a file can't be imported. Each is a sentence for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ImportError {
    #[error(
        "This is neither a Word document (.docx) nor Markdown (.md). Save it as one of these, and try again."
    )]
    Kind,
    #[error("The file is damaged, or no Word document: {0}.")]
    Damaged(String),
    #[error(
        "The text is too long: at most {MAX_CHARACTERS} characters can be imported. Split the file, and try again."
    )]
    Long,
    #[error("The file has more than {0}. Split it or save it in a simpler form, and try again.")]
    Much(Excess),
    #[error("There is no text in this file.")]
    Empty,
}
