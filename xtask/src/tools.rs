//! Finds or installs the tools that building and testing need, other than Rust and Node.js.

use crate::process::{Cmd, root};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const WASM: &str = "wasm32-unknown-unknown";

/// A toolchain that compiles for the browser.
pub enum WasmToolchain {
    /// The Rust toolchain that runs this program, which has the WebAssembly target.
    Own,
    /// Debian's packages for the WebAssembly target, with which the standard library is built from source.
    Debian { linker: PathBuf },
}

/// Returns a toolchain that compiles for the browser, and installs it if it is missing.
pub fn wasm_toolchain() -> Result<WasmToolchain> {
    if has_target() {
        return Ok(WasmToolchain::Own);
    }
    if Cmd::new("rustup").args(["target", "add", WASM]).succeeds() && has_target() {
        return Ok(WasmToolchain::Own);
    }
    let packages = ["rustc-web", "cargo-web", "rust-web-src"];
    if !packages.iter().all(|package| has_package(package)) {
        apt_install(&packages).with_context(|| {
            format!(
                "The browser's code can't be compiled: run `rustup target add {WASM}`, or on \
                 Debian install the packages {}.",
                packages.join(", ")
            )
        })?;
    }
    let sysroot = Cmd::new("rustc").args(["--print", "sysroot"]).output()?;
    let host = Cmd::new("rustc").args(["--print", "host-tuple"]).output()?;
    let linker =
        Path::new(sysroot.trim()).join("lib/rustlib").join(host.trim()).join("bin/rust-lld");
    if !linker.exists() {
        bail!(
            "The linker rust-lld is missing from {}: reinstall the Rust toolchain.",
            linker.display()
        );
    }
    Ok(WasmToolchain::Debian { linker })
}

fn has_target() -> bool {
    let libdir = Cmd::new("rustc").args(["--print", "target-libdir", "--target", WASM]).output();
    libdir.is_ok_and(|dir| Path::new(dir.trim()).exists())
}

/// Installs make if it is missing. The C code of dependencies is compiled with make and with the C compiler that Rust
/// needs for linking as well.
pub fn make() -> Result<()> {
    if !Cmd::new("make").args(["--version"]).succeeds() {
        apt_install(&["make"]).context("The server can't be compiled without make: install it.")?;
    }
    Ok(())
}

/// Installs a C++ compiler if it is missing. libFuzzer is compiled with it.
pub fn cxx() -> Result<()> {
    if !Cmd::new("c++").args(["--version"]).succeeds() {
        apt_install(&["g++"])
            .context("Fuzzing needs a C++ compiler: on Debian, install the package g++.")?;
    }
    Ok(())
}

/// Installs the npm packages of a folder, if its lock file has changed since the last time.
pub fn npm(folder: &str) -> Result<()> {
    let dir = root().join(folder);
    let lock = std::fs::read(dir.join("package-lock.json"))?;
    let stamp = dir.join("node_modules/.accord-lock");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    if !Cmd::new("npm").args(["--version"]).succeeds() {
        bail!("Node.js is missing: install version 20 or later, with npm.");
    }
    Cmd::new("npm").args(["ci", "--no-audit", "--no-fund"]).dir(folder).run()?;
    std::fs::write(stamp, lock)?;
    Ok(())
}

/// Returns the path of the browser for the tests. `ACCORD_CHROMIUM` can name a browser. Otherwise, Chromium's headless
/// shell is used, and installed if it is missing. The shell draws each page by itself. Full Chromium draws into windows
/// that no compositor shows, and sometimes stops drawing one of several windows. It is used only where the shell can't
/// be installed.
pub fn chromium() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("ACCORD_CHROMIUM") {
        return Ok(path.into());
    }
    let shell = PathBuf::from("/usr/bin/chromium-headless-shell");
    if shell.exists() {
        return Ok(shell);
    }
    let install = |package| apt_install(&[package, "fonts-noto-core", "fonts-noto-cjk"]);
    if install("chromium-headless-shell").is_ok() && shell.exists() {
        return Ok(shell);
    }
    let whole = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    let whole = || whole.iter().map(PathBuf::from).find(|path| path.exists());
    if let Some(path) = whole() {
        return Ok(path);
    }
    let how = "The tests need Chromium: install it, or name one in ACCORD_CHROMIUM.";
    install("chromium").context(how)?;
    whole().context(how)
}

/// Installs the programs with which the tests open files as other people do: poppler, LibreOffice, and a checker of
/// PDF/UA. Returns the path of the Python interpreter that has the checker.
pub fn file_readers() -> Result<PathBuf> {
    let how = "The tests need pdfinfo (poppler-utils), soffice (LibreOffice Writer) and Python 3 with venv.";
    let has = |program: &str, version: &str| Cmd::new(program).args([version]).succeeds();
    if !(has("pdfinfo", "-v") && has("soffice", "--version") && has("python3", "--version")) {
        apt_install(&["poppler-utils", "libreoffice-writer-nogui", "python3-venv"]).context(how)?;
    }
    let home = root().join("target/tools/readers");
    let python = home.join("bin/python");
    let wanted = ["pdfua==0.1.3", "pikepdf==10.18.0"];
    let stamp = home.join("installed");
    if std::fs::read_to_string(&stamp).ok() != Some(wanted.join(" ")) {
        if !Cmd::new("python3").args(["-m", "venv"]).args([&home]).succeeds() {
            apt_install(&["python3-venv"]).context(how)?;
            Cmd::new("python3").args(["-m", "venv"]).args([&home]).run()?;
        }
        Cmd::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(wanted)
            .run()?;
        std::fs::write(stamp, wanted.join(" "))?;
    }
    Ok(python)
}

/// Returns the path of cargo-deny, which is built once into the target folder.
pub fn cargo_deny() -> Result<PathBuf> {
    let home = root().join("target/tools");
    let path = home.join("bin/cargo-deny");
    if !path.exists() {
        Cmd::new("cargo")
            // Compiling without optimisation takes a third of the time, and the checks still take only seconds. Nobody
            // debugs this tool.
            .args(["install", "cargo-deny", "--locked", "--version", "0.20.2", "--debug", "--root"])
            .args([&home])
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .run()?;
    }
    Ok(path)
}

/// Installs the servers that Accord is compared with: y-sweet, built once into the target folder, and npm packages, with
/// the Node.js that they need.
pub fn peers() -> Result<()> {
    const Y_SWEET: &str = "0.9.1";
    let home = root().join("target/tools/peers");
    let installed = Cmd::new(home.join("bin/y-sweet")).args(["version"]).output();
    if !installed.is_ok_and(|version| version.trim() == Y_SWEET) {
        Cmd::new("cargo")
            .args(["install", "y-sweet", "--locked", "--version", Y_SWEET, "--root"])
            .args([&home])
            .run()?;
    }
    npm("tests/bench/peers")
}

fn has_package(name: &str) -> bool {
    Cmd::new("dpkg").args(["-s", name]).succeeds()
}

/// Held while packages are installed, because two installations at the same time fail.
static APT: Mutex<()> = Mutex::new(());

fn apt_install(packages: &[&str]) -> Result<()> {
    let _held = APT.lock().unwrap_or_else(PoisonError::into_inner);
    Cmd::new("apt-get").args(["update", "-q"]).run()?;
    Cmd::new("apt-get")
        .args(["install", "-y", "-q", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .run()
}
