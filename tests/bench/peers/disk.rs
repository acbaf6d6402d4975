//! What one synced write costs on this disk, without any server.

use crate::process::Latencies;
use anyhow::Result;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

const WRITE_BYTES: usize = 512;
const FILE_BYTES: usize = 4 * 1024 * 1024;
const LASTS: Duration = Duration::from_secs(2);

/// Writes one block after another into a file that has its final size, each followed by `fdatasync` and a pause in
/// milliseconds. The file is on the disk of the servers' data folders.
pub(super) fn synced_writes(pause_ms: Range<u64>) -> Result<Latencies> {
    let mut file = tempfile::tempfile()?;
    file.write_all(&vec![0; FILE_BYTES])?;
    file.sync_all()?;
    let began = Instant::now();
    let mut taken = Vec::new();
    while began.elapsed() < LASTS {
        let offset = taken.len() * WRITE_BYTES % FILE_BYTES;
        let start = Instant::now();
        file.write_all_at(&[1; WRITE_BYTES], offset as u64)?;
        file.sync_data()?;
        taken.push(start.elapsed().as_micros() as u32);
        if !pause_ms.is_empty() {
            std::thread::sleep(Duration::from_millis(rand::random_range(pause_ms.clone())));
        }
    }
    Ok(Latencies::of(taken))
}
