//! Measures the memory of a server and its children during an attack, and the disk.

use super::others::Waits;
use accord_tests::children;
use anyhow::{Context, Result, anyhow};
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Time between two measurements of the memory.
const EVERY: Duration = Duration::from_millis(20);

/// Returns the memory of a process in KiB. Pages that several processes share count for each of them in part (`Pss`,
/// proc(5)).
fn proportional_kib(id: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    kib(&rollup, "Pss:").unwrap_or(0)
}

fn kib(lines: &str, name: &str) -> Option<u64> {
    let line = lines.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn status(id: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    kib(&status, name).with_context(|| format!("{name} of a process"))
}

/// Memory of a server and of its children at one moment, in KiB.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    /// Resident memory of the server.
    pub(super) server: u64,
    /// The children's share of the memory (`Pss`): a page that several processes share counts for each of them in part.
    pub(super) children: u64,
}

impl Memory {
    /// Measures the memory now.
    pub(super) fn of(server: u32) -> Self {
        let own = status(server, "VmRSS:").unwrap_or(0);
        let children = children(server).into_iter().map(proportional_kib).sum();
        Self { server: own, children }
    }

    pub(super) fn total(self) -> u64 {
        self.server + self.children
    }
}

/// A thread that measures a server and its children until it is asked for the peak.
pub(super) struct Peak {
    server: u32,
    is_over: Arc<AtomicBool>,
    looking: thread::JoinHandle<Memory>,
}

impl Peak {
    /// Resets the peak that the system has recorded for the server, and begins to measure.
    pub(super) fn begin(server: u32) -> Result<Self> {
        // Writing "5" resets the peak of the resident memory (proc(5), clear_refs).
        fs::write(format!("/proc/{server}/clear_refs"), "5")?;
        let is_over = Arc::<AtomicBool>::default();
        let over = is_over.clone();
        let looking = thread::spawn(move || {
            let mut most = Memory::of(server);
            while !over.load(Ordering::Relaxed) {
                let now = Memory::of(server);
                if now.total() > most.total() {
                    most = now;
                }
                thread::sleep(EVERY);
            }
            most
        });
        Ok(Self { server, is_over, looking })
    }

    /// Returns the memory when it was highest: the largest measurement, or the peak that the system has recorded for the
    /// server alone if that is higher.
    pub(super) fn end(self) -> Result<Memory> {
        self.is_over.store(true, Ordering::Relaxed);
        let most = self.looking.join().map_err(|_| anyhow!("the measuring thread panicked"))?;
        let alone = Memory { server: status(self.server, "VmHWM:")?, children: 0 };
        Ok(if alone.total() > most.total() { alone } else { most })
    }
}

/// Time between the ends of two syncs of [`Disk`].
const SYNC_EVERY: Duration = Duration::from_millis(50);

/// A thread that writes and syncs 512 bytes again and again, on the disk of the temporary folders, which
/// is also that of the server. While such a sync takes long, so
/// does every edit, whatever the server does.
pub(super) struct Disk {
    is_over: Arc<AtomicBool>,
    syncing: thread::JoinHandle<Result<Waits>>,
}

impl Disk {
    pub(super) fn begin(folder: &Path) -> Result<Self> {
        let file = File::create(folder.join("disk-of-the-siege"))?;
        let is_over = Arc::<AtomicBool>::default();
        let over = is_over.clone();
        let syncing = thread::spawn(move || {
            let mut waits = Waits::default();
            while !over.load(Ordering::Relaxed) {
                let due = Instant::now();
                file.write_all_at(&[0; 512], 0)?;
                file.sync_data()?;
                waits.add(due);
                thread::sleep(SYNC_EVERY);
            }
            Ok(waits)
        });
        Ok(Self { is_over, syncing })
    }

    /// Returns how long the syncs took.
    pub(super) fn end(self) -> Result<Waits> {
        self.is_over.store(true, Ordering::Relaxed);
        self.syncing.join().map_err(|_| anyhow!("the syncing thread panicked"))?
    }
}
