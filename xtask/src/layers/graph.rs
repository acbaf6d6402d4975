//! The graph of imports between modules, and the search for circles in it.

use std::collections::{BTreeMap, BTreeSet};

/// The modules that each module imports.
pub type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Returns the imports between groups of modules, such as folders. `group` names the group of a module. A module without
/// a group is left out.
pub fn grouped(arrows: &Arrows, group: impl Fn(&str) -> Option<String>) -> Arrows {
    let mut out = Arrows::new();
    for (from, to) in arrows {
        let Some(from) = group(from) else { continue };
        let to = to.iter().filter_map(|to| group(to)).filter(|to| *to != from);
        out.entry(from.clone()).or_default().extend(to);
    }
    out
}

/// Returns a shortest circle, which starts and ends with the same module, or `None` if there is no circle.
pub fn circle(arrows: &Arrows) -> Option<Vec<String>> {
    let all = arrows.keys().filter_map(|start| way_back(arrows, start));
    all.min_by_key(Vec::len)
}

/// Returns the shortest circle that starts and ends with the module `start`, or `None` if no circle contains it.
fn way_back(arrows: &Arrows, start: &str) -> Option<Vec<String>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open = vec![start];
    while !open.is_empty() {
        let mut next = Vec::new();
        for from in open {
            for to in arrows.get(from).into_iter().flatten() {
                if to == start {
                    let mut way = vec![start.to_owned(), from.to_owned()];
                    while let Some(before) = came_from.get(way[way.len() - 1].as_str()) {
                        way.push((*before).to_owned());
                    }
                    way.reverse();
                    // If a module imports itself, `from` and the start are the same.
                    way.dedup();
                    return Some(way);
                }
                if !came_from.contains_key(to.as_str()) {
                    came_from.insert(to, from);
                    next.push(to.as_str());
                }
            }
        }
        open = next;
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

    #[test]
    fn a_circle_is_found_and_its_way_is_named() {
        let planted = arrows(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["a"])]);
        assert_eq!(circle(&planted).unwrap(), ["a", "b", "c", "a"]);
        let one_way = arrows(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]);
        assert_eq!(circle(&one_way), None);
    }

    #[test]
    fn folders_can_form_a_circle_where_their_files_form_none() {
        let files = arrows(&[("a::x", &["b::x"]), ("b::y", &["a::y"])]);
        assert_eq!(circle(&files), None);
        let folders = grouped(&files, |file| file.split("::").next().map(str::to_owned));
        assert_eq!(circle(&folders).unwrap(), ["a", "b", "a"]);
    }
}
