//! Reads tables and code spans of Markdown documents.

/// Returns the rows, as cells, of the tables of a document whose last column has this heading.
pub fn rows<'d>(document: &'d str, last_heading: &str) -> Vec<Vec<&'d str>> {
    let (mut rows, mut is_table) = (Vec::new(), false);
    for line in document.lines() {
        let Some(cells) = line.trim().strip_prefix('|').and_then(|line| line.strip_suffix('|'))
        else {
            is_table = false;
            continue;
        };
        let cells: Vec<&str> = cells.split(" | ").map(str::trim).collect();
        if cells.last() == Some(&last_heading) {
            is_table = true;
        } else if is_table && !cells[0].starts_with("---") {
            rows.push(cells);
        }
    }
    rows
}

/// Returns the texts between backticks.
pub fn codes(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
