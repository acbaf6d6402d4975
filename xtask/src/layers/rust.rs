//! Finds the imports between the modules of a Rust crate: its `use` trees, and paths that begin with `crate` or `super`.
//!
//! Code of tests is left out, and so is a `pub use` by which a module re-exports an item of its own child. If another
//! module uses that item, the import is taken as an import from the child that defines the item.

use super::graph::Arrows;
use super::source::{items_of_tests, without_comments};
use std::collections::{BTreeMap, BTreeSet};

/// The sources of a crate's modules, by their paths (`a::b`). The path of the root is `""`.
pub type Sources = BTreeMap<String, String>;

/// Returns the module in a file: `a::b` for both `a/b.rs` and `a/b/mod.rs`. `None` if the file is not Rust.
pub fn module_of(path: &str) -> Option<String> {
    let path = path.strip_suffix(".rs")?;
    let path = path.strip_suffix("/mod").unwrap_or(path);
    Some(if matches!(path, "lib" | "main") { String::new() } else { path.replace('/', "::") })
}

/// Returns the imports of each module from other modules of the crate.
pub fn arrows(sources: &Sources) -> Arrows {
    let krate = Crate::of(sources);
    let mut arrows = Arrows::new();
    for (module, text) in &krate.sources {
        let mut to = BTreeSet::new();
        for import in imports(text) {
            let is_reexport = import.is_public && krate.is_child(module, &import.path);
            let found = krate.resolve(module, &import.path).filter(|_| !is_reexport);
            to.extend(found.filter(|found| found != module));
        }
        arrows.insert(module.clone(), to);
    }
    arrows
}

/// Returns the imports of each module from other crates, also under a name that the root gives a crate (`pub use a as b`).
pub fn outside(sources: &Sources) -> Arrows {
    let krate = Crate::of(sources);
    let leads_out = |module: &str, path: &[String]| krate.resolve(module, path).is_none();
    let root = krate.sources.get("").map(|text| imports(text)).unwrap_or_default();
    let renamed: BTreeMap<String, String> = root
        .into_iter()
        .filter(|import| import.is_public && leads_out("", &import.path))
        .map(|import| (import.name, import.path[0].clone()))
        .collect();
    let crate_of = |module: &str, path: &[String]| match path {
        [first, second, ..] if first == "crate" => renamed.get(second).cloned(),
        _ => leads_out(module, path).then(|| path[0].clone()),
    };
    let of = |(module, text): (&String, &String)| {
        let found = imports(text).into_iter().filter_map(|import| crate_of(module, &import.path));
        (module.clone(), found.collect())
    };
    krate.sources.iter().map(of).collect()
}

struct Crate {
    /// The sources without comments, string literals and tests.
    sources: Sources,
    /// The items that each module re-exports, with the module that each comes from.
    reexports: BTreeMap<String, BTreeMap<String, String>>,
}

impl Crate {
    fn of(sources: &Sources) -> Self {
        let mut left: Sources = BTreeMap::new();
        let mut tests: Vec<String> = Vec::new();
        for (module, text) in sources {
            let (text, modules) = items_of_tests(&without_comments(text));
            tests.extend(modules.into_iter().map(|name| join(module, &name)));
            left.insert(module.clone(), text);
        }
        let is_test = |module: &str| {
            let within = |test: &String| module.starts_with(&format!("{test}::"));
            tests.iter().any(|test| module == test || within(test))
        };
        left.retain(|module, _| !is_test(module));
        let mut krate = Self { sources: left, reexports: BTreeMap::new() };
        let mut reexports: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (module, text) in &krate.sources {
            for import in imports(text).into_iter().filter(|import| import.is_public) {
                let Some(from) = krate.resolve(module, &import.path) else { continue };
                reexports.entry(module.clone()).or_default().insert(import.name, from);
            }
        }
        krate.reexports = reexports;
        krate
    }

    /// Returns the module to which a path in `module` leads, or `None` if it leads out of the crate.
    fn resolve(&self, module: &str, path: &[String]) -> Option<String> {
        let mut at: Vec<&str> = module.split("::").filter(|part| !part.is_empty()).collect();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                at.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    at.pop();
                    rest = &rest[1..];
                }
            }
            child if self.sources.contains_key(&join(module, child)) => {}
            _ => return None,
        }
        let mut found = at.join("::");
        for part in rest {
            let child = join(&found, part);
            if self.sources.contains_key(&child) {
                found = child;
            } else {
                let from = self.reexports.get(&found).and_then(|items| items.get(part));
                return Some(from.cloned().unwrap_or(found));
            }
        }
        Some(found)
    }

    /// Whether a path leads to a child of the module in which it is written.
    fn is_child(&self, module: &str, path: &[String]) -> bool {
        let found = self.resolve(module, path);
        found.is_some_and(|found| found.starts_with(&format!("{module}::")) || module.is_empty())
    }
}

fn join(module: &str, child: &str) -> String {
    if module.is_empty() { child.to_owned() } else { format!("{module}::{child}") }
}

struct Import {
    path: Vec<String>,
    /// The name of the imported item in the importing module.
    name: String,
    is_public: bool,
}

/// Returns all imports of a source, and all paths in the source that begin with `crate` or `super`.
fn imports(text: &str) -> Vec<Import> {
    let mut all = Vec::new();
    let words = |at: usize| text[..at].chars().next_back().is_none_or(|c| !is_word(c));
    for (at, _) in text.match_indices("use ").filter(|(at, _)| words(*at)) {
        let Some(end) = text[at..].find(';') else { continue };
        let before = text[..at].trim_end();
        let is_public = before.ends_with("pub") || ends_with_restricted_visibility(before);
        for (path, name) in leaves("", &text[at + 4..at + end]) {
            let path: Vec<String> = path.split("::").map(str::to_owned).collect();
            all.push(Import { path, name, is_public });
        }
    }
    for root in ["crate::", "super::"] {
        // The second `super` of `super::super` is not the beginning of a path.
        let begins = |at: usize| words(at) && !text[..at].ends_with(':');
        for (at, _) in text.match_indices(root).filter(|(at, _)| begins(*at)) {
            let end = text[at..].find(|c| !is_word(c) && c != ':').unwrap_or(text.len() - at);
            let path = text[at..at + end].trim_end_matches(':');
            let path: Vec<String> = path.split("::").map(str::to_owned).collect();
            // The beginning of a tree (`crate::{…}`) is skipped, because the whole tree was read above.
            if !text[at + end..].starts_with('{') {
                all.push(Import { path, name: String::new(), is_public: false });
            }
        }
    }
    all
}

/// Whether a text ends with a visibility such as `pub(crate)`.
fn ends_with_restricted_visibility(before: &str) -> bool {
    before.ends_with(')') && before.rfind('(').is_some_and(|open| before[..open].ends_with("pub"))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns the paths in a tree of imports, each with its name in the importing module: `a::{b, c as d}` gives `a::b` as
/// `b` and `a::c` as `d`.
fn leaves(prefix: &str, tree: &str) -> Vec<(String, String)> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let (path, name) = tree.split_once(" as ").unwrap_or((tree, ""));
        let path = format!("{prefix}{}", path.trim());
        let path = path.strip_suffix("::self").map_or(path.clone(), str::to_owned);
        let last = path.rsplit("::").next().unwrap_or_default();
        let name = if name.is_empty() { last.to_owned() } else { name.trim().to_owned() };
        return vec![(path, name)];
    };
    let close = tree.rfind('}').unwrap_or(tree.len());
    let prefix = format!("{prefix}{}", &tree[..open]);
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in tree[open + 1..close].chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().into_iter().for_each(|part| part.push(c));
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| leaves(&prefix, part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::graph::circle;

    fn read(files: &[(&str, &str)]) -> Arrows {
        let sources =
            files.iter().filter_map(|(path, text)| Some((module_of(path)?, (*text).to_owned())));
        arrows(&sources.collect())
    }

    #[test]
    fn a_planted_circle_is_found_also_through_what_a_folder_hands_on() {
        let files = [
            ("lib.rs", "pub mod a;\npub mod b;"),
            ("a/mod.rs", "mod inner;\npub use inner::Thing;"),
            ("a/inner.rs", "use crate::b::{self, Other};\npub struct Thing;"),
            ("b.rs", "pub struct Other;\nfn f(_: super::a::Thing) {}"),
        ];
        let circle = circle(&read(&files)).unwrap();
        assert_eq!(circle, ["a::inner", "b", "a::inner"]);
    }

    #[test]
    fn what_is_imported_from_other_crates_is_found_also_under_another_name() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\npub use x_store as store;\npub use a::Thing;"),
            (
                "a.rs",
                "use crate::store::{Ledger, Store};\nuse axum::body::Bytes;\nuse super::b::Other;",
            ),
            ("b.rs", "pub struct Other;\nfn f(_: crate::Thing) {}"),
        ];
        let sources =
            files.iter().filter_map(|(path, text)| Some((module_of(path)?, (*text).to_owned())));
        let all = outside(&sources.collect());
        assert_eq!(all["a"], ["axum".to_owned(), "x_store".to_owned()].into());
        assert!(all["b"].is_empty(), "{all:?}");
    }

    #[test]
    fn a_path_of_two_steps_up_is_one_path() {
        let files = [
            ("lib.rs", "mod a;\nmod b;"),
            ("a.rs", "mod inner;\nuse inner::Inner;"),
            ("a/inner.rs", "use super::super::b::Other;\npub struct Inner;"),
            ("b.rs", "pub struct Other;"),
        ];
        assert_eq!(circle(&read(&files)), None);
    }

    #[test]
    fn comments_texts_and_tests_are_no_imports() {
        let files = [
            ("lib.rs", "pub mod a;\npub mod b;"),
            ("a.rs", "use crate::b::Other;\npub struct Thing;"),
            (
                "b.rs",
                "//! As [`Thing`](crate::a::Thing).\npub struct Other; /* use crate::a::X; */\n\
                 const S: &str = \"use crate::a::Thing;\";\n#[cfg(test)]\nmod tests {\n    use crate::a::Thing;\n}\n\
                 #[cfg(test)]\nmod more;",
            ),
            ("b/more.rs", "use crate::a::Thing;"),
        ];
        assert_eq!(circle(&read(&files)), None);
    }

    #[test]
    fn a_parent_that_hands_on_its_child_does_not_import_it_but_one_that_uses_it_does() {
        let parent = "mod child;\npub use child::Thing;";
        let child = "use super::Root;\npub struct Thing;";
        assert_eq!(
            circle(&read(&[("lib.rs", "mod a;"), ("a.rs", parent), ("a/child.rs", child)])),
            None
        );
        let parent = "mod child;\nuse child::Thing;";
        let found = circle(&read(&[("lib.rs", "mod a;"), ("a.rs", parent), ("a/child.rs", child)]));
        assert_eq!(found.unwrap(), ["a", "a::child", "a"]);
    }
}
