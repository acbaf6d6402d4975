//! Tests with random drafts and damaged files. Each is made from a seed, which a failure names.

use super::content;
use crate::import::import;
use accord_document::model::delta;
use accord_files::{Manuscript, Paper, docx, samples};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Returns a draft of random parts in which no word occurs twice, and the list of its words.
fn random_draft(random: &mut StdRng) -> (String, Vec<String>) {
    const NAMES: [&str; 14] = [
        "The problem",
        "Lead institution",
        "Milestones",
        "Milestone 3",
        "Expected outputs",
        "Who is responsible",
        "Expected completion",
        "Contact",
        "Title",
        "What solution do you propose?",
        "When",
        "Supporting: government",
        "Commitment title",
        "Notes",
    ];
    let (mut text, mut words) = (String::new(), Vec::new());
    let mut word = || {
        words.push(format!("w{}x", words.len()));
        words.last().cloned().unwrap_or_default()
    };
    for _ in 0..random.random_range(1..25) {
        let name = NAMES[random.random_range(0..NAMES.len())];
        let level = "#".repeat(random.random_range(1..5));
        let part = match random.random_range(0..12) {
            0..3 => format!("{level} {name}"),
            3 => format!("{level} {} {}", word(), word()),
            4 => format!("{level} {name}: {}", word()),
            5 => format!("**{name}:** {} {}", word(), word()),
            6 => format!("- {}\n  - {}\n- {}", word(), word(), word()),
            7 => format!("> {}\n> {}", word(), word()),
            8 => format!(
                "| {name} | {} |\n|-|-|\n| {} | {} |\n| | {} |",
                word(),
                word(),
                word(),
                word()
            ),
            9 => format!(
                "| Milestone | Expected outputs | Date | {} |\n|-|-|-|-|\n| {} | {} | {} | {} |",
                word(),
                word(),
                word(),
                word(),
                word()
            ),
            10 => format!("{name}\n"),
            _ => format!("{} *{}*  \n{}", word(), word(), word()),
        };
        text.push_str(&part);
        text.push_str("\n\n");
    }
    (text, words)
}

#[test]
fn of_random_drafts_no_word_is_lost_and_none_stands_twice() {
    for seed in 0..600 {
        let mut random = StdRng::seed_from_u64(seed);
        let (text, words) = random_draft(&mut random);
        let Ok(placed) = import("draft.md", text.as_bytes(), "en") else {
            assert!(words.is_empty(), "seed {seed}: {text}");
            continue;
        };
        let content = content(&placed);
        let mut all: String = content.texts.values().map(|ops| delta::plain(ops)).collect();
        for one in &content.milestones {
            for ops in [&one.what, &one.outputs, &one.who] {
                all.push_str(&delta::plain(ops));
            }
            all.push_str(&format!("{} ", one.due_text));
        }
        for word in words {
            assert_eq!(all.matches(&word).count(), 1, "seed {seed}: {word} in\n{all}\nof\n{text}");
        }
    }
}

#[test]
fn a_damaged_word_document_is_refused_or_read_and_stops_nothing() {
    let released = samples::released("en", |_| {});
    let paper = Paper::of(&released, &samples::draft());
    let whole = docx(&paper, &Manuscript::of(&released), &[], 0);
    for seed in 0..400 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut file = whole.clone();
        for _ in 0..random.random_range(1..20) {
            let at = random.random_range(0..file.len());
            file[at] = random.random();
        }
        file.truncate(random.random_range(file.len() / 2..=file.len()));
        let _ = import("a.docx", &file, "en");
    }
}
