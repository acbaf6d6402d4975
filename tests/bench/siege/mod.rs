//! Measures what one author, or one reader without an account, can cost everybody else. Each attack runs
//! alone, against a fresh server. Then the attacks of one author run together against one server. The benchmark prints by
//! how much the memory of the server and its children exceeds the memory at rest: at the peak, and some seconds after the
//! attack. It also prints how long other people waited during the attack.
//!
//! `cargo xtask bench siege` runs all attacks, `cargo xtask bench siege WORD` those whose name contains the word.
//! Each attack lasts some seconds, and uses only the loopback interface.

mod others;
mod requests;
mod sockets;
mod watch;

use accord_tests::{Server, Visitor};
use anyhow::Result;
use others::{Others, Waited};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::Barrier;
use watch::{Disk, Memory, Peak};

/// Length of an attack.
const LASTS: Duration = Duration::from_secs(8);
/// Time before the attack during which only the people who go on with their work use the server.
const WARM_UP: Duration = Duration::from_secs(1);
/// Time between the end of an attack and the measurement of the memory that it leaves behind.
const AFTERWARDS: Duration = Duration::from_secs(3);
/// Longest time that the preparation of an attack is allowed to take. The facilitator, who writes what an attack needs, has
/// a budget of time as well, and has to wait when it is used up.
const PREPARATION: Duration = Duration::from_secs(180);
/// Niceness of the attackers' threads. It lowers their priority, because sending must not take processor time from the
/// server.
const NICE: i32 = 10;

/// The server, the people and the document of an attack.
struct Target {
    address: String,
    /// The author who attacks.
    author: Visitor,
    /// Another author, who works in the attacked document during the attack.
    colleague: Visitor,
    facilitator: Visitor,
    /// The document that the attacker shares with the colleague.
    shared: String,
    /// The barrier at which all attacks wait, so that they begin at the same time.
    start: Barrier,
}

impl accord_tests::Listens for Target {
    fn address(&self) -> &str {
        &self.address
    }
}

impl Target {
    /// Waits until all attacks are prepared.
    async fn start(&self) {
        self.start.wait().await;
    }
}

type Attacking = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// An attack. It prepares itself, waits for the start, and goes on until it is aborted.
struct Attack {
    name: &'static str,
    begin: fn(Arc<Target>) -> Attacking,
}

macro_rules! attacks {
    ($($name:literal: $begin:expr),* $(,)?) => {
        vec![$(Attack { name: $name, begin: |target| Box::pin($begin(target)) }),*]
    };
}

fn attacks() -> Vec<Attack> {
    attacks![
        "nothing": nothing,
        "updates of the most items": sockets::most_items,
        "splits of a long text": sockets::splits_of_text,
        "splits before many items": sockets::splits_of_items,
        "elements between neighbours": sockets::between,
        "items whose neighbours are far apart": sockets::far_apart,
        "formatting at its ceiling": sockets::formatting,
        "ranges deleted without end": sockets::deletions,
        "many documents of the most items": sockets::many_documents,
        "frames over many connections": sockets::frames,
        "step 1 without end": sockets::step_1,
        "awareness without end": sockets::awareness,
        "receivers that read nothing": sockets::unread_documents,
        "large messages that trickle": sockets::trickle,
        "large messages, then silence": sockets::silent,
        "reads of the most items": requests::read_items,
        "reads of the most formatting": requests::read_formatting,
        "long answers that nobody reads": requests::unread,
        "files of a long text": requests::files,
        "imports at their ceiling": requests::imports,
        "passwords, links and tickets": requests::sign_in,
        "cleaning and comparisons": requests::cleaning,
        "half-sent requests": requests::half_sent,
        "public pages and files": requests::public,
    ]
}

/// Names of the attacks that are left out of the run of all attacks together: the empty attack, and the attacks that
/// need no account.
const NOT_TOGETHER: [&str; 3] = ["nothing", "half-sent requests", "public pages and files"];

async fn nothing(target: Arc<Target>) -> Result<()> {
    target.start().await;
    Ok(())
}

pub(crate) async fn all(word: Option<&str>) -> Result<()> {
    let all = attacks();
    let is_selected = |name: &str| word.is_none_or(|word| name.contains(word));
    println!(
        "memory of server and children in MiB: rest | most above it (part of the children), {} s afterwards; \
         others' waits in ms (median, 99th percentile, longest): in the same room | in another | a request | a page | \
         a bare sync of 512 bytes, by the disk alone",
        AFTERWARDS.as_secs()
    );
    for attack in all.iter().filter(|attack| is_selected(attack.name)) {
        run(attack.name, &[attack]).await?;
    }
    if is_selected("all of one author together") {
        let together: Vec<&Attack> =
            all.iter().filter(|attack| !NOT_TOGETHER.contains(&attack.name)).collect();
        run("all of one author together", &together).await?;
    }
    Ok(())
}

/// Runs attacks that begin at the same time against one server, and prints a line of measurements.
async fn run(name: &str, attacks: &[&Attack]) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let colleague = server.visit("ana")?;
    let (shared, other) = (colleague.create("Shared")?, colleague.create("Other")?);
    let target = Arc::new(Target {
        address: server.address.clone(),
        author: server.visit("ben")?,
        facilitator: server.visit("fay")?,
        colleague: colleague.clone(),
        shared: shared.clone(),
        start: Barrier::new(attacks.len() + 1),
    });
    let others = Others::begin(&server.address, &colleague, [&shared, &other]);
    tokio::time::sleep(WARM_UP).await;
    let rest = Memory::of(server.id()).total();
    let attackers = attackers()?;
    let under_way: Vec<_> =
        attacks.iter().map(|attack| attackers.spawn((attack.begin)(target.clone()))).collect();
    if tokio::time::timeout(PREPARATION, target.start()).await.is_err() {
        attackers.shutdown_background();
        anyhow::bail!("{name}: an attack could not be prepared");
    }
    let peak = Peak::begin(server.id())?;
    // Not in the data folder, to which nobody but the server may write.
    let beside = tempfile::tempdir()?;
    let disk = Disk::begin(beside.path())?;
    others.attack();
    tokio::time::sleep(LASTS).await;
    let waited = others.end().await;
    let most = peak.end()?;
    let mut disk = disk.end()?;
    for attack in under_way {
        attack.abort();
        if let Ok(Err(error)) = attack.await {
            println!("  an attack ended early: {error:#}");
        }
    }
    attackers.shutdown_background();
    tokio::time::sleep(AFTERWARDS).await;
    let left = Memory::of(server.id()).total();
    let Waited { mut same_room, mut other_room, mut request, mut page } = waited?;
    let mib = |kib: u64| kib.saturating_sub(rest) / 1024;
    println!(
        "{name}: {} | {} ({}), {} | {} | {} | {} | {} | {}",
        rest / 1024,
        mib(most.total()),
        most.children / 1024,
        mib(left),
        same_room.summary(),
        other_room.summary(),
        request.summary(),
        page.summary(),
        disk.summary()
    );
    Ok(())
}

/// Returns the runtime whose threads attack.
fn attackers() -> Result<Runtime> {
    let polite = || {
        // On Linux, this sets the niceness of the calling thread alone.
        let _ = rustix::process::nice(NICE);
    };
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_start(polite)
        .enable_all()
        .build()?)
}
