//! Measures the memory and the child processes of a server from outside, through `/proc`.

use crate::Server;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(4);

/// Returns the ids of the running child processes of a process. A child that has not started its own program yet is left
/// out: it shares the memory of its parent, and measuring it would count that memory twice.
#[must_use]
pub fn children(parent: u32) -> Vec<u32> {
    let command_line = |id: u32| fs::read(format!("/proc/{id}/cmdline")).ok();
    let parents = command_line(parent);
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let children = ids.filter(|id| parent_of(*id) == Some(parent));
    children.filter(|id| command_line(*id) != parents).collect()
}

/// Returns the parent of a running process, or `None` if the process has ended, even if it is not reaped yet.
fn parent_of(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The line begins with the id and, in parentheses, the name of the process. The name can contain anything, also spaces
    // and parentheses.
    let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
    let state = rest.next()?;
    let parent = rest.next()?.parse().ok()?;
    (state != "Z").then_some(parent)
}

/// Returns the resident memory of a process (`VmRSS`), in KiB, or 0 if the process has ended.
fn own_memory(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// A thread that measures a server and its children until it is dropped.
#[derive(Debug)]
pub struct Watch {
    rest: u64,
    peak: Arc<AtomicU64>,
    most_children: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    looking: Option<thread::JoinHandle<()>>,
}

impl Watch {
    /// Begins to measure. The present memory of the server counts as its memory at rest.
    #[must_use]
    pub fn begin(server: &Server) -> Self {
        let id = server.id();
        let (peak, most_children) = (Arc::<AtomicU64>::default(), Arc::<AtomicUsize>::default());
        let is_over = Arc::<AtomicBool>::default();
        let (peaks, counts, over) = (peak.clone(), most_children.clone(), is_over.clone());
        let looking = thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let children = children(id);
                let memory = children.iter().copied().chain([id]).map(own_memory).sum();
                peaks.fetch_max(memory, Ordering::Relaxed);
                counts.fetch_max(children.len(), Ordering::Relaxed);
                thread::sleep(PAUSE);
            }
        });
        Self { rest: own_memory(id), peak, most_children, is_over, looking: Some(looking) }
    }

    /// Returns the highest memory of server and children together so far, above the server's memory at rest, in MiB.
    #[must_use]
    pub fn peak_mib(&self) -> u64 {
        self.peak.load(Ordering::Relaxed).saturating_sub(self.rest) / 1024
    }

    /// Returns the highest number of children that ran at the same time so far.
    #[must_use]
    pub fn most_children(&self) -> usize {
        self.most_children.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(looking) = self.looking.take() {
            let _ = looking.join();
        }
    }
}
