//! Commitments from Word and Markdown files. [`docx`] and [`markdown`] find what a file says, and [`place`] puts each part
//! of it where it belongs. No part of the text is left out: what has no place goes to the notes.
//!
//! [`ImportJob`] is one file to be read, as it is handed to another process, and [`PlacedFile`] is the answer. Files come
//! from strangers: [`limits`] says how much of one is read, and all of it is counted before anything is built of it.
//!
//! Nothing in here knows routes, rooms, stores or processes. The caller bounds the time and memory of a job.

#![warn(missing_docs)]

mod budget;
mod docx;
mod error;
mod found;
mod import;
mod job;
mod limits;
mod markdown;
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
