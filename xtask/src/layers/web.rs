//! Finds the imports between the files of the web application. Such an import names the other file by a relative path.

use super::graph::Arrows;
use std::collections::{BTreeMap, BTreeSet};

/// The sources of files, by their paths from the root of the folder.
pub type Files = BTreeMap<String, String>;

/// Whether a file can import and be imported: it is not a declaration file and not a test.
pub fn is_source(path: &str) -> bool {
    let is_code = path.ends_with(".ts") || path.ends_with(".svelte");
    is_code && !path.ends_with(".d.ts") && !path.contains(".test.")
}

/// Which imports of a file count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    All,
    /// Without imports of types, which the compiler removes.
    Values,
}

/// Returns the imports of each file. Their names are paths with `::` in place of `/`, as those of Rust’s modules. An import
/// that leads to no file, such as one of a file that is generated, keeps the path that it names.
pub fn arrows(files: &Files, counted: Counted) -> Arrows {
    let one = |(path, text): (&String, &String)| {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let to: BTreeSet<String> =
            imports(text, counted).map(|import| named(&resolve(files, folder, import))).collect();
        (named(path), to)
    };
    files.iter().map(one).collect()
}

fn named(path: &str) -> String {
    path.replace('/', "::")
}

/// Returns the relative paths after `from`, `import` and `import(`.
fn imports(text: &str, counted: Counted) -> impl Iterator<Item = &str> {
    let quoted = text.split(['"', '\'']).zip(text.split(['"', '\'']).skip(1));
    quoted.filter_map(move |(before, path)| {
        let before = before.trim_end().trim_end_matches('(');
        let imports = before.ends_with("from") || before.ends_with("import");
        let is_left_out = counted == Counted::Values && is_of_types(before);
        (imports && !is_left_out && path.starts_with('.')).then_some(path)
    })
}

/// Whether the import statement at the end of a text imports only types.
fn is_of_types(before: &str) -> bool {
    let starts = |keyword: &str| {
        before.rmatch_indices(keyword).map(|(at, _)| at).find(|at| {
            let line = before[..*at].rsplit('\n').next().unwrap_or_default();
            line.trim_start().is_empty()
        })
    };
    let statement = starts("import ").max(starts("export ")).map_or(before, |at| &before[at..]);
    before.ends_with("typeof import")
        || statement.starts_with("import type ")
        || statement.starts_with("export type ")
}

/// Returns the path of the file that an import leads to, from the root of the folder.
fn resolve(files: &Files, folder: &str, import: &str) -> String {
    let import = import.split_once('?').map_or(import, |(path, _query)| path);
    let mut at: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => drop(at.pop()),
            part => at.push(part),
        }
    }
    let path = at.join("/");
    let known = ["", ".ts", ".svelte", ".svelte.ts", "/index.ts"].map(|end| format!("{path}{end}"));
    known.into_iter().find(|path| files.contains_key(path)).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::graph::circle;

    #[test]
    fn a_planted_circle_between_a_page_and_its_store_is_found() {
        let files = Files::from([
            (
                "pages/Page.svelte".to_owned(),
                "import { live } from \"../sync/live.svelte\";".to_owned(),
            ),
            (
                "sync/live.svelte.ts".to_owned(),
                "const page = await import(\"../pages/Page.svelte\");".to_owned(),
            ),
            (
                "app.ts".to_owned(),
                "import x from \"svelte\"; import \"./pages/Page.svelte\";".to_owned(),
            ),
        ]);
        let found = circle(&arrows(&files, Counted::All)).unwrap();
        assert_eq!(found, ["pages::Page.svelte", "sync::live.svelte.ts", "pages::Page.svelte"]);
    }

    #[test]
    fn every_form_of_import_is_seen_and_types_can_be_left_out() {
        let text = "import { a } from './a';\nimport type { B } from './b';\nimport {\n  c,\n  type D,\n} from './c';\n\
                    export * from './d';\nexport type { E } from './e';\nimport init from '../wasm/module.js';\n\
                    import worker from './w?url';\nimport type F from './f';\nlet g: typeof import('./g');\n\
                    // import type { of } these is prose;\nconst h = await import('./h');\n";
        let files = Files::from([("sync/x.svelte".to_owned(), text.to_owned())]);
        let found = |counted| {
            let all = arrows(&files, counted).remove("sync::x.svelte").unwrap();
            all.iter().map(|to| to.rsplit("::").next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found(Counted::Values), ["a", "c", "d", "h", "w", "module.js"]);
        let all = ["a", "b", "c", "d", "e", "f", "g", "h", "w", "module.js"];
        assert_eq!(found(Counted::All), all);
    }
}
