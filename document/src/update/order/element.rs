//! The elements of an order: their identities, the runs that they form, and the containers that hold them.

use super::super::scan::Id;
use std::sync::Arc;

pub(crate) type RunIndex = u32;

pub(crate) type LineIndex = u32;

pub(crate) const NONE: u32 = u32::MAX;

/// An element's identity, with the client as a number of ours: half the width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompactId {
    pub(crate) client: u32,
    pub(crate) clock: u32,
}

pub(crate) const NO_ID: CompactId = CompactId { client: NONE, clock: NONE };

impl CompactId {
    /// The element so many behind this one of the same client.
    pub(crate) fn plus(self, offset: u32) -> Self {
        if self == NO_ID { NO_ID } else { Self { clock: self.clock + offset, ..self } }
    }
}

/// What is kept with a run beside its place.
pub(crate) trait RunPayload: Copy {
    /// What the elements from an offset on hold.
    fn cut(self, offset: u32) -> Self;

    /// Whether elements may be one run with those directly before them, which hold `self`.
    fn joins(self, next: Self) -> bool;
}

impl RunPayload for () {
    fn cut(self, _: u32) -> Self {}

    fn joins(self, (): Self) -> bool {
        true
    }
}

/// Elements of one client that follow each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ItemRun<T> {
    pub(crate) name: CompactId,
    pub(crate) len: u32,
    pub(crate) origin: CompactId,
    pub(crate) right_origin: CompactId,
    pub(crate) line: LineIndex,
    pub(crate) left: RunIndex,
    pub(crate) right: RunIndex,
    pub(crate) held: T,
}

/// Where elements stand in order: in a text, or one after the other under a key of a map.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Container {
    pub(crate) parent: Holder,
    pub(crate) key: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    Root(Arc<str>),
    /// The shared type that an element made.
    Nested(Id),
}
