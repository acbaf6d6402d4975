//! Tests that a file made by Accord comes back as the commitment from which it was made.

use super::{content, markdown};
use crate::import::import;
use accord_document::model::blocks::{Block, blocks};
use accord_document::model::delta::Op;
use accord_document::template::NOTES;
use accord_files::{Manuscript, Paper, docx, samples};

#[test]
fn a_docx_of_ours_comes_back_as_it_was_in_every_language() {
    for language in ["en", "ko", "ka", "cs", "fr", "es", "pt", "id", "sw"] {
        let released = samples::released(language, |content| {
            let line = |text: &str| vec![Op::text(text), Op::text("\n")];
            for field in accord_document::template::FIELDS {
                if field.key != NOTES {
                    content.texts.entry(field.key.into()).or_insert_with(|| line(field.key));
                }
            }
            content.facts.insert("period_to".into(), "2028-08-31".into());
            let mut second = content.milestones[0].clone();
            second.due_text = String::new();
            second.who = line("Somebody else");
            content.milestones.push(second);
        });
        let paper = Paper::of(&released, &samples::draft());
        let file = docx(&paper, &Manuscript::of(&released), &[], 0);
        let placed = import("draft.docx", &file, language).unwrap();
        assert!(!placed.has_notes, "{language}: {:?}", placed.draft.texts);
        let back = samples::identified(language, &content(&placed));
        let shown = |ops: &Vec<Op>| blocks(ops);
        for (key, ops) in &released.texts {
            let mut expect = blocks(ops);
            for block in &mut expect {
                // In a file, the headings of a text begin one level below the heading of its field. They come back with
                // level 1.
                if let Block::Heading(level, _) = block {
                    *level = 1;
                }
            }
            assert_eq!(back.texts.get(key).map(shown), Some(expect), "{language}: {key}");
        }
        assert_eq!(back.facts, released.facts, "{language}");
        let milestones = |all: &accord_document::release::canonical::Released| -> Vec<_> {
            let one = |m: &accord_document::release::canonical::ReleasedMilestone| {
                (
                    m.what.clone(),
                    m.outputs.clone(),
                    m.who.clone(),
                    m.due.clone(),
                    m.due_text.clone(),
                )
            };
            all.milestones.iter().map(one).collect()
        };
        assert_eq!(milestones(&back), milestones(&released), "{language}");
    }
}

#[test]
fn where_links_lead_is_shown_in_files_and_is_no_text_when_they_come_back() {
    let link = |address: &str| samples::attributes(&[("link", address.into())]);
    let problem = vec![
        Op::text("Read "),
        Op::insert("the law", link("https://laws.example/a_b?c=1&d=2")),
        Op::text(" (laws.example), "),
        Op::insert("example.org", link("https://example.org/")),
        Op::text(", "),
        Op::insert("write", link("mailto:a_na@example.org?subject=Hi")),
        Op::text(" or "),
        Op::insert("call", link("tel:+1-2")),
        Op::text(" us.\n"),
    ];
    let released = samples::released("en", |content| {
        content.texts.insert("problem".into(), problem.clone());
    });
    let paper = Paper::of(&released, &samples::draft());
    let word = docx(&paper, &Manuscript::of(&released), &[], 0);
    let text = accord_files::markdown(&paper);
    assert!(
        text.contains("(laws.example) (laws.example), [example.org](<https://example.org/>), "),
        "{text}"
    );
    assert!(text.contains("(a\\_na\\@example.org) or "), "{text}");
    for (name, file) in [("a.docx", word), ("a.md", text.into_bytes())] {
        let back = content(&import(name, &file, "en").unwrap());
        assert_eq!(blocks(&back.texts["problem"]), blocks(&problem), "{name}");
    }
    // The same characters written by somebody else are an author's text, because the link lacks the title that Accord's
    // writer adds.
    let (_, foreign) = markdown("# T\n\n## Problem\n\n[law](https://a.example) (a.example)\n");
    assert_eq!(foreign.plain("problem"), "law (a.example)\n");
}
