//! Whatever a document accepts, Yjs shows as Accord does.

use accord_tests::compare_with_yjs;
use anyhow::Result;

const CASES: u64 = 1_000;

/// Rules U4, U8, U9 and U14.
#[test]
fn yjs_shows_what_a_document_accepts_as_accord_does() -> Result<()> {
    let accepted = compare_with_yjs(0..CASES)?;
    assert!(accepted > 5_000, "only {accepted} updates were accepted");
    Ok(())
}
