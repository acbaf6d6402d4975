//! The reasons why a file can't be imported.

use crate::limits::{Excess, MAX_CHARACTERS};
use serde::{Deserialize, Serialize};

/// The reason why a file can't be imported. Each message is written for the person who sent the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ImportError {
    /// The file is neither Word nor Markdown.
    #[error(
        "This is neither a Word document (.docx) nor Markdown (.md). Save it as one of these, and try again."
    )]
    Kind,
    /// The file is damaged. The string says what is wrong with it.
    #[error("The file is damaged, or it is not a Word document: {0}.")]
    Damaged(String),
    /// The text is longer than a commitment is allowed to be.
    #[error(
        "The text is too long: at most {MAX_CHARACTERS} characters can be imported. Split the file, and try again."
    )]
    Long,
    /// The file contains more of something than an import reads.
    #[error("The file has more than {0}. Split it, or save it in a simpler form, and try again.")]
    Much(Excess),
    /// The file contains no text.
    #[error("There is no text in this file.")]
    Empty,
}
