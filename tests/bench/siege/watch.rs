//! The memory of a server and its children while something happens.

use accord_tests::children;
use anyhow::{Context, Result};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// How often memory is looked at.
const EVERY: Duration = Duration::from_millis(20);

/// Pages that a process shares with others count for each of them in part (`Pss`, proc(5)), in KiB.
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

/// What a server has resident and its children take, in KiB.
pub(super) fn now_kib(server: u32) -> u64 {
    let own = status(server, "VmRSS:").unwrap_or(0);
    own + children(server).into_iter().map(proportional_kib).sum::<u64>()
}

/// Looks at a server and its children until it is asked what the most was.
pub(super) struct Peak {
    server: u32,
    most: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    looking: thread::JoinHandle<()>,
}

impl Peak {
    /// Forgets what the server once had at most, and begins.
    pub(super) fn begin(server: u32) -> Result<Self> {
        // "5" resets the peak of the resident memory (proc(5), clear_refs).
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

    /// The most at once, in KiB: as it was seen, and as the system has noted it of the server alone.
    pub(super) fn end(self) -> Result<u64> {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.looking.join();
        Ok(self.most.load(Ordering::Relaxed).max(status(self.server, "VmHWM:")?))
    }
}
