//! `cargo xtask demo | test | build | web | check | layers | docs | bench | fuzz`: the commands that people and CI run. Each
//! command first installs what is missing. If it can't, it says in one sentence what to do.

mod bench;
mod build;
mod check;
mod documents;
mod fuzz;
mod layers;
mod markdown;
mod named_code;
mod numbers;
mod process;
mod protocol_rules;
mod steps;
mod test;
mod tools;

use anyhow::{Result, bail};
use process::Cmd;
use std::process::ExitCode;
use steps::run;

const USAGE: &str = "\
cargo xtask COMMAND

  demo    build everything quickly, and serve a demo on http://127.0.0.1:4040
  test    run every check and every test, with a real browser
  build   build target/release/accord, optimised, with the web app inside
  web     build only the web app, for a server run with `cargo run`
  check   formatting, lints, layering, documents, licences, types
  layers  check only which module may import which
  docs    check only the documents: links, paths, rules of the protocol, what enforces each limit, and where code is
  bench   measure; `cargo xtask bench --help` lists the benchmarks
  fuzz    look for inputs that break a property; `cargo xtask fuzz` lists the targets";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next();
    let rest: Vec<String> = args.collect();
    match run_command(command.as_deref(), &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Print no backtrace: logs that show only their last lines would show it in place of the error.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_command(command: Option<&str>, rest: &[String]) -> Result<()> {
    match command {
        Some("demo") => demo(rest),
        Some("test") => {
            let done =
                run(&[&[test::BEGIN], &build::WEB[..], &check::STEPS, &test::STEPS].concat());
            test::end_installation();
            done
        }
        Some("build") => run(&[&build::WEB[..], &[build::RELEASE]].concat()),
        Some("web") => run(&build::WEB),
        Some("check") => run(&[&build::WEB[..], &check::STEPS].concat()),
        Some("layers") => check::layers(),
        Some("docs") => check::documents(),
        Some("bench") => bench::run(rest),
        Some("fuzz") => fuzz::run(rest),
        Some("help" | "--help" | "-h") | None => {
            println!("{USAGE}");
            Ok(())
        }
        Some(other) => bail!("there is no command `{other}`\n\n{USAGE}"),
    }
}

/// Builds the server without optimisation, and serves a demo with its data in `target/demo`, or in the folder that
/// `--data` names.
fn demo(options: &[String]) -> Result<()> {
    run(&[&build::WEB[..], &[build::DEBUG]].concat())?;
    let mut serve = Cmd::new("target/debug/accord").args(["serve", "--demo"]);
    if !options.iter().any(|option| option == "--data" || option.starts_with("--data=")) {
        serve = serve.args(["--data", "target/demo"]);
    }
    serve.args(options).run()
}
