//! Child processes of the same binary for what strangers' texts and files could make expensive: setting files and
//! reading imports. A child gets one job on its standard input, answers on its standard output, and ends.
//!
//! - [`frame`] is how both sides write to each other: bounded, never believed.
//! - [`limits`] is what a child takes from itself before it reads anything.
//! - [`child`] is the child's side, [`pool`] the server's.
//!
//! Nothing here decides who may start a job: that is [`crate::fair_queue`].

mod child;
mod frame;
mod limits;
mod pool;

pub use child::run;
pub(crate) use frame::{Answer, Job};
pub(crate) use pool::{Ending, WorkError, Workers};
