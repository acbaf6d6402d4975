//! The source of an update, and the maximum cost of integrating it.

use crate::limits;

/// The source of an update, which decides whether its cost is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A connection or a request sent the update. Its cost is limited, and it can't use client ids that others have
    /// announced.
    Sent(MaxCosts),
    /// The server made the update, to delete the elements of a redaction. Its cost is not limited, so that a document
    /// of any size can be redacted.
    Redaction,
    /// The ledger contains the update. The update was accepted once, so its cost is not limited. The limits that the scan
    /// and the check of the index enforce apply to it as well: those of nesting, clients and deleted ranges.
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

/// The maximum cost of integrating an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MaxCosts {
    /// Maximum number of structs in the update, after adjacent structs are merged.
    pub(super) structs: usize,
    /// Maximum number of items between the origins of new elements, for all new elements together (rule U9).
    pub(super) between: u64,
    /// Maximum cost of the splits that the update causes, in the units of rule U11. A unit takes at most 1 ns.
    pub(super) split_cost: u64,
}

impl MaxCosts {
    /// The limits of an update that is integrated as a whole.
    pub(super) const WHOLE: Self = Self {
        structs: limits::MAX_ITEMS_PER_UPDATE,
        between: limits::MAX_ITEMS_BETWEEN_ORIGINS,
        split_cost: limits::MAX_SPLIT_COST,
    };
    /// The limits of one struct or deleted range, which can't be cut: about 60 ms. A range of
    /// 33 million deleted elements, which years of work can leave, costs half of this.
    pub(super) const STEP: Self =
        Self { split_cost: 8 * limits::MAX_SPLIT_COST_PER_TURN, ..Self::TURN };
    /// The limits of an update that is taken in parts, for all parts together: some seconds of work.
    pub(super) const IN_PARTS: Self = Self { split_cost: 1 << 31, ..Self::WHOLE };
    /// The limits of one turn (rule C8).
    pub(super) const TURN: Self = Self {
        structs: limits::MAX_STEPS_PER_TURN,
        between: limits::MAX_ITEMS_BETWEEN_ORIGINS_PER_TURN,
        split_cost: limits::MAX_SPLIT_COST_PER_TURN,
    };
}
