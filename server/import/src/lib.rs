//! Makes commitments from Word and Markdown files. [`docx_reader`] and [`markdown_reader`] find the parts of a file,
//! and [`place`] puts each part into the field where it belongs. No part of the text is left out: text without a field
//! goes into the notes.
//!
//! [`ImportJob`] is the request to read one file, and [`PlacedFile`] is its result, both in a form that can be sent to
//! another process. Files come from strangers, so [`limits`] bounds how much of a file is read, and everything in a
//! file is counted before anything is built from it.
//!
//! This crate must not depend on routes, rooms, stores or processes. The caller bounds the time and memory of a job.

#![warn(missing_docs)]

mod budget;
mod docx_reader;
mod error;
mod found;
mod import;
mod job;
mod limits;
mod markdown_reader;
mod names;
mod ops;
mod place;
mod xml;

pub use error::ImportError;
pub use job::{ImportJob, PlacedFile};
pub use limits::{Excess, MAX_IMPORT_BYTES};
pub use place::Placed;

#[cfg(test)]
mod tests;
