//! Checks that need no running server: formatting, lints, layers, documents, licences, types, and whether generated files
//! are up to date.

use crate::build;
use crate::documents;
use crate::layers;
use crate::markdown;
use crate::named_code;
use crate::numbers;
use crate::process::{Cmd, root};
use crate::protocol_rules;
use crate::steps::Step;
use crate::tools;
use anyhow::{Result, bail};
use std::fs;

/// The crates that the pure crate `accord-document` must not depend on.
const IMPURE: [&str; 4] = ["tokio", "axum", "sled", "wasm-bindgen"];

/// The steps of all checks. The web application must have been built, because some steps need `web/src/wasm`.
pub const STEPS: [Step; 8] = [
    Step::new("Check formatting", formatting),
    Step::new(
        "Lint and test the commands themselves, and lint the browser's client",
        commands_and_client,
    ),
    Step::new("Check layers and documents", || {
        layers()?;
        documents()
    }),
    Step::new("Check licences and sources of dependencies", licences),
    build::FOR_TESTS,
    Step::new("Check that the web app's types are the API's", api_types),
    Step::new("Check that the web app's types are the document's", document_types),
    Step::new("Check the web app", web),
];

fn formatting() -> Result<()> {
    Cmd::new("cargo").args(["fmt", "--all", "--check"]).run()
}

/// Lints and tests this package. Then lints the browser's client, which is compiled for this machine only here.
fn commands_and_client() -> Result<()> {
    build::cargo_with_lints("test").args(["--quiet", "--package", "xtask"]).run()?;
    build::cargo_with_lints("build").args(["--package", "accord-client", "--all-targets"]).run()
}

fn web() -> Result<()> {
    Cmd::new("npm").args(["run", "--silent", "lint"]).dir("web").run()?;
    Cmd::new("npm").args(["run", "--silent", "check"]).dir("web").run()?;
    Cmd::new("npm").args(["run", "--silent", "budget"]).dir("web").run()
}

/// Checks which modules import which, in Rust and in the web application.
pub fn layers() -> Result<()> {
    purity()?;
    layers::check()
}

/// Checks the documents: links, paths, rules of the protocol, whether each limit names the test or file that enforces it,
/// and whether functions, types and numbers are where the documents say.
pub fn documents() -> Result<()> {
    documents::check()?;
    protocol_rules::check()?;
    named_code::check()?;
    numbers::check()?;
    limits()
}

/// Checks that the crate `accord-document` depends on none of the [`IMPURE`] crates.
fn purity() -> Result<()> {
    let tree = Cmd::new("cargo")
        .args(["tree", "--edges", "normal", "--package", "accord-document", "--prefix", "none"])
        .output()?;
    for name in IMPURE {
        if tree.lines().any(|line| line.split(' ').next() == Some(name)) {
            bail!("accord-document must stay pure, but depends on {name}");
        }
    }
    Ok(())
}

/// Checks that every limit in `docs/limits.md` names what enforces it: an existing test, or the file that sets the limit.
fn limits() -> Result<()> {
    let sources = Cmd::new("git").args(["ls-files", "*.rs", "*.mjs"]).output()?;
    let sources: Vec<String> =
        sources.lines().filter_map(|path| fs::read_to_string(root().join(path)).ok()).collect();
    let holds = |name: &str| {
        let test = format!("fn {}(", name.rsplit("::").next().unwrap_or(name));
        root().join(name).exists() || sources.iter().any(|source| source.contains(&test))
    };
    for row in markdown::rows(&fs::read_to_string(root().join("docs/limits.md"))?, "test") {
        let (path, test) = (row.first().unwrap_or(&""), row.last().unwrap_or(&""));
        if let Some(missing) = markdown::codes(test).find(|name| !holds(name)) {
            bail!(
                "docs/limits.md names `{missing}` for “{path}”, but there is no such test or file"
            );
        }
        if test.is_empty() {
            bail!("docs/limits.md names no test or file that enforces the limit of “{path}”");
        }
    }
    Ok(())
}

/// Checks the licences, sources and duplicates of dependencies. The database of advisories is not checked here, because
/// it must be fetched from outside. Where that is possible, run `cargo deny check advisories`.
fn licences() -> Result<()> {
    let deny = tools::cargo_deny()?;
    Cmd::new(deny).args(["check", "--hide-inclusion-graph", "licenses", "bans", "sources"]).run()
}

/// Checks that the API types of the web application are those that the server describes. Files that differ are written
/// anew, and the check fails.
fn api_types() -> Result<()> {
    let described = Cmd::new("target/debug/accord").args(["openapi"]).output()?;
    let path = root().join("web/src/api/openapi.json");
    let fresh = "web/src/api/openapi.json did not match the server's description";
    if fs::read_to_string(&path).unwrap_or_default() != described {
        fs::write(&path, &described)?;
        bail!("{fresh}. It does now: commit it and schema.d.ts");
    }
    let schema = root().join("web/src/api/schema.d.ts");
    let before = fs::read_to_string(&schema).unwrap_or_default();
    typescript("src/api/openapi.json", "src/api/schema.d.ts")?;
    if fs::read_to_string(&schema)? != before {
        bail!("web/src/api/schema.d.ts did not match openapi.json. It does now: commit it");
    }
    Ok(())
}

/// Checks that the TypeScript files made from the crate `document` (close codes, limits, sections, fields, types of the
/// WebAssembly module's answers) are up to date. Files that differ are written anew, and the check fails.
fn document_types() -> Result<()> {
    const FILES: [&str; 5] =
        ["protocol.ts", "limits.ts", "sections.ts", "fields.ts", "module.d.ts"];
    let folder = root().join("web/src/generated");
    let read = || FILES.map(|name| fs::read_to_string(folder.join(name)).unwrap_or_default());
    let before = read();
    // Compiled with the server, which needs the same feature `schema`.
    Cmd::new("target/debug/examples/web").args(["web/src/generated"]).run()?;
    typescript("src/generated/module.json", "src/generated/module.d.ts")?;
    if read() != before {
        bail!("web/src/generated did not match `document`. It does now: commit it");
    }
    Ok(())
}

/// Generates TypeScript types from the schemas of an OpenAPI description. Both paths are relative to `web`.
fn typescript(description: &str, types: &str) -> Result<()> {
    Cmd::new("npx")
        .args(["--no-install", "openapi-typescript", description, "-o", types])
        .dir("web")
        .output()
        .map(|_| ())
}
