//! Tests of PDFs: which texts can be set, and from which side each line is read.

use super::*;
use crate::samples;
use accord_document::model::delta::Op;
use accord_document::readable::is_right_to_left_line;
use typst::layout::{Frame, FrameItem};

fn press() -> Press {
    Press::new(None).unwrap()
}

fn set(language: &str) -> Vec<u8> {
    let released = samples::released(language, |_| {});
    let paper = Paper::of(&released, &samples::draft());
    press().pdf(paper, 1_795_440_000_000, None).unwrap()
}

/// Writes a file to the folder that `ACCORD_SHOTS` names, if it is set, so that somebody can look at it.
fn keep(name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("ACCORD_SHOTS") {
        std::fs::write(Path::new(&folder).join(name), bytes).unwrap();
    }
}

#[test]
fn every_script_of_our_cities_is_set_and_the_same_text_gives_the_same_bytes() {
    for language in ["en", "ko", "ka", "cs"] {
        let bytes = set(language);
        keep(&format!("{language}.pdf"), &bytes);
        assert!(bytes.starts_with(b"%PDF-1.7"), "{language}");
        assert_eq!(bytes, set(language), "{language}");
    }
}

#[test]
fn a_character_without_a_font_is_told_by_its_number_and_a_whole_language_is_not() {
    let made = |text: &str| {
        let text = text.to_owned();
        let released = samples::released("en", |content| {
            content.texts.insert("problem".into(), vec![op(&text)]);
        });
        let paper = Paper::of(&released, &samples::draft());
        press().pdf(paper, 0, None)
    };
    assert!(
        made("one \u{1f9ff} emoji ✔ → is \u{e001} \u{feff}\u{1} fine e\u{323}\u{30a}\n").is_ok()
    );
    let refused = made(&"مرحبا بالعالم ".repeat(40)).unwrap_err();
    assert!(matches!(refused, PressError::Fonts), "{refused}");
}

#[test]
fn whatever_the_fonts_have_can_be_set_alone_and_together() {
    let press = press();
    let has = |c: &char| press.fonts.replace_missing_glyphs(&c.to_string()).1.as_code_points == 0;
    let all: Vec<char> = ('\u{20}'..'\u{20000}').filter(has).collect();
    assert!(all.len() > 15_000, "{}", all.len());
    // The text contains each character by itself, then each mark on letters of all scripts.
    let mut text: String = all.iter().flat_map(|c| [*c, ' ']).collect();
    let marks: Vec<char> =
        ('\u{300}'..'\u{370}').filter(has).chain(['\u{200d}', '\u{fe0f}']).collect();
    for mark in marks {
        for base in ['e', 'ж', 'ω', 'ა', '가', '✔', '😀', '1'] {
            text.extend([base, mark, mark]);
        }
        text.push(' ');
    }
    let set = |text: &str| {
        let released = samples::released("en", |content| {
            content.texts.insert("problem".into(), vec![op(text)]);
        });
        press.pdf(Paper::of(&released, &samples::draft()), 0, None)
    };
    let bytes = set(&text).unwrap();
    keep("glyphs.pdf", &bytes);
    // Text from right to left, joined emoji, separators of lines, and unusual links are set as well.
    for text in
        ["\u{200f}\u{202e}abc\u{202c}", "👨‍👩‍👧 🇬🇪 1️⃣", "a\u{ad}b\u{2060}c", "\u{2028}x\u{2029}y\u{b}z"]
    {
        set(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    }
    let link = |address: &str| {
        let marks = samples::attributes(&[("link", address.into())]);
        let op = Op::insert("there", marks);
        let released = samples::released("en", |content| {
            content.texts.insert("problem".into(), vec![op]);
        });
        press.pdf(Paper::of(&released, &samples::draft()), 0, None)
    };
    for address in
        ["https://a/\u{202e}ß b\"(\\", "mailto:a@b", &format!("https://a/{}", "x".repeat(9_000))]
    {
        link(address).unwrap_or_else(|error| panic!("{:.40}: {error}", address));
    }
}

#[test]
fn a_title_and_a_heading_of_any_length_are_set() {
    let long = "Every contract of the city ".repeat(2_000);
    let header = samples::attributes(&[("header", 1.into())]);
    let released = samples::released("en", |content| {
        content.texts.insert("title".into(), vec![op(&long), op("\n")]);
        let more = vec![op(&long), Op::insert("\n", header), op(&long.replace(' ', "\n"))];
        content.texts.insert("problem".into(), more);
    });
    let bytes = press().pdf(Paper::of(&released, &samples::draft()), 0, None).unwrap();
    keep("long.pdf", &bytes);
    assert!(bytes.len() < 4_000_000, "the title stands on each page in short: {}", bytes.len());
}

#[test]
fn a_text_longer_than_a_pdf_may_be_is_told_so() {
    let released = samples::released("en", |content| {
        content.texts.insert("problem".into(), vec![op(&"words ".repeat(100_001))]);
    });
    let error = press().pdf(Paper::of(&released, &samples::draft()), 0, None).unwrap_err();
    assert_eq!(error, PressError::Long);
}

/// Returns the distance of each line's start from the left edge of the page, in points. A line is found by its longest
/// word.
fn starts(lines: &[&str]) -> Vec<f64> {
    let released = samples::released("en", |content| {
        content.texts.insert("problem".into(), vec![op(&format!("{}\n", lines.join("\n")))]);
    });
    let press = press();
    let world = press.world(Paper::of(&released, &samples::draft()), None).unwrap();
    let set = world.set().unwrap();
    let mut texts = Vec::new();
    set.pages().iter().for_each(|page| texts_of(&page.frame, 0.0, &mut texts));
    let start = |line: &&str| {
        let words = line.split(|c: char| !c.is_ascii_alphabetic());
        let word = words.max_by_key(|word| word.len()).unwrap();
        let found = texts.iter().find(|(text, _)| text.contains(word));
        found.unwrap_or_else(|| panic!("{line:?} in {texts:?}")).1
    };
    lines.iter().map(start).collect()
}

fn texts_of(frame: &Frame, left: f64, out: &mut Vec<(String, f64)>) {
    for (at, item) in frame.items() {
        let left = left + at.x.to_pt();
        match item {
            FrameItem::Group(group) => texts_of(&group.frame, left, out),
            FrameItem::Text(text) => out.push((text.text.to_string(), left)),
            _ => {}
        }
    }
}

#[test]
fn a_line_is_set_from_the_side_from_which_every_form_of_the_text_reads_it() {
    let lines = [
        "first letter",
        // A direction mark has a strong direction, as a letter has, but no script.
        "\u{200f}marked",
        "\u{200f}12 numbers",
        "then \u{200f}later",
        // Isolated characters do not decide the direction of a line.
        "\u{2066}isolated\u{2069} \u{200f}then",
        // No list of scripts contains every letter that is read from right to left.
        "\u{10900} phoenician",
    ];
    for (line, start) in lines.iter().zip(starts(&lines)) {
        let is_right = start > 200.0;
        assert_eq!(is_right, is_right_to_left_line(line), "{line:?} begins at {start} pt");
    }
    assert_eq!(lines.map(is_right_to_left_line), [false, true, true, false, true, true]);
}

fn op(text: &str) -> Op {
    Op::text(text)
}
