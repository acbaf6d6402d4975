//! A server as a process of its own, and visitors of its HTTP API.

use accord_server::Config;
use accord_server::clock::Clock;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::SOON;

/// The server's binary: named in `ACCORD_BIN`, or as `cargo build` leaves it.
#[must_use]
pub fn accord_binary() -> PathBuf {
    let built = || {
        let exe = std::env::current_exe().unwrap_or_default();
        // target/debug/deps/promises-… or target/debug/accord-bench.
        let found =
            exe.ancestors().skip(1).take(2).map(|dir| dir.join("accord")).find(|p| p.exists());
        found.unwrap_or_else(|| "target/debug/accord".into())
    };
    std::env::var_os("ACCORD_BIN").map_or_else(built, Into::into)
}

/// How to start a server.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Where to listen; a free port when 0.
    pub port: u16,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
}

/// A running demo server. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub address: String,
    /// What it logs, from the line that names its address on.
    log: mpsc::Receiver<String>,
}

impl Server {
    /// Starts a demo server over a data folder.
    pub fn start(data: &Path) -> Result<Self> {
        Self::start_with(data, &ServerOptions::default())
    }

    pub fn start_with(data: &Path, options: &ServerOptions) -> Result<Self> {
        let mut child = Command::new(accord_binary())
            .args(["serve", "--demo", "--log-format", "json", "--data"])
            .arg(data)
            .args(["--listen", &format!("127.0.0.1:{}", options.port)])
            .args(&options.args)
            .envs(options.env.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("the server's binary can't be run: build it first")?;
        let stderr = child.stderr.take().context("stderr is piped")?;
        let (lines, log) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    break;
                }
            }
        });
        let mut server = Self { child, address: String::new(), log };
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

    /// What it has logged since this was last asked.
    #[must_use]
    pub fn log_so_far(&self) -> Vec<String> {
        self.log.try_iter().collect()
    }

    /// SIGKILL: no farewell, no flush.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and how it ended.
    pub fn stop(mut self) -> Result<ExitStatus> {
        let pid = i32::try_from(self.child.id())?;
        let pid = rustix::process::Pid::from_raw(pid).context("a process has an id")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
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

    /// A counter or gauge of `/metrics`, by the start of its line.
    pub fn metric(&self, name: &str) -> Result<f64> {
        let text = ureq::get(self.url("/metrics")).call()?.body_mut().read_to_string()?;
        let line = text.lines().find(|line| line.starts_with(name));
        Ok(line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0))
    }

    /// Signs a demo person in.
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

/// A demo server in this process, whose time the test tells. It ends when dropped.
#[derive(Debug)]
pub struct ServerInTime {
    pub address: String,
    now: Arc<AtomicU64>,
    _runtime: Runtime,
}

impl ServerInTime {
    pub fn start(data: &Path) -> Result<Self> {
        let now = Arc::new(AtomicU64::new(1_800_000_000_000));
        let runtime = Runtime::new()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?.to_string();
        let told = now.clone();
        let clock = Clock::new(move || told.load(Ordering::Relaxed));
        let config = Config { data: data.into(), reserve: 0, demo: true, clock };
        runtime.spawn(accord_server::run(listener, config, std::future::pending()));
        Ok(Self { address, now, _runtime: runtime })
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.now.fetch_add(ms, Ordering::Relaxed);
    }
}

/// Somebody signed in.
#[derive(Debug, Clone)]
pub struct Visitor {
    agent: ureq::Agent,
    pub cookie: String,
    base: String,
}

impl Visitor {
    /// Signs a demo person in.
    pub fn sign_in(address: &str, demo: &str) -> Result<Self> {
        let base = format!("http://{address}");
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let response =
            agent.post(format!("{base}/api/v1/session")).send_json(json!({ "demo": demo }))?;
        let cookie = response.headers().get("set-cookie").context("signing in sets a cookie")?;
        let cookie = cookie.to_str()?.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { agent, cookie, base })
    }

    pub fn get(&self, path: &str) -> Result<(u16, Value)> {
        let url = format!("{}{path}", self.base);
        let mut response = self.agent.get(url).header("cookie", &self.cookie).call()?;
        Ok((response.status().as_u16(), response.body_mut().read_json().unwrap_or_default()))
    }

    pub fn post(&self, path: &str, body: Value) -> Result<(u16, Value)> {
        let url = format!("{}{path}", self.base);
        let mut response = self.agent.post(url).header("cookie", &self.cookie).send_json(body)?;
        Ok((response.status().as_u16(), response.body_mut().read_json().unwrap_or_default()))
    }

    pub fn ticket(&self, document: &str) -> Result<String> {
        let (status, answer) =
            self.post(&format!("/api/v1/documents/{document}/tickets"), json!({}))?;
        let ticket = answer["ticket"].as_str().map(str::to_owned);
        ticket.with_context(|| format!("no ticket: {status} {answer}"))
    }

    /// A new commitment in the demo plan.
    pub fn create(&self, title: &str) -> Result<String> {
        let (status, answer) =
            self.post("/api/v1/plans/demo/documents", json!({ "title": title }))?;
        let id = answer["id"].as_str().map(str::to_owned);
        id.with_context(|| format!("no document: {status} {answer}"))
    }

    /// The characters of a text field, as the server has them on disk.
    pub fn text(&self, document: &str, field: &str) -> Result<String> {
        let (status, content) = self.get(&format!("/api/v1/documents/{document}/content"))?;
        let ops = content[field].as_array().with_context(|| format!("{status}: {content}"))?;
        Ok(ops.iter().filter_map(|op| op["insert"].as_str()).collect())
    }
}
