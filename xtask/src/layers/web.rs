//! Finds the imports between the files of the web application, which are relative paths.

use super::graph::Arrows;
use std::collections::{BTreeMap, BTreeSet};

/// The sources of files, by their paths from the root of the folder.
pub type Files = BTreeMap<String, String>;

/// Whether a file can import and be imported: it is not a declaration file and not a test.
pub fn is_source(path: &str) -> bool {
    let is_code = path.ends_with(".ts") || path.ends_with(".svelte");
    is_code && !path.ends_with(".d.ts") && !path.contains(".test.")
}

/// Returns the imports of each file. Their names are paths with `::` in place of `/`, as those of Rust’s modules. An import
/// that leads to no file, such as one of a file that is generated, keeps the path that it names.
pub fn arrows(files: &Files) -> Arrows {
    let one = |(path, text): (&String, &String)| {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let to: BTreeSet<String> =
            imports(text).map(|import| named(&resolve(files, folder, import))).collect();
        (named(path), to)
    };
    files.iter().map(one).collect()
}

fn named(path: &str) -> String {
    path.replace('/', "::")
}

/// Returns the relative paths after `from`, `import` and `import(`. Imports of types are left out, because the compiler
/// removes them.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split(['"', '\'']).zip(text.split(['"', '\'']).skip(1));
    quoted.filter_map(|(before, path)| {
        let before = before.trim_end().trim_end_matches('(');
        let imports = before.ends_with("from") || before.ends_with("import");
        let statement = before.rsplit_once(';').map_or(before, |(_, last)| last).trim_start();
        let is_of_types =
            statement.contains("import type {") || statement.contains("export type {");
        (imports && !is_of_types && path.starts_with('.')).then_some(path)
    })
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
        let found = circle(&arrows(&files)).unwrap();
        assert_eq!(found, ["pages::Page.svelte", "sync::live.svelte.ts", "pages::Page.svelte"]);
    }

    #[test]
    fn imports_of_types_do_not_count_and_those_of_generated_files_do() {
        let text = "import { a } from './a';\nimport type { B } from './b';\n\
                    import init, { c } from '../wasm/module.js';\nimport worker from './w?url';";
        let files = Files::from([("sync/x.ts".to_owned(), text.to_owned())]);
        let found = &arrows(&files)["sync::x.ts"];
        assert_eq!(found.iter().collect::<Vec<_>>(), ["sync::a", "sync::w", "wasm::module.js"]);
    }
}
