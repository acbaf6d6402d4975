//! Checks the layers: imports point one way, and no module imports what its row in the map of the architecture forbids.
//!
//! The map is read from the document that people read.

mod crates;
mod graph;
mod rust;
mod source;
mod table;
mod web;

use crate::process::{Cmd, root};
use anyhow::{Context, Result, bail};
use graph::{Arrows, circle, grouped};
use std::fs;

/// The rules that apply to the imports of a folder of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ImportRules {
    /// No circle between the files and folders directly in the folder of sources, and no forbidden import. Circles within
    /// one of these inner folders are allowed.
    Top,
    /// No circle between files, no circle between the folders directly in the folder of sources, and no forbidden import.
    OneWay,
    /// The rules of [`OneWay`](Self::OneWay). In addition, each file and folder at the top has a row in the map.
    Mapped,
    /// The rules of [`OneWay`](Self::OneWay). In addition, each module has a row in the map of the architecture, and
    /// imports only modules of its own row and of rows above.
    Layers,
}

/// The folders whose imports are checked.
const CHECKED_FOLDERS: [(&str, ImportRules); 10] = [
    ("client-wasm/src", ImportRules::OneWay),
    ("document/src", ImportRules::Layers),
    ("server/files/src", ImportRules::OneWay),
    ("server/import/src", ImportRules::OneWay),
    ("server/signing/src", ImportRules::OneWay),
    ("server/src", ImportRules::Top),
    ("server/store/src", ImportRules::OneWay),
    ("server/words/src", ImportRules::OneWay),
    ("web/src", ImportRules::Mapped),
    ("xtask/src", ImportRules::OneWay),
];

/// The document that contains the map.
const MAP: &str = "docs/architecture.md";

/// Checks the crates of the workspace and all folders in [`CHECKED_FOLDERS`].
pub fn check() -> Result<()> {
    let map = map()?;
    let packages = packages()?;
    if let Some(fault) = crates::fault(&packages, &map) {
        bail!("{fault}");
    }
    for (folder, rules) in CHECKED_FOLDERS {
        let Read { arrows, values, outside } = read(folder)?;
        let fault = fault(folder, rules, [&arrows, &values], &map)
            .or_else(|| reaches_out(folder, &outside, &packages, &map));
        if let Some(fault) = fault {
            bail!("{fault}");
        }
    }
    Ok(())
}

/// Returns the rows of the map, from the document that contains it.
fn map() -> Result<Vec<table::Row>> {
    let rows = table::rows(&fs::read_to_string(root().join(MAP))?);
    if rows.is_empty() { bail!("{MAP} has no map of the modules") } else { Ok(rows) }
}

/// Returns the crates of the workspace, by their folders.
fn packages() -> Result<crates::Packages> {
    let manifests = Cmd::new("git").args(["ls-files", "*Cargo.toml"]).output()?;
    let mut all = crates::Packages::new();
    for path in manifests.lines() {
        let text = fs::read_to_string(root().join(path))
            .with_context(|| format!("{path} can't be read"))?;
        let folder = path.trim_end_matches("Cargo.toml").trim_end_matches('/');
        all.extend(crates::package(&text).map(|package| (folder.to_owned(), package)));
    }
    Ok(all)
}

/// The imports of the sources of a folder.
struct Read {
    /// The imports of each source from other sources of the folder.
    arrows: Arrows,
    /// The imports in `arrows` without those of types, which TypeScript removes.
    values: Arrows,
    /// The imports of each source from other crates.
    outside: Arrows,
}

/// Reads the imports of the sources of a folder.
fn read(folder: &str) -> Result<Read> {
    let files = Cmd::new("git").args(["ls-files", "--cached", "--others", folder]).output()?;
    let mut sources = rust::Sources::new();
    let mut files_of_web = web::Files::new();
    for path in files.lines() {
        let whole = root().join(path);
        let inner = path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/');
        let text = || fs::read_to_string(&whole).with_context(|| format!("{path} can't be read"));
        if !whole.exists() {
            continue;
        } else if inner == "main.rs" && sources.contains_key("") {
            // The library is the root of the crate. A program beside it is not a module.
        } else if let Some(module) = rust::module_of(inner) {
            sources.insert(module, text()?);
        } else if web::is_source(inner) {
            files_of_web.insert(inner.to_owned(), text()?);
        }
    }
    Ok(if sources.is_empty() {
        let [arrows, values] = [web::Counted::All, web::Counted::Values]
            .map(|counted| web::arrows(&files_of_web, counted));
        Read { arrows, values, outside: Arrows::new() }
    } else {
        let arrows = rust::arrows(&sources);
        Read { values: arrows.clone(), arrows, outside: rust::outside(&sources) }
    })
}

/// Returns a sentence about the first import in a folder that breaks a rule, or `None` if no import does. The imports are
/// given twice: all of them, and those of values only.
fn fault(
    folder: &str,
    rules: ImportRules,
    [arrows, values]: [&Arrows; 2],
    map: &[table::Row],
) -> Option<String> {
    let first = |module: &str| module.split([':', '/']).next().map(str::to_owned);
    let top = grouped(arrows, |module| first(module).filter(|name| !name.is_empty()));
    let within = if rules == ImportRules::Top { None } else { circle(arrows) };
    if let Some(circle) = within.or_else(|| circle(&top)) {
        return Some(format!("{folder}: imports form a circle: {}", circle.join(" → ")));
    }
    let rows: Vec<(usize, String, &table::Row)> = map
        .iter()
        .enumerate()
        .flat_map(|(number, row)| row.places.iter().map(move |place| (number, place, row)))
        .filter_map(|(number, place, row)| Some((number, table::module(place, folder)?, row)))
        .collect();
    let is_in =
        |module: &str, outer: &str| module == outer || module.starts_with(&format!("{outer}::"));
    let touched = |outer: &str, row: &table::Row, is_found: &dyn Fn(&str) -> bool| {
        let counted = if row.exempts_types { values } else { arrows };
        let inside = counted.iter().filter(|(from, _)| is_in(from, outer));
        let mut all = inside.flat_map(|(from, to)| to.iter().map(move |to| (from, to)));
        all.find(|(_, to)| is_found(to))
    };
    for (_, outer, row) in &rows {
        for name in row.forbidden.iter().filter_map(|path| table::module(path, folder)) {
            let mut modules = arrows.iter().flat_map(|(module, to)| to.iter().chain([module]));
            if !modules.any(|module| is_in(module, &name)) {
                return Some(format!(
                    "{folder}: the map forbids `{outer}` to touch `{name}`, but there is no such module"
                ));
            }
            if let Some((from, to)) = touched(outer, row, &|to| is_in(to, &name)) {
                return Some(format!(
                    "{folder}: `{from}` must not touch `{name}`, but imports {to}"
                ));
            }
        }
        let strays = |to: &str| !is_in(to, outer);
        if let Some((from, to)) = touched(outer, row, &strays).filter(|_| row.forbids_all) {
            return Some(format!("{folder}: `{from}` must touch nothing else, but imports {to}"));
        }
    }
    match rules {
        ImportRules::Layers => out_of_order(folder, &top, &rows),
        ImportRules::Mapped => top
            .keys()
            .find(|name| !rows.iter().any(|(_, module, _)| first(module).as_ref() == Some(*name)))
            .map(|name| format!("{folder}: the map has no row for `{name}`")),
        ImportRules::Top | ImportRules::OneWay => None,
    }
}

/// Returns a sentence about a module that imports from a crate that its row of the map forbids, or `None` if no module does.
fn reaches_out(
    folder: &str,
    outside: &Arrows,
    packages: &crates::Packages,
    map: &[table::Row],
) -> Option<String> {
    for row in map {
        let forbidden: Vec<String> =
            row.forbidden.iter().filter_map(|name| crates::named(packages, name)).collect();
        for outer in row.places.iter().filter_map(|place| table::module(place, folder)) {
            let within = format!("{outer}::");
            let inside = |module: &str| module == outer || module.starts_with(&within);
            for (module, crates) in outside.iter().filter(|(module, _)| inside(module)) {
                if let Some(name) =
                    forbidden.iter().find(|name| crates.contains(&name.replace('-', "_")))
                {
                    return Some(format!("{folder}: `{module}` must not touch `{name}`"));
                }
            }
        }
    }
    None
}

/// Returns a sentence about a module that has no row in the map, or that imports a module whose row comes later. Returns
/// `None` if there is no such module.
fn out_of_order(
    folder: &str,
    top: &Arrows,
    rows: &[(usize, String, &table::Row)],
) -> Option<String> {
    let layer =
        |name: &str| rows.iter().find(|(_, module, _)| module == name).map(|(number, ..)| *number);
    for (from, to) in top {
        let Some(own) = layer(from) else {
            return Some(format!("{folder}: the map has no row for `{from}`"));
        };
        let higher = |to: &&String| layer(to).is_none_or(|other| other > own);
        if let Some(to) = to.iter().find(higher) {
            return Some(format!(
                "{folder}: `{from}` imports `{to}`, whose row in the map comes later"
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(all: &[(&str, &[&str])]) -> Arrows {
        let of = |to: &[&str]| to.iter().map(|to| (*to).to_owned()).collect();
        all.iter().map(|(from, to)| ((*from).to_owned(), of(to))).collect()
    }

    fn map() -> Vec<table::Row> {
        table::rows(
            "| place | it is | must not touch |\n| --- | --- | --- |\n\
             | `x/src/ids.rs` | | |\n| `x/src/ledger/` | | `x/src/plan/` |\n| `x/src/plan/` | | |",
        )
    }

    #[test]
    fn a_forbidden_arrow_is_named() {
        let all =
            arrows(&[("ids", &[]), ("ledger::chain", &["plan::act"]), ("plan::act", &["ids"])]);
        let fault = fault("x/src", ImportRules::OneWay, [&all; 2], &map()).unwrap();
        assert!(fault.contains("`ledger::chain` must not touch `plan`"), "{fault}");
    }

    #[test]
    fn a_place_that_must_touch_nothing_else_touches_only_itself() {
        let map = table::rows(
            "| place | it is | must not touch |\n| --- | --- | --- |\n\
             | `x/src/text/` | | everything else |",
        );
        let found = |rules, to| fault("x/src", rules, [&arrows(&[("text::a", &[to])]); 2], &map);
        assert_eq!(found(ImportRules::OneWay, "text::b"), None);
        let other = found(ImportRules::OneWay, "api::b").unwrap();
        assert!(other.contains("`text::a` must touch nothing else"), "{other}");
        let new = arrows(&[("text::a", &[]), ("new::b", &[])]);
        let unknown = fault("x/src", ImportRules::Mapped, [&new; 2], &map).unwrap();
        assert!(unknown.contains("no row for `new`"), "{unknown}");
    }

    #[test]
    fn a_row_can_exempt_types() {
        let map = |last: &str| {
            let head = "| place | it is | must not touch |\n| --- | --- | --- |";
            table::rows(&format!("{head}\n| `x/src/a/` | | {last} |\n| `x/src/b/` | | |"))
        };
        let all = arrows(&[("a::x", &["b::y"]), ("b::y", &[])]);
        let values = arrows(&[("a::x", &[]), ("b::y", &[])]);
        let found = |last| fault("x/src", ImportRules::OneWay, [&all, &values], &map(last));
        assert!(found("`x/src/b/`").is_some());
        assert_eq!(found("`x/src/b/`; types do not count"), None);
    }

    #[test]
    fn floors_are_held_in_their_order_and_none_is_left_out() {
        let held = |all: &[(&str, &[&str])]| {
            fault("x/src", ImportRules::Layers, [&arrows(all); 2], &map())
        };
        assert_eq!(held(&[("ids", &[]), ("ledger", &["ids"]), ("plan", &["ledger", "ids"])]), None);
        let upwards = held(&[("ids", &["ledger"]), ("ledger", &[]), ("plan", &[])]).unwrap();
        assert!(upwards.contains("`ids` imports `ledger`"), "{upwards}");
        let unknown = held(&[("ids", &[]), ("ledger", &[]), ("plan", &[]), ("new", &[])]).unwrap();
        assert!(unknown.contains("no row for `new`"), "{unknown}");
    }

    #[test]
    fn a_planted_circle_between_folders_fails_where_only_the_top_is_held() {
        let inner = arrows(&[("plan", &["plan::act"]), ("plan::act", &["plan"]), ("ids", &[])]);
        assert_eq!(fault("x/src", ImportRules::Top, [&inner; 2], &[]), None);
        let outer = arrows(&[("plan::act", &["ids"]), ("ids", &["plan"]), ("plan", &[])]);
        let fault = fault("x/src", ImportRules::Top, [&outer; 2], &[]).unwrap();
        assert!(fault.contains("circle: ids → plan → ids"), "{fault}");
    }

    #[test]
    fn a_crate_that_the_map_forbids_a_module_is_named() {
        let map = table::rows(
            "| place | it is | must not touch |\n| --- | --- | --- |\n\
             | `x/src/plan/` | | `axum`, `x/store/` |\n| `x/store/` (crate `x-store`) | | |",
        );
        let package = crates::package("[package]\nname = \"x-store\"").unwrap();
        let packages = [("x/store".to_owned(), package)].into();
        let found =
            |outside: &[(&str, &[&str])]| reaches_out("x/src", &arrows(outside), &packages, &map);
        assert_eq!(found(&[("plan", &["serde"]), ("http", &["axum"])]), None);
        let named = found(&[("plan::act", &["axum"])]).unwrap();
        assert!(named.contains("`plan::act` must not touch `axum`"), "{named}");
        assert!(found(&[("plan", &["x_store"])]).is_some());
    }

    #[test]
    fn a_planted_circle_fails() {
        let all = arrows(&[("ids", &["plan"]), ("plan", &["ids"]), ("ledger", &[])]);
        let fault = fault("x/src", ImportRules::OneWay, [&all; 2], &map()).unwrap();
        assert!(fault.contains("circle: ids → plan → ids"), "{fault}");
    }

    #[test]
    fn what_is_held_is_clean() {
        check().unwrap();
    }
}
