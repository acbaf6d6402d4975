//! Child processes of the same binary, for work that strangers' texts and files could make expensive: typesetting files
//! and reading imports. A child gets one job on its standard input, writes the answer to its standard output, and ends.
//!
//! - [`pipe_message`] defines the messages between the two sides. They are bounded, and neither side trusts the other.
//! - [`limits`] sets the limits of a child before it reads anything.
//! - [`child`] is the child's side, [`pool`] the server's.
//!
//! This module does not decide who is allowed to start a job. [`crate::fair_queue`] does.

mod child;
mod limits;
mod pipe_message;
mod pool;

pub use child::run;
pub(crate) use pipe_message::{Answer, Job, MAX_JOB_BYTES};
pub(crate) use pool::{Ending, WorkError, Workers};
