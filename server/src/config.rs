//! The configuration of a server.

use crate::clock::Clock;
use crate::http::{ConnectionLimits, HeldLimits};
use crate::listen::Deadlines;
use crate::mail::MailConfig;
use crate::people::SessionLimits;
use crate::site::PublicUrl;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The configuration of a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder that contains all data of the installation.
    pub data: PathBuf,
    /// Bytes that must stay free on the disk of the data folder. When less is free, no more changes are accepted.
    pub reserve: u64,
    /// Whether to create the demo plan and let anybody sign in as one of the demo people.
    pub demo: bool,
    /// The address at which browsers find the server. If it is `None`, the server refuses requests from every page whose
    /// host is neither `localhost` nor an IP address.
    pub public_url: Option<PublicUrl>,
    /// Whether a proxy in front of the server names the client's address (`X-Forwarded-For`).
    pub behind_proxy: bool,
    /// The limits of how long sessions last.
    pub sessions: SessionLimits,
    /// The limits of open connections.
    pub connections: ConnectionLimits,
    /// The deadlines for peers, and for stopping the server.
    pub deadlines: Deadlines,
    /// How long the data of a deleted document is kept before it is erased.
    pub keep_deleted: Duration,
    /// Maximum approximate memory of a document's history while a passage is redacted, in bytes. Histories that are
    /// shown have a limit of their own.
    pub redaction_memory: usize,
    /// The limits on the memory that HTTP answers take until their readers have received them.
    pub held_answers: HeldLimits,
    /// The mail server. Without it, no mail is sent.
    pub mail: Option<MailConfig>,
    /// A folder of additional fonts for PDF files.
    pub fonts: Option<PathBuf>,
    /// The program whose command `worker` makes and reads files in a child process. The default is the running program.
    pub worker: PathBuf,
    /// A separate address that serves `/metrics`. Other machines can read the metrics only there.
    pub metrics_listen: Option<SocketAddr>,
    /// The clock that dates entries and tickets.
    pub clock: Clock,
}

/// The length of a day, in seconds.
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// Returns a number of days as a duration.
#[must_use]
pub const fn days(days: u32) -> Duration {
    Duration::from_secs(days as u64 * DAY_SECONDS)
}

/// The defaults of the options, in the units of the command line.
impl Config {
    /// Days from a sign-in until the person has to sign in again, however much they use Accord.
    pub const DEFAULT_SESSION_DAYS: u32 = 30;
    /// Days without use after which a person has to sign in again.
    pub const DEFAULT_SESSION_IDLE_DAYS: u32 = 7;
    /// Days after which a deleted document is erased.
    pub const DEFAULT_KEEP_DELETED_DAYS: u32 = 30;
    /// Disk space that must stay free, in MiB.
    pub const DEFAULT_RESERVE_MIB: u64 = 64;
    /// Memory of a history during a redaction, in MiB.
    pub const DEFAULT_REDACTION_MEMORY_MIB: usize = 256;
}

impl Config {
    /// Returns the default configuration for a data folder.
    #[must_use]
    pub fn new(data: PathBuf) -> Self {
        Self {
            data,
            reserve: Self::DEFAULT_RESERVE_MIB * 1024 * 1024,
            demo: false,
            public_url: None,
            behind_proxy: false,
            sessions: SessionLimits {
                absolute: days(Self::DEFAULT_SESSION_DAYS),
                idle: days(Self::DEFAULT_SESSION_IDLE_DAYS),
            },
            connections: ConnectionLimits::DEFAULT,
            deadlines: Deadlines::default(),
            keep_deleted: days(Self::DEFAULT_KEEP_DELETED_DAYS),
            held_answers: HeldLimits::default(),
            redaction_memory: Self::DEFAULT_REDACTION_MEMORY_MIB * 1024 * 1024,
            mail: None,
            fonts: None,
            // This path names the running program even if its file on disk has been replaced.
            worker: PathBuf::from("/proc/self/exe"),
            metrics_listen: None,
            clock: Clock::system(),
        }
    }
}
