//! `cargo xtask demo | test | build | check | bench`: the commands a person or CI runs. Each
//! installs what is missing first, and says in one sentence what to do when it can't.

mod bench;
mod build;
mod check;
mod process;
mod test;
mod tools;

use anyhow::{Result, bail};
use process::Cmd;

const USAGE: &str = "\
cargo xtask COMMAND

  demo    build everything and serve a demo on http://127.0.0.1:4040
  test    run every check and every test, real browser included
  build   build target/release/accord with the web app inside
  web     build the web app alone, for a server run with `cargo run`
  check   formatting, lints, layering, licences, types
  bench   measure; `cargo xtask bench --help` lists the benchmarks";

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let command = args.next();
    let rest: Vec<String> = args.collect();
    match command.as_deref() {
        Some("demo") => {
            build::release()?;
            let mut serve = Cmd::new("target/release/accord").args(["serve", "--demo"]);
            if !rest.iter().any(|arg| arg == "--data") {
                serve = serve.args(["--data", "target/demo"]);
            }
            serve.args(&rest).run()
        }
        Some("test") => test::all(),
        Some("build") => build::release(),
        Some("web") => build::web(),
        Some("check") => {
            build::web()?;
            check::all()
        }
        Some("bench") => bench::run(&rest),
        Some("help" | "--help" | "-h") | None => {
            println!("{USAGE}");
            Ok(())
        }
        Some(other) => bail!("there is no command `{other}`\n\n{USAGE}"),
    }
}
