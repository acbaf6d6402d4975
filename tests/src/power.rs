//! Simulates a loss of power: any write that was not synced can be missing, or be there in part.
//!
//! SIGKILL alone proves little, because the kernel's page cache survives it. Therefore a small library, preloaded
//! into the server, records every write and sync of the database file. The file is then rebuilt from the record:
//! everything up to the last sync, and any subset of the later writes.

use anyhow::{Context, Result, bail, ensure};
use rand::RngExt;
use rand::rngs::StdRng;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io::Read};

/// Compiles the recording library into a folder and returns the path of the library.
pub fn build_recorder(dir: &Path) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/record.c");
    let library = dir.join("record.so");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status()
        .context("the C compiler `cc` can't be run")?;
    ensure!(status.success(), "the recording library does not compile");
    Ok(library)
}

enum Event {
    Write { offset: u64, bytes: Vec<u8> },
    Truncate(u64),
    Sync,
}

fn read_record(path: &Path) -> Result<Vec<Event>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.read_to_end(&mut bytes)?;
    let mut rest = bytes.as_slice();
    let mut events = Vec::new();
    let number = |rest: &mut &[u8]| -> Option<u64> {
        let (first, after) = rest.split_first_chunk::<8>()?;
        *rest = after;
        Some(u64::from_ne_bytes(*first))
    };
    while let Some((kind, after)) = rest.split_first() {
        rest = after;
        let event = match kind {
            b'W' => (|| {
                let offset = number(&mut rest)?;
                let length = usize::try_from(number(&mut rest)?).ok()?;
                let (bytes, after) = rest.split_at_checked(length)?;
                rest = after;
                Some(Event::Write { offset, bytes: bytes.to_vec() })
            })(),
            b'T' => number(&mut rest).map(Event::Truncate),
            b'S' => Some(Event::Sync),
            _ => bail!("the record is no record"),
        };
        // The kill can cut the last item of the record short. Such an incomplete item is left out.
        let Some(event) = event else { break };
        events.push(event);
    }
    Ok(events)
}

/// Rewrites the database file of a data folder as a loss of power could have left it. Returns the number of writes
/// that were thrown away, in whole or in part.
pub fn lose_power(data: &Path, record: &Path, random: &mut StdRng) -> Result<usize> {
    let events = read_record(record)?;
    let synced = events.iter().rposition(|event| matches!(event, Event::Sync)).unwrap_or(0);
    let mut file: Vec<u8> = Vec::new();
    let mut lost = 0;
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Write { offset, bytes } => {
                let keep = if at < synced || random.random_bool(0.5) {
                    bytes.len()
                } else {
                    lost += 1;
                    // A write of several pages can also be torn, so that only its first pages are kept.
                    let pages = bytes.len() / 4096;
                    if pages > 1 && random.random_bool(0.3) {
                        random.random_range(0..pages) * 4096
                    } else {
                        0
                    }
                };
                let start = usize::try_from(*offset)?;
                if file.len() < start + keep {
                    file.resize(start + keep, 0);
                }
                file[start..start + keep].copy_from_slice(&bytes[..keep]);
            }
            Event::Truncate(length) => file.resize(usize::try_from(*length)?, 0),
            Event::Sync => {}
        }
    }
    fs::write(data.join("store/db"), file)?;
    Ok(lost)
}
