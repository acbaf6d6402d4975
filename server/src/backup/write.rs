//! Writing a backup of an installation, also while its server runs.

use super::error::BackupError;
use super::format::Writer;
use super::read::{BackupContents, read};
use crate::signing::keys::FOLDER;
use crate::store::{Store, StoreError};
use accord_document::ids::{LedgerId, Seq};
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Writes everything into a new file, then reads it back and verifies every ledger in it. Blocks.
///
/// # Errors
/// Returns an error if the file already exists, or if something can't be read or written.
pub fn backup(store: &dyn Store, data: &Path, file: &Path) -> Result<BackupContents, BackupError> {
    let in_file = |error| BackupError::File { path: file.to_owned(), error };
    if file.exists() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    // Remove the file that an interrupted backup left. It could have other permissions, or be a link to another place.
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(in_file(error)),
        _ => {}
    }
    // Only the server's user can read the file, because it contains the signing key and the hashes of passwords.
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial);
    let mut out = Writer::new(opened.map_err(in_file)?).map_err(in_file)?;
    write_all(&mut out, store, data).map_err(|error| match error {
        Failure::Store(error) => error.into(),
        Failure::File(error) => in_file(error),
    })?;
    out.finish().map_err(in_file)?;
    let contents = read(&partial, |_| Ok(()))?;
    fs::rename(&partial, file).map_err(in_file)?;
    Ok(contents)
}

/// A failure while items are copied: either of the store or of the file.
enum Failure {
    Store(StoreError),
    File(io::Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// Writes all items. Plans come first and documents last, so that the file contains every document that a plan names.
fn write_all(out: &mut Writer, store: &dyn Store, data: &Path) -> Result<(), Failure> {
    let ledger = |out: &mut Writer, ledger: LedgerId| -> Result<(), Failure> {
        Ok(out.ledger(&ledger, &store.read(&ledger, Seq(0))?)?)
    };
    for plan in store.plans()? {
        ledger(out, plan.into())?;
    }
    ledger(out, LedgerId::Audit)?;
    for (kind, key, record) in store.all()? {
        out.record(&kind, &key, &record.value)?;
    }
    for entry in fs::read_dir(data.join(FOLDER)).into_iter().flatten().flatten() {
        let content = fs::read(entry.path())?;
        out.key(&entry.file_name().to_string_lossy(), &content)?;
    }
    for document in store.documents()? {
        ledger(out, document.into())?;
    }
    Ok(())
}
