//! A text as files for other programs. Each is made from the same blocks as the pages are.

mod markdown;

pub(crate) use markdown::markdown;
