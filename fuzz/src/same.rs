//! Compares two states of a document. Estimates of size and cost are left out, because they depend on when they were
//! measured.

use accord_document::model::content::Content;
use accord_document::state::DocumentState;

/// Checks that two states have applied the same ledger with the same outcome.
///
/// # Panics
/// Panics with `how` if they have not.
pub(crate) fn assert_same(one: &DocumentState, other: &DocumentState, how: &str) {
    assert!(!one.is_broken() && !other.is_broken(), "{how}");
    assert_eq!(one.position(), other.position(), "{how}");
    assert_eq!(one.state_vector(), other.state_vector(), "{how}");
    assert_eq!(Content::read(one.doc()), Content::read(other.doc()), "{how}");
    assert_eq!(one.releases(), other.releases(), "{how}");
    assert_eq!(one.versions(), other.versions(), "{how}");
    assert_eq!(one.draft_start(), other.draft_start(), "{how}");
    assert_eq!(one.check_blanked(), other.check_blanked(), "{how}");
}
