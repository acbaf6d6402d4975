//! Runs other programs. A failure is an error that names the command line.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Returns the root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the workspace")
        .into()
}

pub struct Cmd {
    command: Command,
    line: String,
}

impl Cmd {
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let line = program.as_ref().to_string_lossy().into_owned();
        let mut command = Command::new(program);
        command.current_dir(root());
        // The cargo that runs this program sets these variables to its own toolchain. Another cargo must choose its own.
        for name in ["CARGO", "RUSTC", "RUSTC_WRAPPER", "CARGO_MANIFEST_DIR"] {
            command.env_remove(name);
        }
        Self { command, line }
    }

    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        for arg in args {
            self.line = format!("{} {}", self.line, arg.as_ref().to_string_lossy());
            self.command.arg(arg);
        }
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(root().join(dir));
        self
    }

    /// Prints the command line, then runs the program and shows its output.
    pub fn run(mut self) -> Result<()> {
        eprintln!("› {}", self.line);
        let status =
            self.command.status().with_context(|| format!("`{}` can't be run", self.line))?;
        if !status.success() {
            bail!("`{}` failed ({status})", self.line);
        }
        Ok(())
    }

    /// Prints the command line, then starts the program with its errors going to `stderr`. Returns the running program and
    /// its command line.
    pub fn spawn(mut self, stderr: Stdio) -> Result<(Child, String)> {
        eprintln!("› {}", self.line);
        let child = self.command.stderr(stderr).spawn();
        let child = child.with_context(|| format!("`{}` can't be run", self.line))?;
        Ok((child, self.line))
    }

    /// Runs the program and returns what it printed to its standard output.
    pub fn output(mut self) -> Result<String> {
        let output = self.command.stderr(Stdio::inherit()).output();
        let output = output.with_context(|| format!("`{}` can't be run", self.line))?;
        if !output.status.success() {
            bail!("`{}` failed ({})", self.line, output.status);
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs the program without showing its output, and returns whether it succeeded.
    pub fn succeeds(mut self) -> bool {
        let quiet = self.command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    }
}
