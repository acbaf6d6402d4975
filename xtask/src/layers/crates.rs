//! Finds the dependencies of the workspace's crates, on each other and on other crates, in their manifests.

use super::table::Row;
use std::collections::{BTreeMap, BTreeSet};

/// A crate of the workspace, with its dependencies.
#[derive(Debug)]
pub struct Package {
    pub name: String,
    pub dependencies: BTreeSet<String>,
}

/// The crates of the workspace, by their folders (`server/files`).
pub type Packages = BTreeMap<String, Package>;

/// Reads a crate from its manifest. Returns `None` if the manifest is only that of a workspace. Dependencies that only
/// tests have are left out.
pub fn package(manifest: &str) -> Option<Package> {
    let (mut section, mut name, mut dependencies) = ("", None, BTreeSet::new());
    for line in manifest.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if line.starts_with('[') {
            section = line;
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let key = key.trim().split('.').next().unwrap_or_default();
        match section {
            "[package]" if key == "name" => name = Some(value.trim().trim_matches('"').to_owned()),
            "[dependencies]" => drop(dependencies.insert(key.to_owned())),
            _ => {}
        }
    }
    Some(Package { name: name?, dependencies })
}

/// Returns the name of the crate that an entry in the last column of the map of the architecture means, or `None` if the
/// entry means no crate. An entry means a crate by the crate's name or by its folder.
pub fn named(packages: &Packages, forbidden: &str) -> Option<String> {
    match packages.get(forbidden.trim_end_matches('/')) {
        Some(package) => Some(package.name.clone()),
        None => (!forbidden.contains(['/', '.', ' '])).then(|| forbidden.to_owned()),
    }
}

/// Returns a sentence about a crate that depends on what its row of the map forbids, also through other crates of the
/// workspace. Returns `None` if no crate does.
pub fn fault(packages: &Packages, map: &[Row]) -> Option<String> {
    for row in map {
        let of_row =
            row.places.iter().filter_map(|place| packages.get(place.trim_end_matches('/')));
        for package in of_row {
            let reached = reached(packages, package);
            let mut forbidden = row.forbidden.iter().filter_map(|name| named(packages, name));
            if let Some(name) = forbidden.find(|name| reached.contains(name)) {
                return Some(format!(
                    "`{}` must not touch `{name}`, but depends on it",
                    package.name
                ));
            }
        }
    }
    None
}

/// Returns all crates that a crate depends on, as far as the manifests of the workspace say.
fn reached(packages: &Packages, package: &Package) -> BTreeSet<String> {
    let mut all = package.dependencies.clone();
    let mut open: Vec<String> = all.iter().cloned().collect();
    while let Some(name) = open.pop() {
        let Some(found) = packages.values().find(|package| package.name == name) else { continue };
        open.extend(found.dependencies.iter().filter(|name| all.insert((*name).clone())).cloned());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::table;

    fn packages(all: &[(&str, &str)]) -> Packages {
        let one =
            |(folder, manifest): &(&str, &str)| Some(((*folder).to_owned(), package(manifest)?));
        all.iter().filter_map(one).collect()
    }

    fn found(all: &[(&str, &str)]) -> Option<String> {
        let map = "| place | it is | must not touch |\n| --- | --- | --- |\n\
                   | `x/files/` (crate `x-files`) | | `tokio`, `x/store/`; the network |";
        fault(&packages(all), &table::rows(map))
    }

    #[test]
    fn a_dependency_that_the_map_forbids_is_named_also_behind_another_crate() {
        let files = |dependency: &str| {
            format!(
                "[package]\nname = \"x-files\"\n[dependencies]\nserde.workspace = true\n{dependency}\n\
                 [dev-dependencies]\nx-store.workspace = true"
            )
        };
        let store = ("x/store", "[package]\nname = \"x-store\"\n[dependencies]\ntokio = \"1\"");
        let workspace = ("", "[workspace]\nmembers = []");
        assert_eq!(found(&[workspace, ("x/files", &files("")), store]), None, "tests may");
        let direct = found(&[("x/files", &files("tokio = { workspace = true }"))]).unwrap();
        assert_eq!(direct, "`x-files` must not touch `tokio`, but depends on it");
        let folder = found(&[("x/files", &files("x-store.workspace = true")), store]).unwrap();
        assert!(folder.contains("`x-files` must not touch"), "{folder}");
        let words = ("x/words", "[package]\nname = \"x-words\"\n[dependencies]\nx-store = \"1\"");
        let behind = found(&[("x/files", &files("x-words.workspace = true")), words, store]);
        assert!(behind.is_some());
    }
}
