//! Signed notes in the format of <https://c2sp.org/signed-note>: a text, followed by one line for each signature.
//!
//! ```text
//! note = text "\n" "— " name " " base64(key id:4 ‖ signature:64) "\n"
//! public key = name "+" key id:hex "+" base64(1:u8 ‖ key:32)
//! key id = the first 4 bytes of SHA-256(name ‖ "\n" ‖ 1:u8 ‖ key)
//! ```

use accord_document::readable::is_unseen;
use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The number of Ed25519 in the format's list of algorithms.
const ED25519: u8 = 1;

/// Maximum number of signatures of a note, as the format sets it.
const MAX_SIGNATURES: usize = 100;

/// The separator between the text and its signatures, with the beginning of the first signature.
const BETWEEN: &str = "\n\n— ";

/// The error for a text that is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this is not a key: a key looks like accord.example.org+5a6b7c8d+AQ…")]
pub struct InvalidKey;

/// The reason why a note is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteError {
    /// The text does not have the form of a signed note.
    #[error("it is not a signed note")]
    Malformed,
    /// The note is not signed with the key that verifies it. Contains the names and ids of the keys that signed the
    /// note.
    #[error("it is signed with another key: {0}")]
    OtherKeys(String),
    /// The note has a signature by the key, but the signature does not match the text.
    #[error("its signature does not match its text")]
    Forged,
}

/// A public key, with the name of the installation that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: VerifyingKey,
}

impl PublicKey {
    /// Returns the name of the installation that the key belongs to.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name and the id of the key as `name+id`, by which a signature names its key.
    #[must_use]
    pub fn short(&self) -> String {
        format!("{}+{:08x}", self.name, u32::from_be_bytes(self.id()))
    }

    fn id(&self) -> [u8; 4] {
        let mut hasher = Sha256::new();
        hasher.update(&self.name);
        hasher.update([b'\n', ED25519]);
        hasher.update(self.key.as_bytes());
        let hash = hasher.finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Verifies a note with this key, and returns its text.
    ///
    /// # Errors
    /// Returns an error if `note` is not a signed note, is not signed with this key, or does not match its signature.
    pub fn open<'n>(&self, note: &'n str) -> Result<&'n str, NoteError> {
        let note = Note::read(note)?;
        let is_own = |line: &&SignatureLine| line.name == self.name && line.id == self.id();
        let Some(own) = note.signatures.iter().find(is_own) else {
            let others: Vec<_> = note.signatures.iter().map(SignatureLine::short).collect();
            return Err(NoteError::OtherKeys(others.join(", ")));
        };
        let signature = Signature::from_slice(&own.signature).map_err(|_| NoteError::Malformed)?;
        let is_genuine = self.key.verify_strict(note.text.as_bytes(), &signature).is_ok();
        if is_genuine { Ok(note.text) } else { Err(NoteError::Forged) }
    }
}

/// A note split into its text and its signatures. Every line below the text must be a signature, but can be a signature
/// by an unknown key.
#[derive(Debug)]
pub struct Note<'n> {
    /// The signed text, with the newline at its end.
    pub text: &'n str,
    /// The signatures below the text.
    pub signatures: Vec<SignatureLine<'n>>,
}

/// One signature of a note.
#[derive(Debug)]
pub struct SignatureLine<'n> {
    name: &'n str,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl SignatureLine<'_> {
    /// Returns the name and the id of the key that the signature claims to be made with, as `name+id`.
    fn short(&self) -> String {
        format!("{}+{:08x}", self.name, u32::from_be_bytes(self.id))
    }
}

impl<'n> Note<'n> {
    /// Splits a note into its text and its signatures. The signatures are not verified.
    ///
    /// # Errors
    /// Returns an error if the text is not a signed note.
    pub fn read(note: &'n str) -> Result<Self, NoteError> {
        // The format allows no character below U+0020 except the newline.
        if note.contains(|c: char| c < ' ' && c != '\n') {
            return Err(NoteError::Malformed);
        }
        let at = note.rfind(BETWEEN).ok_or(NoteError::Malformed)?;
        let (text, lines) = (&note[..=at], &note[at + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let signatures = lines.split('\n').take(MAX_SIGNATURES + 1).map(SignatureLine::read);
        let signatures = signatures.collect::<Option<Vec<_>>>().ok_or(NoteError::Malformed)?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Malformed);
        }
        Ok(Self { text, signatures })
    }
}

impl<'n> SignatureLine<'n> {
    fn read(line: &'n str) -> Option<Self> {
        let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = BASE64.decode(signature.as_bytes()).ok()?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        let is_possible = is_name(name) && !name.contains('+') && !signature.is_empty();
        is_possible.then(|| Self { name, id: *id, signature: signature.to_vec() })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{}", self.short(), BASE64.encode(&key))
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidKey);
        };
        let bytes = BASE64.decode(key.as_bytes()).map_err(|_| InvalidKey)?;
        let Some((&ED25519, bytes)) = bytes.split_first() else { return Err(InvalidKey) };
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| InvalidKey)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| InvalidKey)?;
        let found = Self { name: name.to_owned(), key };
        let is_whole = is_name(name) && found.short() == format!("{name}+{id}");
        if is_whole { Ok(found) } else { Err(InvalidKey) }
    }
}

/// A private key, which signs notes. Its text form is that of <https://pkg.go.dev/golang.org/x/mod/sumdb/note>:
/// `PRIVATE+KEY+name+id+base64(1:u8 ‖ seed:32)`.
pub struct PrivateKey {
    public: PublicKey,
    key: SigningKey,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public.short())
    }
}

impl PrivateKey {
    /// Makes a private key from `seed`, which must be 32 random bytes. Characters that a name must not contain are
    /// removed from `name`, and an empty name becomes `accord`.
    #[must_use]
    pub fn new(name: &str, seed: [u8; 32]) -> Self {
        let fit = |c: &char| !c.is_whitespace() && !is_unseen(*c) && *c != '+';
        let name: String = name.chars().filter(fit).collect();
        let name = if name.is_empty() { "accord".to_owned() } else { name };
        let key = SigningKey::from_bytes(&seed);
        Self { public: PublicKey { name, key: key.verifying_key() }, key }
    }

    /// Returns the public key, which others need to check signatures.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Returns a signed note with this text. The text must end with a newline.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes());
        let bytes = [self.public.id().as_slice(), &signature.to_bytes()].concat();
        format!("{text}\n— {} {}\n", self.public.name, BASE64.encode(&bytes))
    }

    /// Returns the key as it is stored. Anybody who has this text can sign in the installation's name.
    #[must_use]
    pub fn secret(&self) -> String {
        let key = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        format!("PRIVATE+KEY+{}+{}", self.public.short(), BASE64.encode(&key))
    }

    /// Reads a key from the text that [`secret`](Self::secret) returned.
    ///
    /// # Errors
    /// Returns an error if the text is not a private key.
    pub fn read(text: &str) -> Result<Self, InvalidKey> {
        let rest = text.trim().strip_prefix("PRIVATE+KEY+").ok_or(InvalidKey)?;
        // Only the first two plus signs separate parts, because Base64 contains plus signs as well.
        let mut parts = rest.splitn(3, '+');
        let (name, id, key) = match (parts.next(), parts.next(), parts.next()) {
            (Some(name), Some(id), Some(key)) => (name, id, key),
            _ => return Err(InvalidKey),
        };
        let bytes = BASE64.decode(key.as_bytes()).map_err(|_| InvalidKey)?;
        let Some((&ED25519, bytes)) = bytes.split_first() else { return Err(InvalidKey) };
        let found = Self::new(name, bytes.try_into().map_err(|_| InvalidKey)?);
        if found.public.short() == format!("{name}+{id}") { Ok(found) } else { Err(InvalidKey) }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || is_unseen(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key and a note made by the reference implementation (the example in the documentation of
    /// golang.org/x/mod/sumdb/note).
    const PETER: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const PETER_PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const SIGNED: &str = "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn keys_and_notes_are_those_of_the_reference_implementation() {
        let private = PrivateKey::read(PETER).unwrap();
        assert_eq!(private.secret(), PETER);
        assert_eq!(private.public().to_string(), PETER_PUBLIC);
        assert_eq!(private.sign(TEXT), format!("{TEXT}{SIGNED}"));
        let public: PublicKey = PETER_PUBLIC.parse().unwrap();
        assert_eq!(public.open(&format!("{TEXT}{SIGNED}")), Ok(TEXT));
    }

    #[test]
    fn any_changed_character_of_a_note_is_found() {
        let public: PublicKey = PETER_PUBLIC.parse().unwrap();
        let note = format!("{TEXT}{SIGNED}");
        for (at, old) in note.char_indices() {
            let changed = if old == 'x' { 'y' } else { 'x' };
            let forged = format!("{}{changed}{}", &note[..at], &note[at + old.len_utf8()..]);
            assert!(public.open(&forged).is_err(), "{forged}");
        }
        assert!(public.open(TEXT).is_err());
        let other = PrivateKey::new("PeterNeumann", [7; 32]);
        assert!(matches!(other.public().open(&note), Err(NoteError::OtherKeys(_))));
    }

    #[test]
    fn every_line_under_a_note_must_be_a_signature() {
        let public: PublicKey = PETER_PUBLIC.parse().unwrap();
        let other = PrivateKey::new("witness.example", [7; 32]).sign(TEXT);
        let second =
            other.rsplit_once('\n').and_then(|(head, _)| head.rsplit_once('\n')).unwrap().1;
        let note = format!("{TEXT}{SIGNED}");
        assert_eq!(public.open(&format!("{note}{second}\n")), Ok(TEXT));
        for more in ["— witness AAAA\n", "Signed by everybody\n", "\n", "— a b\n"] {
            assert_eq!(public.open(&format!("{note}{more}")), Err(NoteError::Malformed), "{more}");
        }
        let many = format!("{second}\n").repeat(MAX_SIGNATURES);
        assert_eq!(public.open(&format!("{note}{many}")), Err(NoteError::Malformed));
        assert_eq!(public.open(&format!("a\u{1b}{note}")), Err(NoteError::Malformed));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "a+b+c",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+AR",
            "Peter\u{1b}[2J+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        ] {
            assert_eq!(text.parse::<PublicKey>(), Err(InvalidKey), "{text}");
        }
        assert!(PrivateKey::read(PETER_PUBLIC).is_err());
        assert_eq!(PrivateKey::new("a +b", [1; 32]).public().name, "ab");
    }
}
