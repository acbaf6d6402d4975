//! The elements of an order: their identities, the runs that they form, and the containers that hold them.

use super::super::scan::Id;
use std::sync::Arc;

/// The index of a run, or [`NONE`].
pub(crate) type RunIndex = u32;
/// The index of a container in the list of containers of its [`Order`](super::Order).
pub(crate) type ContainerIndex = u32;

/// The value that means “no run”, “no client” or “no clock”.
pub(crate) const NONE: u32 = u32::MAX;

/// The identity of an element, with its client as an index into the clients of its [`Order`](super::Order). A compact
/// id takes half the bytes of an [`Id`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompactId {
    pub(crate) client: u32,
    pub(crate) clock: u32,
}

/// The id that means “no element”.
pub(crate) const NO_ID: CompactId = CompactId { client: NONE, clock: NONE };

impl CompactId {
    /// Returns the id of the same client's element `offset` clocks later.
    pub(crate) fn plus(self, offset: u32) -> Self {
        if self == NO_ID { NO_ID } else { Self { clock: self.clock + offset, ..self } }
    }
}

/// Data that an order stores with each run.
pub(crate) trait RunPayload: Copy {
    /// Returns the payload of a run's elements from an offset on, for the second run of a split.
    fn cut(self, offset: u32) -> Self;

    /// Returns whether elements with the payload `next` can join a run with the payload `self` directly before them.
    fn joins(self, next: Self) -> bool;
}

impl RunPayload for () {
    fn cut(self, _: u32) -> Self {}

    fn joins(self, (): Self) -> bool {
        true
    }
}

/// Consecutive elements of one client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ItemRun<T> {
    /// The id of the first element.
    pub(crate) id: CompactId,
    pub(crate) len: u32,
    pub(crate) origin: CompactId,
    pub(crate) right_origin: CompactId,
    pub(crate) container: ContainerIndex,
    pub(crate) left: RunIndex,
    pub(crate) right: RunIndex,
    /// The data that the order stores with the run.
    pub(crate) held: T,
}

/// A sequence of elements: a text, which has no key, or the values of one key of a map.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Container {
    pub(crate) parent: Holder,
    pub(crate) key: Option<Arc<str>>,
}

/// The shared type that a container belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// A root type, by its name.
    Root(Arc<str>),
    /// The shared type that an element created.
    Nested(Id),
}
