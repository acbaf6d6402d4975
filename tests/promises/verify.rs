//! Every program that reads a release's file gives the same meaning to the file or refuses it, and prints nothing of
//! the file unescaped.
//!
//! `tests/data/verify` contains files, and its `cases.json` has the verdict on each. The library, the command line and
//! the page's own code (`tests/node/verify.mjs`) must give these verdicts. `ACCORD_WRITE=1` writes the files again.

mod cases;
mod files;

use accord_document::release::canonical::canonical;
use accord_server::signing::note::PublicKey;
use accord_server::signing::shown::Shown;
use accord_server::signing::verify::verify;
use accord_tests::{accord_binary, node};
use anyhow::{Context, Result, ensure};
use cases::cases;
use files::{mallory, ours};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/verify")
}

fn write() -> Result<()> {
    let mut index = Vec::new();
    for (name, bytes, verdict) in cases() {
        // The file with half a million zeros is too large to store, so every test makes it.
        if name != "many" {
            fs::write(folder().join(format!("{name}.json")), bytes)?;
            index.push(json!({ "file": format!("{name}.json"), "verdict": verdict }));
        }
    }
    let whole = json!({ "keys": [ours().public().to_string()], "cases": index });
    fs::write(folder().join("cases.json"), serde_json::to_string_pretty(&whole)? + "\n")?;
    Ok(())
}

/// Returns the verdict of the library, in the words of `cases.json`.
fn verdict(bytes: &[u8], keys: &[PublicKey]) -> &'static str {
    match verify(bytes, keys) {
        Ok(found) if found.other_key.is_some() => "verified, other key",
        Ok(_) => "verified",
        Err(fault) => fault.name(),
    }
}

#[test]
fn a_release_file_has_one_meaning_or_none() -> Result<()> {
    if std::env::var_os("ACCORD_WRITE").is_some() {
        write()?;
    }
    let keys = [ours().public().clone()];
    for (name, bytes, expect) in cases() {
        let found = verdict(&bytes, &keys);
        ensure!(found == expect, "{name}: {found} instead of {expect}");
        if name != "many" {
            ensure!(
                fs::read(folder().join(format!("{name}.json")))? == bytes,
                "{name} has changed"
            );
        }
    }
    // Numbers are canonical in digests, so an old file with `2.0` and a new one with `2` have the same text.
    let (old, new) = (json!({ "header": 2.0 }), json!({ "header": 2 }));
    ensure!(canonical(&old) == canonical(&new));
    Ok(())
}

/// Runs `accord verify`. Returns its exit status, and its output on both streams.
fn run(path: &Path, more: &[&str]) -> Result<(i32, String)> {
    let out = Command::new(accord_binary()).arg("verify").arg(path).args(more).output()?;
    let printed = [out.stdout, out.stderr].concat();
    Ok((out.status.code().context("it ends by itself")?, String::from_utf8(printed)?))
}

#[test]
fn accord_verify_prints_nothing_of_a_file_as_it_is_and_ends_as_it_says() -> Result<()> {
    let key = ours().public().to_string();
    let index: Value = serde_json::from_slice(&fs::read(folder().join("cases.json"))?)?;
    for case in index["cases"].as_array().context("cases")? {
        let name = case["file"].as_str().context("a file")?;
        let verdict = case["verdict"].as_str().context("a verdict")?;
        let (code, printed) = run(&folder().join(name), &["--key", &key])?;
        let is_whole = verdict.starts_with("verified");
        ensure!(code == i32::from(!is_whole), "{name}: {code} {printed}");
        ensure!(
            printed.starts_with(if is_whole { "VERIFIED\n" } else { "NOT VERIFIED\n" }),
            "{name}: {printed}"
        );
        let is_odd = |c: char| c != '\n' && accord_document::readable::is_unseen(c);
        ensure!(!printed.contains(is_odd), "{name} prints {:?}", printed);
        ensure!(
            printed.lines().filter(|line| line.starts_with("VERIFIED")).count() <= 1,
            "{name}: {printed}"
        );
        let signed = printed.lines().filter(|line| line.starts_with("Signed for"));
        let expect = if !is_whole {
            0
        } else if name.starts_with("two") {
            3
        } else {
            2
        };
        ensure!(signed.count() == expect, "{name}: {printed}");
        if verdict == "verified, other key" {
            ensure!(printed.contains(&mallory().public().to_string()), "{name}: {printed}");
        }
        // Without a key on the command line, an unaltered file gets the exit status 2, because its own key proves nothing.
        let (code, printed) = run(&folder().join(name), &[])?;
        let is_own = verdict == "verified" || name == "foreign.json";
        ensure!(code == if is_own { 2 } else { 1 }, "{name}: {code} {printed}");
        ensure!(
            !is_own || printed.contains("a key inside a file proves nothing"),
            "{name}: {printed}"
        );
    }
    // A mistake on the command line must not have the exit status of an unaltered file with an unknown key (2).
    let whole = folder().join("whole.json");
    for args in [&["--key", "no key"][..], &["--keys"], &["--number", "x"]] {
        ensure!(run(&whole, args)?.0 == 1, "{args:?}");
    }
    ensure!(run(&folder().join("not\u{202e}there.json"), &[])?.1.contains("not<U+202E>there"));
    ensure!(run(Path::new("/dev/zero"), &["--key", &key])?.0 == 1, "an endless file");
    Ok(())
}

/// Releases that earlier versions signed still verify.
#[test]
fn old_release_files_verify_as_before() -> Result<()> {
    let path = folder().join("../foreign-release.json");
    let file: Value = serde_json::from_slice(&fs::read(&path)?)?;
    let (code, printed) = run(&path, &["--key", file["key"].as_str().context("a key")?])?;
    ensure!(code == 0 && printed.starts_with("VERIFIED\n"), "{code} {printed}");
    Ok(())
}

#[test]
fn text_of_a_file_is_shown_alike_in_a_terminal_and_on_the_page() -> Result<()> {
    let path = folder().join("shown.json");
    let texts: Vec<(String, String)> = serde_json::from_slice(&fs::read(path)?)?;
    for (text, expect) in texts {
        ensure!(
            Shown::of(&text).to_string() == expect,
            "{text:?} is shown as {}",
            Shown::of(&text)
        );
    }
    Ok(())
}

#[test]
fn the_page_judges_files_as_the_command_line_does() -> Result<()> {
    node("verify.mjs", &[]).map(drop)
}

#[test]
fn a_text_that_this_version_has_no_section_for_is_shown_to_who_signs_or_verifies() -> Result<()> {
    node("reading.mjs", &[]).map(drop)
}
