//! Checks that documents tell the truth about this repository: links lead somewhere, paths exist, and every option is
//! described.
//!
//! Only what is written down is looked at. Addresses elsewhere are not: nothing here uses the network.

use crate::process::{Cmd, root};
use anyhow::{Result, bail};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Holds every Markdown file of the repository to what it says.
///
/// # Errors
/// With all broken links and missing paths, one a line.
pub fn check() -> Result<()> {
    let files = Files::listed()?;
    let mut faults = Vec::new();
    for path in files.0.iter().filter(|path| path.ends_with(".md")) {
        let text = fs::read_to_string(root().join(path))?;
        let prose = without_code_blocks(&text);
        faults.extend(broken_links(path, &prose, &files, &read)?);
        faults.extend(missing_paths(path, &prose, &files, is_ignored));
    }
    faults.extend(undescribed_options(&read(COMMAND_LINE)?, &read(OPERATING)?));
    if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("\n")) }
}

/// Where the command line is defined, and where operators read about it.
const COMMAND_LINE: &str = "server/src/main.rs";
const OPERATING: &str = "docs/operating.md";

/// The options of the command line, by their environment variables, that operators can't read about. Hidden ones are
/// for tests.
fn undescribed_options(command_line: &str, document: &str) -> Vec<String> {
    let options = command_line.lines().filter(|line| !line.contains("hide = true"));
    let variables = options.filter_map(|line| line.split("env = \"").nth(1)?.split('"').next());
    let undescribed = variables.filter(|name| !document.contains(&format!("`{name}`")));
    undescribed.map(|name| format!("{OPERATING} does not describe the option of {name}")).collect()
}

fn read(path: &str) -> Result<String> {
    Ok(fs::read_to_string(root().join(path))?)
}

/// Whether git ignores a path: what is generated exists only after a build.
fn is_ignored(path: &str) -> bool {
    Cmd::new("git").args(["check-ignore", "--quiet", path]).succeeds()
}

/// The files of the repository, by their paths from its root.
struct Files(BTreeSet<String>);

impl Files {
    /// The files that git tracks, and new ones that it does not ignore.
    fn listed() -> Result<Self> {
        let listed = Cmd::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .output()?;
        let exists = |path: &&str| root().join(path).exists();
        Ok(Self(listed.lines().filter(exists).map(str::to_owned).collect()))
    }

    /// Whether a file or a folder has this path.
    fn have(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        path.is_empty()
            || self.0.contains(path)
            || self.0.range(folder.clone()..).next().is_some_and(|next| next.starts_with(&folder))
    }

    /// Whether the first part of a path is a folder at the root.
    fn have_top(&self, path: &str) -> bool {
        path.split_once('/')
            .is_some_and(|(top, _)| !top.is_empty() && self.have(&format!("{top}/")))
    }
}

/// The text with its fenced blocks blanked, so that what they show is not read as prose.
fn without_code_blocks(text: &str) -> String {
    let mut is_code = false;
    let mut prose = String::new();
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        if !is_code && !is_fence {
            prose.push_str(line);
        }
        prose.push('\n');
        is_code ^= is_fence;
    }
    prose
}

/// The links of a document that lead to no file, or to no heading of one.
fn broken_links(
    document: &str,
    prose: &str,
    files: &Files,
    read: &dyn Fn(&str) -> Result<String>,
) -> Result<Vec<String>> {
    let mut anchors: HashMap<String, BTreeSet<String>> = HashMap::new();
    let mut faults = Vec::new();
    for link in links(prose) {
        let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
        let target = if path.is_empty() { document.to_owned() } else { beside(document, path) };
        if !files.have(&target) {
            faults.push(format!("{document} links to {link}, and there is no {target}"));
            continue;
        }
        if anchor.is_empty() || !target.ends_with(".md") {
            continue;
        }
        if !anchors.contains_key(&target) {
            anchors.insert(target.clone(), anchors_of(&read(&target)?));
        }
        if !anchors[&target].contains(anchor) {
            faults.push(format!("{document} links to {link}, and {target} has no such heading"));
        }
    }
    Ok(faults)
}

/// Where the links of a document lead that stay in the repository.
fn links(prose: &str) -> Vec<String> {
    let outside_code: String = prose.split('`').step_by(2).collect();
    let ends = outside_code.split("](").skip(1);
    let targets = ends.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.trim());
    let is_elsewhere = |target: &&str| target.contains("://") || target.starts_with("mailto:");
    targets.filter(|target| !is_elsewhere(target)).map(str::to_owned).collect()
}

/// The path from the root of what a document links to.
fn beside(document: &str, link: &str) -> String {
    let folder = Path::new(document).parent().unwrap_or(Path::new(""));
    let mut path = PathBuf::new();
    for part in folder.join(link).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path.to_string_lossy().into_owned()
}

/// The anchors of a document: those of its headings as forges make them, and explicit ones (`<a id="…">`).
fn anchors_of(text: &str) -> BTreeSet<String> {
    let prose = without_code_blocks(text);
    let mut anchors = BTreeSet::new();
    for line in prose.lines() {
        let title = line.trim_start_matches('#');
        if title.len() < line.len() && title.starts_with(' ') {
            let slug = slug(title.trim());
            let repeated = (1..).map(|nth| format!("{slug}-{nth}"));
            let mut names = std::iter::once(slug.clone()).chain(repeated);
            anchors.extend(names.find(|name| !anchors.contains(name)));
        }
        let explicit = line.split("<a id=\"").skip(1).filter_map(|rest| rest.split_once('"'));
        anchors.extend(explicit.map(|(id, _)| id.to_owned()));
    }
    anchors
}

/// A heading as the end of an address: letters in lower case, blanks as hyphens, most signs left out.
fn slug(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The paths between backticks that begin at the root of the repository and are not there.
fn missing_paths(
    document: &str,
    prose: &str,
    files: &Files,
    is_ignored: impl Fn(&str) -> bool,
) -> Vec<String> {
    let paths = prose.split('`').skip(1).step_by(2).filter(|code| is_path(code));
    let ours = paths.filter(|path| files.have_top(path));
    let missing = ours.filter(|path| !files.have(path) && !is_ignored(path));
    missing.map(|path| format!("{document} names `{path}`, and there is no such file")).collect()
}

/// Whether something between backticks can be a path: no spaces, no placeholders.
fn is_path(code: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    code.contains('/') && code.chars().all(is_fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        let paths = ["README.md", "docs/api.md", "docs/decisions/store.md", "server/src/lib.rs"];
        Files(paths.map(str::to_owned).into())
    }

    fn broken(document: &str, text: &str) -> Vec<String> {
        let read =
            |_: &str| Ok("# The API\n\n## Sign in\n\n## Sign in\n\n<a id=\"c1\"></a>\n".into());
        broken_links(document, text, &files(), &read).unwrap()
    }

    #[test]
    fn links_lead_to_files_and_headings() {
        let fine = "[a](../api.md#sign-in) [b](../api.md#sign-in-1) [c](../api.md#c1) [d](.) \
            [e](https://example.org/x) [f](../../README.md) [`g`](../../server/) `[h](i)`";
        assert_eq!(broken("docs/decisions/store.md", fine), [""; 0]);
        let faults = broken("docs/api.md", "[a](apis.md) [b](#sign-out) [c](decisions/api.md#x)");
        assert_eq!(faults.len(), 3, "{faults:?}");
    }

    #[test]
    fn headings_become_anchors_as_on_a_forge() {
        assert_eq!(slug("3. `accord.v1`"), "3-accordv1");
        assert_eq!(slug("TLS, a proxy: why?"), "tls-a-proxy-why");
    }

    #[test]
    fn paths_from_the_root_exist() {
        let is_ignored = |path: &str| path == "docs/made";
        let text = "`server/src/lib.rs` `server/src/` `docs/made` `application/json` `a b/c`";
        assert_eq!(missing_paths("README.md", text, &files(), is_ignored), [""; 0]);
        let faults = missing_paths("README.md", "`server/src/gone.rs`", &files(), is_ignored);
        assert_eq!(faults, ["README.md names `server/src/gone.rs`, and there is no such file"]);
    }

    #[test]
    fn options_are_described() {
        let command_line = "#[arg(long, env = \"A\")]\n#[arg(env = \"B\", hide = true)]\n\
            #[arg(long, env = \"C\", default_value_t = 1)]";
        assert_eq!(undescribed_options(command_line, "| `--a` | `A` |").len(), 1);
        assert_eq!(undescribed_options(command_line, "`A` and `C`"), [""; 0]);
    }

    #[test]
    fn what_code_blocks_show_is_not_read() {
        assert_eq!(without_code_blocks("a\n```\n[b](c)\n```\nd"), "a\n\n\n\nd\n");
    }
}
