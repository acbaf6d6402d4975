//! Building: the browser's WebAssembly, the web app, and the one binary with both inside.

use crate::process::{Cmd, root};
use crate::steps::Step;
use crate::tools::{self, WasmToolchain};
use anyhow::{Context, Result};
use std::path::Path;
use std::{fs, io};

const WASM_MODULE: &str = "accord_client";

/// What rustc emits and every browser of the last years knows; more, and some refuse the module.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Builds the web app into `web/dist`.
pub const WEB: [Step; 3] = [
    Step::new("Install the web app's packages", || tools::npm("web")),
    Step::new("Compile the browser's WebAssembly", wasm),
    Step::new("Bundle the web app", web_app),
];

/// Builds `target/release/accord` from a web app that was built: optimised, for use.
pub const RELEASE: Step = Step::new("Compile the server, optimised as a whole", || {
    tools::make()?;
    Cmd::new("cargo").args(["build", "--release", "--package", "accord-server"]).run()
});

/// Builds `target/debug/accord`, which reads the web app from `web/dist`: soon compiled, for demos.
pub const DEBUG: Step = Step::new("Compile the server", || {
    tools::make()?;
    Cmd::new("cargo").args(["build", "--package", "accord-server"]).run()
});

/// The packages that checks and tests compile. It is always these together: which features
/// of a dependency are compiled depends on the packages, and another choice would compile the server once more.
pub const TESTED: [&str; 5] = ["--workspace", "--exclude", "accord-client", "--exclude", "xtask"];

/// Builds `target/debug/accord`, as the tests need it beside them.
pub const FOR_TESTS: Step = Step::new("Compile the server for the tests", || {
    tools::make()?;
    Cmd::new("cargo").args(["build"]).args(TESTED).run()
});

/// Bundles the web app into `web/dist`, with every file that compresses also as brotli.
fn web_app() -> Result<()> {
    Cmd::new("npm").args(["run", "--silent", "build"]).dir("web").run()?;
    compress(&root().join("web/dist"))
}

/// Builds the browser's WebAssembly and its glue into `web/src/wasm`.
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
        // They name tools and versions, and no browser reads them.
        .args(["--strip-producers", "--strip-target-features"])
        .args(FEATURES)
        .args(["-o"])
        .args([&fresh, &fresh])
        .dir("web")
        .run()
}

fn newer(a: &Path, b: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified());
    matches!((time(a), time(b)), (Ok(a), Ok(b)) if a >= b)
}

/// Writes a `.br` beside each file of a folder that gains by it.
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

/// Bundles the web app's editor for the tests that run it in Node, beside stock editors.
pub fn bundle_for_node() -> Result<()> {
    bundle("../tests/node/editor.config.js")
}

/// Bundles the web app's editor and y-prosemirror for the benchmarks' page.
pub fn bundle_for_bench() -> Result<()> {
    bundle("../tests/bench/browser/rolldown.config.js")
}

fn bundle(config: &str) -> Result<()> {
    Cmd::new("npx").args(["--no-install", "rolldown", "--config", config]).dir("web").run()
}
