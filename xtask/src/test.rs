//! Runs every test, with a real browser.

use crate::process::Cmd;
use crate::steps::Step;
use crate::{build, tools};
use anyhow::{Context, Result, anyhow};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// The step that begins to install what the tests run. Downloads take minutes in which compiling needs no network.
pub const BEGIN: Step =
    Step::new("Begin to install what the tests run, beside the next steps", begin_to_install);

/// The steps that run the tests. The web application and the server must have been built, because the tests in
/// `tests/promises` run the server as a process of its own. The last lines printed are those of `cargo test`.
pub const STEPS: [Step; 4] = [
    Step::new("Test the units of the web app", web_units),
    Step::new("Install what the tests run: npm packages, a browser, readers of files", installed),
    Step::new("Bundle the editor for Node", build::bundle_for_node),
    Step::new("Run the tests", tests),
];

/// The installation that [`BEGIN`] has begun.
static INSTALLATION: Mutex<Option<JoinHandle<Result<()>>>> = Mutex::new(None);

fn begin_to_install() -> Result<()> {
    *INSTALLATION.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::spawn(install));
    Ok(())
}

/// Waits until the installation has ended.
fn installed() -> Result<()> {
    let begun = INSTALLATION.lock().unwrap_or_else(PoisonError::into_inner).take();
    let installation = begun.context("the installation has not begun")?;
    installation.join().map_err(|_| anyhow!("the installation panicked"))?
}

/// Waits until the installation has ended, if a step failed before. Otherwise a second run could install beside it.
pub fn end_installation() {
    let begun = INSTALLATION.lock().unwrap_or_else(PoisonError::into_inner).is_some();
    if begun && let Err(error) = installed() {
        eprintln!("error: {error:#}");
    }
}

fn install() -> Result<()> {
    tools::npm("tests")?;
    tools::chromium()?;
    tools::file_readers().map(|_| ())
}

fn web_units() -> Result<()> {
    Cmd::new("npm").args(["run", "--silent", "test"]).dir("web").run()
}

/// Number of tests that run at the same time for each core. Many tests wait most of their time, for time limits or for a
/// browser.
const TESTS_PER_CORE: usize = 2;

fn tests() -> Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    build::cargo_for_tests("test")
        .args(["--no-fail-fast"])
        .env("RUST_TEST_THREADS", (cores * TESTS_PER_CORE).to_string())
        .env("ACCORD_CHROMIUM", tools::chromium()?)
        .env("ACCORD_PYTHON", tools::file_readers()?)
        .env("RUST_BACKTRACE", "0")
        .run()
}
