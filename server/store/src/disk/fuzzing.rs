//! The witness file in memory, for fuzz targets.

use super::witness::{Witness, entry_hash};

/// Reads the bytes of a witness file. Returns the bytes that are written for what was read, or `None` if the file is not
/// as it was written.
#[must_use]
pub fn witness_of(file: &[u8]) -> Option<Vec<u8>> {
    Witness::unseal(file).map(|witness| witness.seal())
}

/// Returns content with the digest that belongs to it, as a witness file has both.
#[must_use]
pub fn seal_witness(content: &[u8]) -> Vec<u8> {
    [content, &entry_hash(content)].concat()
}
