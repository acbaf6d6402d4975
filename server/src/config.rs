//! How a server is configured.

use crate::clock::Clock;
use crate::http::{ConnectionLimits, HeldLimits};
use crate::listen::Deadlines;
use crate::mail::MailConfig;
use crate::people::SessionLimits;
use crate::site::PublicUrl;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder that holds everything.
    pub data: PathBuf,
    /// Bytes of its disk that must stay free. When less is free, no more changes are accepted.
    pub reserve: u64,
    /// Whether to seed the demo plan and let anybody sign in as one of the demo people.
    pub demo: bool,
    /// The address at which browsers find the server. Without one, the server's own origins are this machine and bare
    /// addresses.
    pub public_url: Option<PublicUrl>,
    /// Whether a proxy in front says whose address a request comes from (`X-Forwarded-For`).
    pub behind_proxy: bool,
    /// How long sessions last.
    pub sessions: SessionLimits,
    /// How many connections may be open.
    pub connections: ConnectionLimits,
    /// How long peers may take, and how long a stop may.
    pub deadlines: Deadlines,
    /// How long what is stored of a deleted document is kept.
    pub keep_deleted: Duration,
    /// The memory that a document's history may take while a passage is redacted, in bytes, about. Histories that are
    /// shown have a limit of their own.
    pub redaction_memory: usize,
    /// How much memory the answers may hold that wait for their readers.
    pub held_answers: HeldLimits,
    /// The mail server. Without one, no mail is sent.
    pub mail: Option<MailConfig>,
    /// A folder of additional fonts for PDF files.
    pub fonts: Option<PathBuf>,
    /// The program whose command `worker` makes and reads files: this one, as it was started.
    pub worker: PathBuf,
    /// A separate address for `/metrics`. Callers on other machines get metrics only there.
    pub metrics_listen: Option<SocketAddr>,
    /// The clock that dates entries and tickets.
    pub clock: Clock,
}

impl Config {
    /// The default configuration for a data folder.
    #[must_use]
    pub fn new(data: PathBuf) -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        Self {
            data,
            reserve: 64 * 1024 * 1024,
            demo: false,
            public_url: None,
            behind_proxy: false,
            sessions: SessionLimits { absolute: 30 * DAY, idle: 7 * DAY },
            connections: ConnectionLimits { total: 16_384, per_address: 2_000, per_person: 1_000 },
            deadlines: Deadlines::default(),
            keep_deleted: 30 * DAY,
            held_answers: HeldLimits::default(),
            redaction_memory: 256 * 1024 * 1024,
            mail: None,
            fonts: None,
            // Also where the file on the disk has been replaced since.
            worker: PathBuf::from("/proc/self/exe"),
            metrics_listen: None,
            clock: Clock::system(),
        }
    }
}
