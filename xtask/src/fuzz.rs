//! `cargo xtask fuzz`: looks for inputs that break a property of a fuzz target (`fuzz/`), guided by the code that they
//! reach. The stable compiler counts the code that runs, with the flags that cargo-fuzz uses. There is no sanitizer,
//! because Accord has no unsafe code.
//!
//! What a target has learned stays in `target/fuzz/corpus`, so each run continues the one before.

use crate::process::{Cmd, root};
use crate::steps::{Step, run as run_steps};
use crate::tools;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

const USAGE: &str = "\
cargo xtask fuzz                   lists the targets
cargo xtask fuzz TARGET [SECONDS]  fuzzes one target, for five minutes unless SECONDS are given
cargo xtask fuzz TARGET FILE       runs one input alone
cargo xtask fuzz all SECONDS       fuzzes each target for so long";

/// How long a target is fuzzed if nobody says how long, in seconds.
const DEFAULT_SECONDS: u64 = 300;
/// Maximum length of the inputs that are tried, in bytes.
const MAX_INPUT_BYTES: usize = 8192;
/// Time after which an input counts as too slow, in seconds.
const MAX_INPUT_SECONDS: u64 = 10;
/// Maximum memory of the program, in MiB.
const MAX_MEMORY_MIB: u64 = 2048;

/// The flags with which the code under test counts what runs.
const COVERAGE_FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1";

/// The folder of everything that fuzzing makes.
const MADE: &str = "target/fuzz";

const BUILD: Step =
    Step::new("Compile the fuzz targets, so that they count the code that runs", || {
        tools::cxx()?;
        Cmd::new("cargo")
            .args([
                "build",
                "--profile",
                "fuzz",
                "--package",
                "accord-fuzz",
                "--bin",
                "accord-fuzz",
            ])
            // With a named target, the flags don't apply to build scripts, which could not be linked with them.
            .args(["--features", "libfuzzer", "--target", host()?.as_str()])
            .env("CARGO_TARGET_DIR", root().join(MADE))
            .env("RUSTFLAGS", COVERAGE_FLAGS)
            .run()
    });

/// Lists the targets, fuzzes one or all of them, or runs one input.
///
/// # Errors
/// Returns an error if there is no such target, if it can't be built, or if an input breaks a property of it.
pub fn run(args: &[String]) -> Result<()> {
    let targets = targets()?;
    let (name, rest) = match args {
        [] => return list(&targets),
        [name] => (name, None),
        [name, rest] => (name, Some(rest)),
        _ => bail!("{USAGE}"),
    };
    let seconds = rest.map_or(Ok(DEFAULT_SECONDS), |rest| rest.parse());
    match (name.as_str(), seconds) {
        ("help" | "--help" | "-h", _) => {
            println!("{USAGE}");
            Ok(())
        }
        ("all", Ok(seconds)) if rest.is_some() => {
            run_steps(&[BUILD])?;
            let outcomes: Result<Vec<String>> =
                targets.iter().map(|target| fuzz(target, seconds)).collect();
            outcomes.map(|outcomes| outcomes.iter().for_each(|outcome| println!("{outcome}")))
        }
        (name, seconds) if targets.iter().any(|target| target == name) => {
            run_steps(&[BUILD])?;
            match (seconds, rest) {
                (Err(_), Some(file)) => run_alone(name, file),
                (seconds, _) => fuzz(name, seconds.unwrap_or(DEFAULT_SECONDS))
                    .map(|outcome| println!("{outcome}")),
            }
        }
        _ => bail!("there is no fuzz target `{name}`\n\n{USAGE}"),
    }
}

/// Returns the names of the targets, each of which has a folder of seeds.
fn targets() -> Result<Vec<String>> {
    let folders = fs::read_dir(root().join("fuzz/corpus")).context("fuzz/corpus can't be read")?;
    let names = folders.map(|folder| Ok(folder?.file_name().to_string_lossy().into_owned()));
    let mut names: Vec<String> = names.collect::<Result<_>>()?;
    names.sort();
    Ok(names)
}

/// Prints each target with the first sentence of its documentation.
fn list(targets: &[String]) -> Result<()> {
    for target in targets {
        let source = fs::read_to_string(root().join(format!("fuzz/src/targets/{target}.rs")))?;
        let head = source.lines().next().unwrap_or_default();
        println!("{target:8}  {}", head.trim_start_matches("//! "));
    }
    println!("\n{USAGE}");
    Ok(())
}

fn host() -> Result<String> {
    Ok(Cmd::new("rustc").args(["--print", "host-tuple"]).output()?.trim().to_owned())
}

/// Returns the command that runs a target with arguments of libFuzzer.
fn program(target: &str) -> Result<Cmd> {
    let path = format!("{MADE}/{}/fuzz/accord-fuzz", host()?);
    let limits = [
        format!("-rss_limit_mb={MAX_MEMORY_MIB}"),
        format!("-timeout={MAX_INPUT_SECONDS}"),
        format!("-max_len={MAX_INPUT_BYTES}"),
    ];
    Ok(Cmd::new(root().join(path)).args(limits).env("ACCORD_FUZZ_TARGET", target))
}

fn run_alone(target: &str, file: &str) -> Result<()> {
    let file = std::env::current_dir()?.join(file);
    if !file.is_file() {
        bail!("{} is neither a file nor a number of seconds\n\n{USAGE}", file.display());
    }
    program(target)?.args([file]).env("RUST_BACKTRACE", "1").run()
}

/// Fuzzes a target. Returns a line that says how much was tried, and how much of it was new.
fn fuzz(target: &str, seconds: u64) -> Result<String> {
    let learned = format!("{MADE}/corpus/{target}");
    let faults = format!("{MADE}/faults/{target}/");
    for folder in [&learned, &faults] {
        fs::create_dir_all(root().join(folder))?;
    }
    let stored = ["corpus", "regressions"].map(|kind| format!("fuzz/{kind}/{target}"));
    let stored = stored.iter().filter(|folder| root().join(folder).exists());
    let (mut child, line) = program(target)?
        .args([format!("-max_total_time={seconds}"), format!("-artifact_prefix={faults}")])
        .args(["-print_final_stats=1", &learned])
        .args(stored)
        .spawn(Stdio::piped())?;
    let output = child.stderr.take().context("the output of the fuzzer is missing")?;
    let mut progress = Progress::default();
    for said in BufReader::new(output).split(b'\n') {
        let said = String::from_utf8_lossy(&said?).into_owned();
        if progress.read(&said) {
            eprintln!("{said}");
        }
    }
    let status = child.wait()?;
    if status.success() {
        return Ok(format!("{target}: {}", progress.summary(seconds)));
    }
    match progress.fault {
        Some(input) => bail!(
            "an input breaks the target `{target}`: {input}\n\
             Run it alone with `cargo xtask fuzz {target} {input}`. Once its cause is mended, keep it in \
             fuzz/regressions/{target}/."
        ),
        None => bail!("`{line}` failed ({status})"),
    }
}

/// What a fuzzer has said so far.
#[derive(Debug, Default)]
struct Progress {
    /// The state after the seeds, and the last one.
    first: Option<String>,
    last: Option<String>,
    /// Number of inputs that were tried.
    runs: Option<String>,
    /// The file with the input that breaks the target.
    fault: Option<String>,
}

impl Progress {
    /// Takes in a line of the output. Returns whether a person wants to see it: lines about single new inputs are left
    /// out.
    fn read(&mut self, line: &str) -> bool {
        if let Some((_, runs)) = line.split_once("stat::number_of_executed_units:") {
            self.runs = Some(runs.trim().to_owned());
        }
        if let Some((_, input)) = line.split_once("Test unit written to ") {
            self.fault = Some(relative(input.trim()));
        }
        let is_state = line.starts_with('#') && line.contains(" cov: ");
        if is_state {
            self.last = Some(line.to_owned());
            self.first.get_or_insert_with(|| line.to_owned());
        }
        !is_state || ["INITED", "pulse", "DONE"].iter().any(|kind| line.contains(kind))
    }

    fn summary(&self, seconds: u64) -> String {
        let value = |line: &Option<String>, name: &str| {
            let mut words = line.as_deref().unwrap_or_default().split_whitespace();
            words.find(|word| *word == name);
            words.next().unwrap_or("?").to_owned()
        };
        let change = |name| format!("{} → {}", value(&self.first, name), value(&self.last, name));
        format!(
            "{} runs in {seconds} s, counters reached (cov) {}, features (ft) {}, corpus {} (inputs/bytes)",
            self.runs.as_deref().unwrap_or("?"),
            change("cov:"),
            change("ft:"),
            value(&self.last, "corp:"),
        )
    }
}

/// Returns a path without the root of the workspace in front of it.
fn relative(path: &str) -> String {
    Path::new(path).strip_prefix(root()).map_or(path.to_owned(), |path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_says_whether_coverage_still_grows() {
        let mut progress = Progress::default();
        assert!(progress.read("INFO: Running with entropic power schedule"));
        assert!(progress.read("#9\tINITED cov: 900 ft: 1200 corp: 8/3013b exec/s: 0 rss: 37Mb"));
        assert!(!progress.read("#12\tNEW    cov: 905 ft: 1210 corp: 9/3100b lim: 9 exec/s: 0"));
        assert!(progress.read("#70\tDONE   cov: 910 ft: 1230 corp: 11/3400b lim: 9 exec/s: 5"));
        assert!(progress.read("stat::number_of_executed_units: 70"));
        let expect = "70 runs in 5 s, counters reached (cov) 900 → 910, features (ft) 1200 → 1230, \
                      corpus 11/3400b (inputs/bytes)";
        assert_eq!(progress.summary(5), expect);
        assert_eq!(progress.fault, None);
    }

    #[test]
    fn the_input_of_a_fault_is_named_from_the_root() {
        let mut progress = Progress::default();
        let path = root().join("target/fuzz/faults/scan/crash-1");
        let line = format!("artifact_prefix='x'; Test unit written to {}", path.display());
        assert!(progress.read(&line));
        assert_eq!(progress.fault.as_deref(), Some("target/fuzz/faults/scan/crash-1"));
    }
}
