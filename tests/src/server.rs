//! A server in a process of its own, or a server within this process whose clock the test sets.

use accord_server::Config;
use accord_server::clock::Clock;
use anyhow::{Context, Result, bail, ensure};
use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::{SOON, Visitor, start_tied, tied};

/// Returns the path of the server's binary: the value of `ACCORD_BIN`, or the place where `cargo build` puts it.
#[must_use]
pub fn accord_binary() -> PathBuf {
    let built = || {
        let exe = std::env::current_exe().unwrap_or_default();
        // The test's own binary is target/debug/deps/promises-… or target/debug/accord-bench.
        let found =
            exe.ancestors().skip(1).take(2).map(|dir| dir.join("accord")).find(|p| p.exists());
        found.unwrap_or_else(|| "target/debug/accord".into())
    };
    std::env::var_os("ACCORD_BIN").map_or_else(built, Into::into)
}

/// A server that sync clients can connect to.
pub trait Listens {
    /// Returns the address as `host:port`.
    fn address(&self) -> &str;
}

impl Listens for Server {
    fn address(&self) -> &str {
        &self.address
    }
}

impl Listens for ServerInTime {
    fn address(&self) -> &str {
        &self.address
    }
}

/// The options with which a test starts a server.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Whether the server serves the demo. `None` means yes.
    pub demo: Option<bool>,
    /// The port to listen on; 0 means a free port.
    pub port: u16,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    /// The soft and hard limit of open files of the server's process; `None` leaves the limits of this process.
    pub open_files: Option<u32>,
}

/// A running server in a process of its own. Dropping it kills the process, and so does the end of this process.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub address: String,
    /// Receives the lines that the server logs after the one that names the address.
    log: mpsc::Receiver<String>,
    /// The lines that were already taken out of `log`.
    seen: RefCell<Vec<String>>,
}

impl Server {
    /// Starts a demo server with the given data folder, and waits until the server is ready.
    pub fn start(data: &Path) -> Result<Self> {
        Self::start_with(data, &ServerOptions::default())
    }

    pub fn start_with(data: &Path, options: &ServerOptions) -> Result<Self> {
        ensure!(accord_binary().exists(), "the server's binary is missing: build it first");
        let mut command = command(options.open_files);
        command
            .args(["serve", "--log-format", "json", "--data"])
            .arg(data)
            .args(options.demo.unwrap_or(true).then_some("--demo"))
            .args(["--listen", &format!("127.0.0.1:{}", options.port)])
            .args(&options.args)
            .envs(options.env.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = start_tied(move || command.spawn())
            .context("the server can't be run: it needs setpriv of util-linux")?;
        let stderr = child.stderr.take().context("stderr is piped")?;
        let (lines, log) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    break;
                }
            }
        });
        let mut server = Self { child, address: String::new(), log, seen: RefCell::default() };
        let mut seen = Vec::new();
        loop {
            match server.log.recv_timeout(SOON) {
                Ok(line) => {
                    let address = line.split("listening on http://").nth(1);
                    if let Some(address) = address {
                        server.address = address.split('"').next().unwrap_or_default().to_owned();
                        break;
                    }
                    seen.push(line);
                }
                Err(_) => bail!("the server did not start: {}", seen.join("\n")),
            }
        }
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let end = std::time::Instant::now() + SOON;
        loop {
            if ureq::get(self.url("/readyz")).call().is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended ({status}): {}", self.log_so_far().join("\n"));
            }
            if std::time::Instant::now() > end {
                bail!("the server is not ready: {}", self.log_so_far().join("\n"));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(0)
    }

    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the lines that the server has logged since the last call.
    #[must_use]
    pub fn log_so_far(&self) -> Vec<String> {
        let lines: Vec<String> = self.log.try_iter().collect();
        self.seen.borrow_mut().extend(lines.iter().cloned());
        lines
    }

    /// Waits for the next logged line that contains `words`, and returns it. The wait is needed because an action can
    /// be logged a moment after it is done.
    pub fn next_logged(&self, words: &str) -> Result<String> {
        let end = std::time::Instant::now() + SOON;
        while std::time::Instant::now() < end {
            if let Some(line) = self.log_so_far().into_iter().find(|line| line.contains(words)) {
                return Ok(line);
            }
            thread::sleep(Duration::from_millis(10));
        }
        bail!("it does not log {words:?}")
    }

    /// Returns all lines that the server has logged since it named its address.
    #[must_use]
    pub fn log_from_the_start(&self) -> Vec<String> {
        drop(self.log_so_far());
        self.seen.borrow().clone()
    }

    /// Sends SIGKILL, so that the server can neither close its connections nor flush its data.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends SIGTERM, which asks the server to stop.
    pub fn terminate(&self) -> Result<()> {
        let pid = i32::try_from(self.child.id())?;
        let pid = rustix::process::Pid::from_raw(pid).context("a process has an id")?;
        Ok(rustix::process::kill_process(pid, rustix::process::Signal::TERM)?)
    }

    /// Returns the highest resident memory of the server's process so far, in bytes.
    pub fn peak_memory(&self) -> Result<u64> {
        self.memory("VmHWM:")
    }

    /// Returns the present resident memory of the server's process, in bytes.
    pub fn resident_memory(&self) -> Result<u64> {
        self.memory("VmRSS:")
    }

    fn memory(&self, name: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find(|line| line.starts_with(name)).context("a line")?;
        let kib: u64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
        Ok(kib * 1024)
    }

    /// Sends SIGTERM, waits until the server has ended, and returns its exit status.
    pub fn stop(self) -> Result<ExitStatus> {
        self.terminate()?;
        self.ended()
    }

    /// Waits until the server ends by itself, and returns its exit status.
    pub fn ended(mut self) -> Result<ExitStatus> {
        let end = std::time::Instant::now() + SOON;
        while std::time::Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(10));
        }
        bail!("the server does not stop: {}", self.log_so_far().join("\n"))
    }

    #[must_use]
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Returns the value of the first counter or gauge in `/metrics` whose line starts with `name`, or 0 if there is
    /// none.
    pub fn metric(&self, name: &str) -> Result<f64> {
        let text = ureq::get(self.url("/metrics")).call()?.body_mut().read_to_string()?;
        let line = text.lines().find(|line| line.starts_with(name));
        Ok(line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0))
    }

    /// Signs in a person of the demo.
    pub fn visit(&self, demo: &str) -> Result<Visitor> {
        Visitor::sign_in(&self.address, demo)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(open_files: Option<u32>) -> Command {
    let Some(open_files) = open_files else { return tied(accord_binary()) };
    let mut command = tied("sh");
    let limited = format!("ulimit -n {open_files}; exec \"$0\" \"$@\"");
    command.args(["-c", &limited]).arg(accord_binary());
    command
}

/// A demo server within this process, whose clock the test sets. Dropping it ends the server.
#[derive(Debug)]
pub struct ServerInTime {
    pub address: String,
    now: Arc<AtomicU64>,
    _runtime: Runtime,
}

impl ServerInTime {
    pub fn start(data: &Path) -> Result<Self> {
        Self::start_with(data, |_| {})
    }

    /// Starts a server whose configuration `change` has altered.
    pub fn start_with(data: &Path, change: impl FnOnce(&mut Config)) -> Result<Self> {
        let now = Arc::new(AtomicU64::new(1_800_000_000_000));
        let runtime = Runtime::new()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?.to_string();
        let shared = now.clone();
        let clock = Clock::new(move || shared.load(Ordering::Relaxed));
        let worker = std::path::absolute(accord_binary())?;
        let mut config =
            Config { reserve: 0, demo: true, clock, worker, ..Config::new(data.into()) };
        change(&mut config);
        runtime.spawn(accord_server::run(listener, config, std::future::pending()));
        Ok(Self { address, now, _runtime: runtime })
    }

    /// Moves the server's clock forward.
    pub fn pass(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.now.fetch_add(ms, Ordering::Relaxed);
    }
}
