//! Builds the browser's WebAssembly, the web application, and the binary that contains both.

use crate::process::{Cmd, root};
use crate::steps::Step;
use crate::tools::{self, WasmToolchain};
use anyhow::{Context, Result};
use std::path::Path;
use std::{fs, io};

const WASM_MODULE: &str = "accord_client";

/// The WebAssembly features that rustc uses and that browsers have had for years. Some browsers would refuse a module
/// that uses more features.
const WASM_FEATURE_FLAGS: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// The steps that build the web application into `web/dist`.
pub const WEB: [Step; 3] = [
    Step::new("Install the web app's packages", || tools::npm("web")),
    Step::new("Compile the browser's WebAssembly", wasm),
    Step::new("Bundle the web app", web_app),
];

/// The step that builds `target/release/accord`, optimised for use. The web application must have been built before.
pub const RELEASE: Step = Step::new("Compile the server, optimised as a whole", || {
    tools::make()?;
    Cmd::new("cargo").args(["build", "--release", "--package", "accord-server"]).run()
});

/// The step that builds `target/debug/accord` for demos. It compiles fast, and reads the web application from `web/dist`.
pub const DEBUG: Step = Step::new("Compile the server", || {
    tools::make()?;
    Cmd::new("cargo").args(["build", "--package", "accord-server"]).run()
});

/// The cargo arguments that select the packages for checks and tests. Every command selects the same packages: they
/// decide which features of dependencies are compiled, so another selection would compile the server once more.
const TESTED_PACKAGES: [&str; 5] =
    ["--workspace", "--exclude", "accord-client", "--exclude", "xtask"];

/// Returns a cargo command that compiles our own crates with Clippy, and in which a lint is an error.
///
/// The command `cargo clippy` checks without compiling, so that all dependencies are read once for the lints and compiled
/// once more for the tests. Clippy's driver is a compiler as well. With it in place of rustc, everything is compiled once.
/// The variables are those that `cargo clippy` sets.
pub fn cargo_with_lints(subcommand: &str) -> Cmd {
    Cmd::new("cargo")
        .args([subcommand])
        .env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver")
        .env("CLIPPY_ARGS", "--deny__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__")
}

/// Returns a cargo command as [`cargo_with_lints`] does, for all packages that the tests need.
pub fn cargo_for_tests(subcommand: &str) -> Cmd {
    cargo_with_lints(subcommand).args(TESTED_PACKAGES)
}

/// The step that builds `target/debug/accord` for the tests, which run it as a process of its own, and the tests.
pub const FOR_TESTS: Step = Step::new("Compile the server and the tests, with lints", || {
    tools::make()?;
    cargo_for_tests("build").args(["--all-targets"]).run()
});

/// Bundles the web application into `web/dist`, and writes a Brotli copy beside each file that compresses well.
fn web_app() -> Result<()> {
    Cmd::new("npm").args(["run", "--silent", "build"]).dir("web").run()?;
    compress(&root().join("web/dist"))
}

/// Builds the browser's WebAssembly, and the JavaScript that loads it, into `web/src/wasm`.
fn wasm() -> Result<()> {
    let common = [
        "build",
        "--package",
        "accord-client",
        "--profile",
        "wasm",
        "--target",
        "wasm32-unknown-unknown",
    ];
    let target = root().join("target/browser");
    match tools::wasm_toolchain()? {
        WasmToolchain::Own => Cmd::new("cargo").args(common),
        WasmToolchain::Debian { linker } => Cmd::new("/usr/bin/cargo")
            .args(common)
            .args(["-Z", "build-std=std,panic_abort"])
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTC", "/usr/bin/rustc")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker),
    }
    .env("CARGO_TARGET_DIR", &target)
    .env("RUSTFLAGS", r#"--cfg getrandom_backend="wasm_js""#)
    .run()?;
    let module = target.join("wasm32-unknown-unknown/wasm").join(format!("{WASM_MODULE}.wasm"));
    let out = root().join("web/src/wasm");
    let fresh = out.join(format!("{WASM_MODULE}_bg.wasm"));
    if newer(&fresh, &module) {
        return Ok(());
    }
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(&module)
        .web(true)
        .and_then(|bindgen| bindgen.typescript(true).generate(&out))
        .context("wasm-bindgen can't write the glue between JavaScript and WebAssembly")?;
    Cmd::new("npx")
        .args(["--no-install", "wasm-opt", "-Oz", "--converge"])
        // The removed sections name tools and versions, which no browser reads.
        .args(["--strip-producers", "--strip-target-features"])
        .args(WASM_FEATURE_FLAGS)
        .args(["-o"])
        .args([&fresh, &fresh])
        .dir("web")
        .run()
}

fn newer(a: &Path, b: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified());
    matches!((time(a), time(b)), (Ok(a), Ok(b)) if a >= b)
}

/// Writes a Brotli copy (`.br`) beside each file of a folder whose format compresses well.
fn compress(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            compress(&path)?;
            continue;
        }
        let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        if ["html", "js", "css", "svg", "wasm", "json", "webmanifest"].contains(&extension.as_str())
        {
            let params =
                brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
            let mut out = Vec::new();
            brotli::BrotliCompress(&mut io::Cursor::new(fs::read(&path)?), &mut out, &params)?;
            fs::write(path.with_extension(format!("{extension}.br")), out)?;
        }
    }
    Ok(())
}

/// Bundles the editor of the web application for the tests that run it in Node, beside stock editors.
pub fn bundle_for_node() -> Result<()> {
    bundle("../tests/node/editor.config.js")
}

/// Bundles the editor of the web application, and y-prosemirror, for the page of the benchmarks.
pub fn bundle_for_bench() -> Result<()> {
    bundle("../tests/bench/browser/rolldown.config.js")
}

fn bundle(config: &str) -> Result<()> {
    Cmd::new("npx").args(["--no-install", "rolldown", "--config", config]).dir("web").run()
}
