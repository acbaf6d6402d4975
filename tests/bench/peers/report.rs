//! The figures of all repeats, and the table of them in `docs/benchmarks.md`.

use crate::load::{LOADS, Measured, RETURNING};
use crate::servers::Kind;
use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs;
use std::path::Path;

const DOCUMENT: &str = "../docs/benchmarks.md";
/// Lines of the document between which the figures are.
const BEGIN: &str = "<!-- Written by `cargo xtask bench peers`: begin -->\n";
const END: &str = "<!-- Written by `cargo xtask bench peers`: end -->\n";

/// The figures of one run.
pub(super) struct Figures {
    per_cpu_second: f64,
    /// Latencies in milliseconds.
    p50: f64,
    p99: f64,
    /// The highest resident memory, in MB.
    memory: f64,
    is_disturbed: bool,
}

impl Figures {
    pub(super) fn of(measured: &Measured) -> Self {
        Self {
            per_cpu_second: measured.deliveries_per_cpu_second(),
            p50: measured.latencies.at(0.5),
            p99: measured.latencies.at(0.99),
            memory: measured.peak_memory as f64 / 1e6,
            is_disturbed: measured.is_disturbed(),
        }
    }
}

pub(super) struct Report {
    versions: Vec<String>,
    repeats: usize,
    /// Median and 99th percentile of a synced write in each repeat, in milliseconds.
    pub(super) disk: Vec<[f64; 2]>,
    /// The same after pauses like those of a single writer.
    pub(super) quiet_disk: Vec<[f64; 2]>,
    /// The same of the times that a single writer at Accord waits until an edit is on disk.
    pub(super) quiet: Vec<[f64; 2]>,
    /// Median and 99th percentile of the times in which clients come back to a server, in milliseconds.
    pub(super) returned: Vec<(Kind, [f64; 2])>,
    runs: Vec<(usize, Kind, Figures)>,
}

/// A row of the table: what it shows, how, and from which figure.
type Row = (&'static str, fn(f64) -> String, fn(&Figures) -> f64);

const ROWS: [Row; 4] = [
    ("deliveries per CPU-second", thousands, |figures| figures.per_cpu_second),
    ("latency: median, ms", tenths, |figures| figures.p50),
    ("latency: 99th percentile, ms", tenths, |figures| figures.p99),
    ("memory, MB", whole, |figures| figures.memory),
];

impl Report {
    pub(super) fn new(versions: Vec<String>, repeats: usize) -> Self {
        Self {
            versions,
            repeats,
            disk: Vec::new(),
            quiet_disk: Vec::new(),
            quiet: Vec::new(),
            returned: Vec::new(),
            runs: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, load: usize, kind: Kind, figures: Figures) {
        self.runs.push((load, kind, figures));
    }

    /// Prints the figures, and writes them into the document.
    pub(super) fn write(&self) -> Result<()> {
        let text = self.text();
        println!("\n{text}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
        let document = fs::read_to_string(&path)?;
        let replaced = replace(&document, &text);
        fs::write(
            path,
            replaced.with_context(|| format!("{DOCUMENT} has no place for the figures"))?,
        )?;
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = String::from("| load | |");
        Kind::ALL.iter().for_each(|kind| _ = write!(text, " {} |", kind.name()));
        text += &format!("\n| --- |{}\n", " --- |".repeat(Kind::ALL.len() + 1));
        for (number, load) in LOADS.iter().enumerate() {
            for (index, (name, shown, figure)) in ROWS.into_iter().enumerate() {
                let load = if index == 0 { load.name } else { "" };
                let _ = write!(text, "| {load} | {name} |");
                for kind in Kind::ALL {
                    let runs = self.runs.iter().filter(|run| (run.0, run.1) == (number, kind));
                    let cell = median_and_range(runs.map(|run| figure(&run.2)).collect(), shown);
                    let _ = write!(text, " {cell} |");
                }
                text += "\n";
            }
        }
        for (index, name) in ["median, ms", "99th percentile, ms"].into_iter().enumerate() {
            let load = if index == 0 { RETURNING.name } else { "" };
            let _ = write!(text, "| {load} | {name} |");
            for kind in Kind::ALL {
                let runs = self.returned.iter().filter(|run| run.0 == kind);
                let cell = median_and_range(runs.map(|run| run.1[index]).collect(), whole);
                let _ = write!(text, " {} |", if cell.is_empty() { "–" } else { &cell });
            }
            text += "\n";
        }
        let shown = |runs: &[[f64; 2]], index: usize| {
            median_and_range(
                runs.iter().map(|percentiles| percentiles[index]).collect(),
                hundredths,
            )
        };
        let disturbed = self.runs.iter().filter(|run| run.2.is_disturbed).count();
        let _ = write!(
            text,
            "\nEach cell has the median of {} repeats, and their range in parentheses. On the same disk, a write of 512 bytes with\n\
             `fdatasync` took {} ms (median) and {} ms (99th percentile), and {} ms and {} ms after pauses of 20 to 80 ms. A single\n\
             writer at Accord, with the same pauses, waited {} ms and {} ms until an edit was on disk.\nIn {disturbed} of {} runs, the load itself was late or saturated.\n\nVersions: {}.\n",
            self.repeats,
            shown(&self.disk, 0),
            shown(&self.disk, 1),
            shown(&self.quiet_disk, 0),
            shown(&self.quiet_disk, 1),
            shown(&self.quiet, 0),
            shown(&self.quiet, 1),
            self.runs.len(),
            self.versions.join(", "),
        );
        text
    }
}

/// Returns the document with other text between the two markers, or `None` if it lacks one.
fn replace(document: &str, text: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{text}{END}{after}"))
}

fn median_and_range(mut values: Vec<f64>, shown: fn(f64) -> String) -> String {
    values.sort_by(f64::total_cmp);
    let (Some(&least), Some(&most)) = (values.first(), values.last()) else { return String::new() };
    let middle = f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]);
    if values.len() == 1 {
        return shown(middle);
    }
    format!("{} ({} to {})", shown(middle), shown(least), shown(most))
}

fn whole(value: f64) -> String {
    format!("{value:.0}")
}

fn tenths(value: f64) -> String {
    format!("{value:.1}")
}

fn hundredths(value: f64) -> String {
    format!("{value:.2}")
}

/// Returns a number rounded to three digits, with its thousands apart.
fn thousands(value: f64) -> String {
    let unit = 10_f64.powi((value.max(1.0).log10().floor() as i32 - 2).max(0));
    let digits = format!("{:.0}", (value / unit).round() * unit);
    let mut apart = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_the_median_and_the_range() {
        let cell = |values: &[f64]| median_and_range(values.to_vec(), thousands);
        assert_eq!(cell(&[9.0, 1_234_567.0, 13_649.0]), "13,600 (9 to 1,230,000)");
        assert_eq!(cell(&[2.0, 4.0]), "3 (2 to 4)");
        assert_eq!(cell(&[135_400.0]), "135,000");
    }

    #[test]
    fn only_the_text_between_the_markers_is_replaced() {
        let document = format!("before\n{BEGIN}old\n{END}after\n");
        let expected = format!("before\n{BEGIN}new\n{END}after\n");
        assert_eq!(replace(&document, "new\n"), Some(expected));
        assert_eq!(replace("no markers", "new\n"), None);
    }
}
