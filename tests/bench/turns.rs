//! Measures how long a document's room is busy with the largest turn of each kind (rule C8), and with the most that an
//! update which is taken whole may cost. The limits of `document/src/limits.rs` follow from these figures.

use crate::updates::{Scattered, Update, every_second, format, long, text};
use accord_document::limits;
use accord_document::state::{DocumentState, EditOutcome, LargeEdit};
use accord_tests::{Ledgered, typist};
use anyhow::{Context, Result, bail, ensure};
use std::time::{Duration, Instant};

/// Number of times that each update is measured.
const ROUNDS: usize = 7;
/// The client that writes the text before the measurement.
const BEFORE: u64 = 1;
/// The client of the update that is measured.
const AFTER: u64 = 2;
/// Length of the long text, in letters.
const LONG_TEXT: u32 = 400_000;

/// An update to measure.
struct Measured {
    what: &'static str,
    /// The update that writes the text before the measurement.
    before: Vec<u8>,
    update: Vec<u8>,
    /// Number of items, ranges or units of cost in the update.
    units: u64,
    unit: &'static str,
}

pub(crate) fn all() -> Result<()> {
    println!("turns: the update that costs most of each kind, medians of {ROUNDS}");
    for measured in [
        items(),
        ranges(),
        between(),
        splits_of_text("splits of a long text, one turn", limits::MAX_SPLIT_COST_PER_TURN),
        splits_of_text("splits of a long text, whole update", limits::MAX_SPLIT_COST),
        splits_of_items("splits before many items, one turn", limits::MAX_SPLIT_COST_PER_TURN),
        splits_of_items("splits before many items, whole update", limits::MAX_SPLIT_COST),
    ] {
        let took = median(&measured).with_context(|| measured.what)?;
        let each = took.as_secs_f64() * 1e9 / measured.units as f64;
        println!(
            "  {}: {:.1} ms for {} {} ({each:.1} ns each)",
            measured.what,
            took.as_secs_f64() * 1e3,
            measured.units,
            measured.unit,
        );
    }
    for whole in [joined(), most_items()] {
        let (turns, longest, check) = longest_turn(&whole).context(whole.what)?;
        let [longest, check] = [longest, check].map(|time| time.as_secs_f64() * 1e3);
        println!(
            "  {}: {turns} turns, the longest {longest:.1} ms; its check {check:.1} ms",
            whole.what
        );
    }
    Ok(())
}

/// Takes an update in turns, as a room does. Returns the number of turns, the longest one, and the time that the check of
/// the whole update takes outside the room: the medians of the rounds.
fn longest_turn(Measured { before, update, .. }: &Measured) -> Result<(usize, Duration, Duration)> {
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let mut state = written(before)?;
        let mut turns = Vec::new();
        let typist = typist(0);
        let copied = timed(&mut turns, || {
            let edit = LargeEdit::new(update.clone(), Vec::new());
            state.begin_check(&typist, edit, true)
        });
        let started = Instant::now();
        let checked = copied.run();
        let check = started.elapsed();
        let outcome = timed(&mut turns, || state.end_check(checked, None))?;
        let EditOutcome::InParts(parts) = outcome else { bail!("the update was not cut") };
        for part in parts {
            let taken = timed(&mut turns, || {
                state.edit_part(&typist, 0, [7; 16], &part.update, Vec::new())
            })?;
            ensure!(matches!(taken, EditOutcome::Taken(Some(_))), "a part takes one turn");
        }
        let longest = turns.iter().max().copied().unwrap_or_default();
        rounds.push((longest, check, turns.len()));
    }
    rounds.sort_unstable();
    let (longest, check, turns) = rounds[ROUNDS / 2];
    Ok((turns, longest, check))
}

fn timed<T>(turns: &mut Vec<Duration>, turn: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = turn();
    turns.push(started.elapsed());
    done
}

/// Returns the median of the times that a fresh document takes for an update.
fn median(measured: &Measured) -> Result<Duration> {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let mut state = written(&measured.before)?;
        let started = Instant::now();
        state.edit(&typist(0), 0, [7; 16], &measured.update)?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times[ROUNDS / 2])
}

/// Returns a document into which one update was written.
fn written(update: &[u8]) -> Result<DocumentState> {
    let mut state = Ledgered::new()?.state;
    state.edit(&typist(0), 0, [7; 16], update)?;
    Ok(state)
}

/// Items at random places of a text that has as many items as one update may have.
fn items() -> Measured {
    let mut text = Scattered::new(BEFORE, "a");
    let before = text.grow(limits::MAX_ITEMS_PER_UPDATE).encode();
    let update = text.grow(limits::MAX_STEPS_PER_TURN).encode();
    let units = limits::MAX_STEPS_PER_TURN as u64;
    Measured { what: "items", before, update, units, unit: "items" }
}

/// As many items as one update may have, at random places of a text that has as many already, less some.
fn most_items() -> Measured {
    let mut text = Scattered::new(BEFORE, "ab");
    let before = text.grow(limits::MAX_ITEMS_PER_UPDATE - 4_096).encode();
    let update = text.grow(limits::MAX_ITEMS_PER_UPDATE).encode();
    let units = limits::MAX_ITEMS_PER_UPDATE as u64;
    Measured { what: "an update of the most items, in parts", before, update, units, unit: "items" }
}

/// Deletions of whole items.
fn ranges() -> Measured {
    let before = Scattered::new(BEFORE, "a").grow(limits::MAX_ITEMS_PER_UPDATE).encode();
    let count = limits::MAX_STEPS_PER_TURN as u32;
    let update = every_second(BEFORE, 0, count);
    Measured { what: "deleted ranges", before, update, units: count.into(), unit: "ranges" }
}

/// One range that deletes the first half of a text whose items can be joined once they are deleted. yrs joins them one by
/// one, and moves all later items of their client each time.
fn joined() -> Measured {
    let items = limits::MAX_ITEMS_PER_UPDATE as u32;
    let item = |clock: u32| {
        let left = clock.checked_sub(1).map(|before| (BEFORE, before));
        if clock.is_multiple_of(2) {
            text(left, None, "a")
        } else {
            format(left, None, "bold", "true")
        }
    };
    let before = Update::default().structs(BEFORE, 0, (0..items).map(item).collect()).encode();
    let update = Update::default().deletes(BEFORE, vec![(0, items / 2)]).encode();
    Measured {
        what: "one deleted range of half of the most items",
        before,
        update,
        units: (items / 2).into(),
        unit: "items",
    }
}

/// One element behind the first letter of a text, by a client that has seen only that letter.
fn between() -> Measured {
    let count = limits::MAX_ITEMS_BETWEEN_ORIGINS_PER_TURN * 9 / 10;
    let before = Scattered::new(BEFORE, "a").grow(count as usize).encode();
    let element = text(Some((BEFORE, 0)), None, "b");
    let update = Update::default().structs(AFTER, 0, vec![element]).encode();
    Measured { what: "items between neighbours", before, update, units: count, unit: "items" }
}

/// Deletions of single letters of one long item.
fn splits_of_text(what: &'static str, cost: u64) -> Measured {
    let before = long(BEFORE, &"a".repeat(LONG_TEXT as usize));
    // Each deletion makes two splits. Eight copied letters count as a cost of 1.
    let count = (cost / u64::from(LONG_TEXT) * 4) as u32 * 9 / 10;
    Measured { what, before, update: every_second(BEFORE, 0, count), units: cost, unit: "units" }
}

/// Deletions of one letter of two-letter items, each of which moves all later items of their client.
fn splits_of_items(what: &'static str, cost: u64) -> Measured {
    let items = limits::MAX_ITEMS_PER_UPDATE;
    let before = Scattered::new(BEFORE, "ab").grow(items).encode();
    // A moved item counts as a cost of 2.
    let count = (cost / items as u64 / 2) as u32 * 9 / 10;
    Measured { what, before, update: every_second(BEFORE, 0, count), units: cost, unit: "units" }
}
