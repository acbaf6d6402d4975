//! The installation's keys, in its data folder: the private key that signs now, and the public keys of this and all
//! earlier private keys.
//!
//! Only the server's user can read `keys/signing.key`. `keys/published.txt` contains every public key, one on each line
//! and the newest last, so that notes signed with an older key stay verifiable.

use super::note::{PrivateKey, PublicKey};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The name of the folder with the keys, in the data folder.
pub const FOLDER: &str = "keys";
const SIGNING: &str = "signing.key";
const PUBLISHED: &str = "published.txt";

/// The reason why the keys can't be read or made. Its message is for the operator.
#[derive(Debug, Error)]
pub enum KeyError {
    /// A file of keys can't be read or written, contains no key, or can be read by others than its owner.
    #[error("the key in {} can't be used: {reason}", .path.display())]
    Unusable {
        /// The path of the file.
        path: PathBuf,
        /// What is wrong with the file, in words that fit after a colon.
        reason: String,
    },
    /// Public keys were published before, but the private key is missing. Contains the path at which the private key
    /// was looked for.
    #[error("the key that signs releases is missing from {}: restore it from a backup, or make a new one with `accord rotate-key`", .0.display())]
    Missing(PathBuf),
}

/// The private key that signs releases, and all published keys.
#[derive(Debug)]
pub struct Keys {
    signing: PrivateKey,
    published: Vec<PublicKey>,
}

impl Keys {
    /// Reads the keys in the data folder. If there are none yet, makes a key that is called `name`. Blocks.
    ///
    /// # Errors
    /// Returns an error if the keys can't be read or written, if others than the server's user can read the private
    /// key, or if the private key is missing although keys were published.
    pub fn open(data: &Path, name: &str) -> Result<Self, KeyError> {
        let folder = data.join(FOLDER);
        let (path, list) = (folder.join(SIGNING), folder.join(PUBLISHED));
        let published = read_list(&list)?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A key was published before. A new one made without notice would look like somebody else's.
                if !published.is_empty() {
                    return Err(KeyError::Missing(path));
                }
                return make(&folder, name, published);
            }
            Err(error) => return Err(unusable(&path, &error)),
        };
        let mode =
            fs::metadata(&path).map_err(|error| unusable(&path, &error))?.permissions().mode();
        if mode & 0o077 != 0 {
            let reason = "other users can read it: run chmod 600 on it, and if anybody might have read it, make a new key with `accord rotate-key`";
            return Err(unusable(&path, &reason));
        }
        let signing = PrivateKey::read(&text).map_err(|error| unusable(&path, &error))?;
        if published.contains(signing.public()) {
            return Ok(Self { signing, published });
        }
        // The server stopped after it had written the private key, and before it published the public one.
        publish(&list, signing.public())?;
        Ok(Self { published: read_list(&list)?, signing })
    }

    /// Makes a new key, which signs from the next start of the server on. The old private key is overwritten, and its
    /// public key stays published. Without a `name`, the new key gets the name of the old one. Blocks.
    ///
    /// # Errors
    /// Returns an error if the key can't be written, or if the published keys can't be read.
    pub fn rotate(data: &Path, name: Option<&str>) -> Result<Self, KeyError> {
        let folder = data.join(FOLDER);
        let published = read_list(&folder.join(PUBLISHED))?;
        let before = fs::read_to_string(folder.join(SIGNING)).ok();
        let before = before.and_then(|text| PrivateKey::read(&text).ok());
        let kept = before.as_ref().map(PrivateKey::public).or(published.last());
        let name = name.map(str::to_owned).or(kept.map(|key| key.name().to_owned()));
        make(&folder, &name.unwrap_or_default(), published)
    }

    /// Returns the private key with which new releases are signed.
    #[must_use]
    pub fn signing(&self) -> &PrivateKey {
        &self.signing
    }

    /// Returns all public keys. The key that signs now is the last.
    #[must_use]
    pub fn published(&self) -> &[PublicKey] {
        &self.published
    }
}

fn make(folder: &Path, name: &str, mut published: Vec<PublicKey>) -> Result<Keys, KeyError> {
    let path = folder.join(SIGNING);
    let signing = PrivateKey::new(name, rand::random());
    let write = || {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let fresh = folder.join("signing.key.new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        writeln!(file, "{}", signing.secret())?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|error: io::Error| unusable(&path, &error))?;
    publish(&folder.join(PUBLISHED), signing.public())?;
    published.push(signing.public().clone());
    Ok(Keys { signing, published })
}

fn publish(list: &Path, key: &PublicKey) -> Result<(), KeyError> {
    let write = || {
        let mut file = OpenOptions::new().append(true).create(true).mode(0o644).open(list)?;
        writeln!(file, "{key}")?;
        file.sync_all()
    };
    write().map_err(|error: io::Error| unusable(list, &error))
}

fn read_list(path: &Path) -> Result<Vec<PublicKey>, KeyError> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            lines.map(|line| line.parse().map_err(|error| unusable(path, &error))).collect()
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(unusable(path, &error)),
    }
}

fn unusable(path: &Path, reason: &dyn std::fmt::Display) -> KeyError {
    KeyError::Unusable { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_kept_to_its_owner_and_rotated_without_forgetting() {
        let data = tempfile::tempdir().unwrap();
        let first = Keys::open(data.path(), "accord.example.org").unwrap();
        let again = Keys::open(data.path(), "elsewhere.example.org").unwrap();
        assert_eq!(again.signing.public(), first.signing.public());
        let path = data.path().join(FOLDER).join(SIGNING);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777,
            0o700
        );
        let rotated = Keys::rotate(data.path(), None).unwrap();
        assert_ne!(rotated.signing.public(), first.signing.public());
        let opened = Keys::open(data.path(), "").unwrap();
        assert_eq!(opened.signing.public(), rotated.signing.public());
        assert_eq!(
            opened.published,
            [first.signing.public().clone(), rotated.signing.public().clone()]
        );
        assert_eq!(opened.signing.public().name(), "accord.example.org");
    }

    #[test]
    fn a_key_that_others_can_read_is_not_used_and_a_lost_one_is_not_replaced_in_silence() {
        let data = tempfile::tempdir().unwrap();
        Keys::open(data.path(), "a").unwrap();
        let path = data.path().join(FOLDER).join(SIGNING);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Keys::open(data.path(), "a"), Err(KeyError::Unusable { .. })));
        fs::remove_file(&path).unwrap();
        assert!(matches!(Keys::open(data.path(), "a"), Err(KeyError::Missing(_))));
        Keys::rotate(data.path(), None).unwrap();
        assert_eq!(Keys::open(data.path(), "a").unwrap().published.len(), 2);
    }
}
