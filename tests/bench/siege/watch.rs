//! Measures the memory of a server and its children during an attack.

use accord_tests::children;
use anyhow::{Context, Result};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

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

/// Returns the resident memory of a server together with the proportional memory of its children, in KiB.
pub(super) fn now_kib(server: u32) -> u64 {
    let own = status(server, "VmRSS:").unwrap_or(0);
    own + children(server).into_iter().map(proportional_kib).sum::<u64>()
}

/// A thread that measures a server and its children until it is asked for the peak.
pub(super) struct Peak {
    server: u32,
    most: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    looking: thread::JoinHandle<()>,
}

impl Peak {
    /// Resets the peak that the system has recorded for the server, and begins to measure.
    pub(super) fn begin(server: u32) -> Result<Self> {
        // Writing "5" resets the peak of the resident memory (proc(5), clear_refs).
        fs::write(format!("/proc/{server}/clear_refs"), "5")?;
        let (most, is_over) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let (seen, over) = (most.clone(), is_over.clone());
        let looking = thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                seen.fetch_max(now_kib(server), Ordering::Relaxed);
                thread::sleep(EVERY);
            }
        });
        Ok(Self { server, most, is_over, looking })
    }

    /// Returns the highest memory in KiB: the larger of the measurements and of the peak that the system has recorded
    /// for the server alone.
    pub(super) fn end(self) -> Result<u64> {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.looking.join();
        Ok(self.most.load(Ordering::Relaxed).max(status(self.server, "VmHWM:")?))
    }
}
