//! The programs in `examples/` work unchanged, with the packages that their manifest names.

use crate::release::{freeze, of};
use accord_tests::{Server, Visitor, node};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Copies an example into a folder that links to the packages of the tests, whose versions the examples require.
/// Returns the folder and the path of the script.
fn beside_packages(example: &str) -> Result<(TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let examples = repository().join("examples");
    for name in [example, "package.json"] {
        fs::copy(examples.join(name), folder.path().join(name))?;
    }
    symlink(repository().join("tests/node_modules"), folder.path().join("node_modules"))?;
    let script = folder.path().join(example);
    Ok((folder, script))
}

fn run(script: &Path, args: &[&str]) -> Result<String> {
    node(script.to_str().context("a path is UTF-8")?, args)
}

#[test]
fn the_example_client_writes_as_any_stock_client_does() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ana = server.visit("ana")?;
    let document = ana.create("Open contracts")?;
    let (_folder, script) = beside_packages("stock-client.mjs")?;
    let address = format!("http://{}", server.address);

    let printed = run(&script, &[&address, "ana", &document, "Everybody can compare prices."])?;
    ensure!(printed.contains("Open contracts") && printed.contains("saved"), "{printed}");
    let results = ana.text(&document, "results")?;
    ensure!(results == "Everybody can compare prices.\n", "{results:?}");

    let observer = run(&script, &[&address, "obi", &document, "And observers can't write."]);
    ensure!(observer.is_err(), "an observer wrote: {observer:?}");
    Ok(())
}

#[test]
fn the_example_verifier_accepts_a_release_and_refuses_a_changed_one() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let (fay, ana, ben) = (server.visit("fay")?, server.visit("ana")?, server.visit("ben")?);
    let document = ana.create("Open contracts")?;
    freeze(&fay, &ana, &ben, &document)?;
    let (_, file, _) = ana.page(&of(&document, "releases/1"), "content-type")?;
    let (_, keys, _) = Visitor::nobody(&server.address).page("/keys.txt", "content-type")?;
    let (folder, script) = beside_packages("verify-release.mjs")?;
    let saved = folder.path().join("release.json");
    let path = saved.to_str().context("a path is UTF-8")?;

    fs::write(&saved, &file)?;
    let printed = run(&script, &[path, keys.trim()])?;
    ensure!(
        printed.contains("VERIFIED: release 1") && printed.contains("\"Ben Okafor\""),
        "{printed}"
    );

    for (what, other) in [("Open contracts", "Open contrasts"), ("Ben Okafor", "Bob Okafor")] {
        let changed = file.replacen(what, other, 1);
        ensure!(changed != file, "the file does not contain {what:?}");
        fs::write(&saved, changed)?;
        ensure!(run(&script, &[path, keys.trim()]).is_err(), "{what} became {other}, unnoticed");
    }
    fs::write(&saved, &file)?;
    let foreign = repository().join("tests/data/foreign-release.json");
    let foreign: Value = serde_json::from_str(&fs::read_to_string(foreign)?)?;
    let foreign = foreign["key"].as_str().context("a release's file names its key")?;
    ensure!(run(&script, &[path, foreign]).is_err(), "any key is as good as another");
    Ok(())
}

/// The manifest of the examples requires the same versions of packages as the manifest of the tests.
#[test]
fn the_examples_ask_for_packages_that_they_are_tested_with() -> Result<()> {
    let manifest = |path: &str| -> Result<Value> {
        Ok(serde_json::from_str(&fs::read_to_string(repository().join(path))?)?)
    };
    let (examples, tests) = (manifest("examples/package.json")?, manifest("tests/package.json")?);
    let wanted = examples["dependencies"].as_object().context("the examples have dependencies")?;
    for (name, version) in wanted {
        ensure!(tests["devDependencies"][name] == *version, "{name} {version}");
    }
    Ok(())
}
