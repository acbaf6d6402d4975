//! Decides whether a Yjs update may be integrated, and determines what it adds to the document.
//!
//! yrs trusts its input: some short updates abort the process, and others silently discard or hide what somebody else
//! types. So no update may reach yrs before [`scan()`] has bounded it and [`StructIndex::check`] has located every
//! struct and deleted range.

mod announced;
mod blank;
mod causal_histories;
mod causality;
mod check;
mod claim;
mod codec;
mod deletions;
mod formatting;
mod index;
mod merge;
mod net;
pub(crate) mod order;
mod parts;
mod refusal;
mod scan;
mod scan_error;
mod splits;
mod values;
mod walk;

pub use announced::{AnnouncedClients, ClientIdClaim};
pub use blank::blank;
pub(crate) use formatting::Formatting;
pub(crate) use merge::merge;
pub(crate) use net::encoded_structs;
#[cfg(feature = "readable")]
pub(crate) use order::{Container, Holder};
pub(crate) use parts::{PartLimits, causal_parts, parts};
pub(crate) use splits::{ItemCounts, Splits};

pub use check::CheckedUpdate;
pub use claim::{
    Claim, MAX_CLAIMS, Provenance, claims_from, pasted, read_claims, reinstated, repeated,
    write_claims,
};
pub use deletions::put_deletions;
pub use index::StructIndex;
pub use parts::UpdatePart;
pub use refusal::Refusal;
pub use scan::{
    ClientStructs, Id, ItemContent, Parent, Range, Scan, Struct, StructBody, scan, shared_type,
};
pub use scan_error::ScanError;
