//! Where an update comes from, and what integrating it may cost.

use crate::limits;

/// The origin of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A connection sent it, or a request brought it: its costs are bounded, and it may not use ids that others have
    /// announced.
    Sent(MaxCosts),
    /// The server made it, to delete the elements of a redaction. It is never too costly, however large the document
    /// has grown.
    Redaction,
    /// The ledger holds it. It was accepted once, so it is applied whatever the limits are now.
    Stored,
}

impl Source {
    pub(super) fn max_costs(self) -> Option<MaxCosts> {
        match self {
            Self::Sent(max) => Some(max),
            Self::Redaction | Self::Stored => None,
        }
    }
}

/// What integrating an update may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MaxCosts {
    /// Structs, once adjacent ones are merged.
    pub(super) structs: usize,
    /// Items between the origins of new elements (rule U9).
    pub(super) between: u64,
    /// What splits move (rule U11).
    pub(super) moves: u64,
}

impl MaxCosts {
    /// Of an update that is taken whole.
    pub(super) const WHOLE: Self = Self {
        structs: limits::MAX_ITEMS_PER_UPDATE,
        between: limits::MAX_ITEMS_BETWEEN_ORIGINS,
        moves: limits::MAX_MOVED_UNITS,
    };
    /// Of one struct or deleted range, which can't be cut: some 80 ms.
    pub(super) const STEP: Self =
        Self { moves: 4 * limits::MAX_MOVED_UNITS_PER_TURN, ..Self::TURN };
    /// Of all parts of an update that is taken in turns: some seconds of work.
    pub(super) const IN_PARTS: Self = Self { moves: 1 << 31, ..Self::WHOLE };
    /// Of what is integrated before others have their turns again (rule C8).
    pub(super) const TURN: Self = Self {
        structs: limits::MAX_STEPS_PER_TURN,
        between: limits::MAX_ITEMS_BETWEEN_ORIGINS_PER_TURN,
        moves: limits::MAX_MOVED_UNITS_PER_TURN,
    };
}
