//! Random secrets and ids, and the digests under which secrets are stored.

use accord_document::ids::Digest;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest as _, Sha256};

/// Creates a secret of 256 random bits, encoded in base64url.
#[must_use]
pub(crate) fn secret() -> String {
    BASE64URL_NOPAD.encode(&rand::random::<[u8; 32]>())
}

/// Creates an id of 80 random bits, encoded in hexadecimal.
#[must_use]
pub(crate) fn fresh_id() -> String {
    HEXLOWER.encode(&rand::random::<[u8; 10]>())
}

/// Returns the SHA-256 digest under which a secret is stored.
#[must_use]
pub(crate) fn digest(secret: &str) -> Digest {
    Digest(Sha256::digest(secret.as_bytes()).into())
}

/// Returns the [`digest`] of a secret as text, which is the key of the secret's record.
pub(super) fn hash(secret: &str) -> String {
    digest(secret).to_string()
}
