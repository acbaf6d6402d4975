//! Gives the stored inputs of each target to it, without a fuzzer: the seeds in `fuzz/corpus/`, and the inputs that once
//! broke a property in `fuzz/regressions/`. With `ACCORD_WRITE=1` in the environment, it first writes the seeds.

use accord_fuzz::{TARGETS, Target};
use std::fs;
use std::path::{Path, PathBuf};

/// Maximum size of all stored inputs, in bytes.
const MAX_STORED_BYTES: usize = 300_000;
const READ: &str = "the stored inputs can be read";
const WRITTEN: &str = "the seeds can be written";

fn folder(kind: &str, target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(kind).join(target.name)
}

/// Returns the files of a folder with their bytes, in the order of their names. The folder can be missing.
fn inputs(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect(READ).path());
    let mut paths: Vec<PathBuf> = paths.collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect(READ))).collect()
}

fn write_seeds(target: &Target) {
    let folder = folder("corpus", target);
    fs::create_dir_all(&folder).expect(WRITTEN);
    for (number, seed) in target.seeds().iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:02}")), seed).expect(WRITTEN);
    }
}

#[test]
fn every_property_holds_for_the_stored_inputs() {
    let mut stored = 0;
    for target in &TARGETS {
        if std::env::var_os("ACCORD_WRITE").is_some() {
            write_seeds(target);
        }
        let seeds = inputs(&folder("corpus", target));
        assert!(!seeds.is_empty(), "the target `{}` has no seeds", target.name);
        for (path, bytes) in seeds.into_iter().chain(inputs(&folder("regressions", target))) {
            println!("{}", path.display());
            target.run(&bytes);
            stored += bytes.len();
        }
    }
    assert!(stored <= MAX_STORED_BYTES, "{stored} bytes are stored: keep the smallest inputs");
}

#[test]
fn every_stored_input_belongs_to_a_target() {
    for kind in ["corpus", "regressions"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(kind);
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(Target::named(&name).is_some(), "{kind}/{name} belongs to no target");
        }
    }
}
