//! Reads the map of modules from a document: a table whose last column says what each place must not touch.
//!
//! The last column lists, in backticks, the paths (`document/src/ledger/`) and crates that the place must not import. If it
//! says “everything else”, the place must not import anything else of its folder of sources. If it says “types do not
//! count”, the place may import types from there. The rest of that column is prose. A row that names several places
//! applies to all of them.

use crate::markdown;

/// A row of the map: files or folders, and the files, folders and crates that they must not import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub places: Vec<String>,
    pub forbidden: Vec<String>,
    /// Whether everything else in the folder of sources is forbidden.
    pub forbids_all: bool,
    /// Whether types may be imported also from what is forbidden.
    pub exempts_types: bool,
}

/// The heading of the last column of a map.
const HEADING: &str = "must not touch";

/// Returns the rows of all maps in a Markdown document.
pub fn rows(text: &str) -> Vec<Row> {
    let row = |cells: Vec<&str>| {
        let (first, last) = (cells.first()?, cells.last()?);
        let paths = |cell| markdown::codes(cell).map(str::to_owned).collect();
        Some(Row {
            places: paths(first),
            forbidden: paths(last),
            forbids_all: last.contains("everything else"),
            exempts_types: last.contains("types do not count"),
        })
    };
    markdown::rows(text, HEADING).into_iter().filter_map(row).collect()
}

/// Returns the module (`a::b`) in the file or folder `place`, or `None` if `place` is not in the folder of sources
/// `folder`.
pub fn module(place: &str, folder: &str) -> Option<String> {
    let path = place.strip_prefix(folder)?.trim_matches('/');
    let path = path.strip_suffix(".rs").unwrap_or(path);
    (!path.is_empty()).then(|| path.replace('/', "::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_read_from_a_document() {
        let text = "| module | is for | must not touch |\n| --- | --- | --- |\n\
                    | `x/src/ledger/` | entries | `x/src/plan/`, the store |\n\
                    | `x/src/people.rs`, `x/src/plan/act.rs` | seats | |\n\nOther\n| a | b | c |\n";
        let all = rows(text);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].forbidden, ["x/src/plan/"]);
        let modules: Vec<_> = all[1].places.iter().filter_map(|p| module(p, "x/src")).collect();
        assert_eq!(modules, ["people", "plan::act"]);
    }
}
