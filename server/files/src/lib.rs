//! A commitment as files for other programs: PDF, Word, HTML and Markdown.
//!
//! - [`Paper`] is a release or a draft, ready to be written as any kind of file. Its text consists of the same blocks
//!   as the text of pages.
//! - [`Manuscript`] is a commitment with its changes since a moment, for a Word file with tracked changes.
//! - [`FileJob`] is the request to make one file, with all the input that this needs, in a form that can be sent to
//!   another process.
//! - [`Coverage`] tells whether the fonts have the characters of a text, without setting the text.
//!
//! This crate must not depend on routes, rooms, stores or processes, and it never reaches the network or the machine's
//! fonts. The caller bounds the time and memory of a job. The caller also renders HTML, because the caller has the
//! styles of its own pages.

#![warn(missing_docs)]

mod coverage;
mod docx_writer;
mod fonts;
mod glyphs;
mod job;
mod kind;
mod limits;
mod manuscript;
mod markdown_writer;
mod missing_glyphs;
mod origin;
mod paper;
mod pdf;
mod runs;
pub mod samples;

pub use coverage::Coverage;
pub use docx_writer::docx;
pub use job::{FileJob, JobOrigin};
pub use kind::FileKind;
pub use manuscript::Manuscript;
pub use markdown_writer::markdown;
pub use origin::{Origin, Publication};
pub use paper::{Check, Paper, Piece, Signature, Signed};
pub use pdf::{Press, PressError};
