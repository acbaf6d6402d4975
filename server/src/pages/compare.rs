//! The comparison of two releases as one text, with insertions and deletions marked.

use super::Page;
use super::release::{ReleaseContext, address};
use crate::releases::Published;
use accord_document::history::{MilestoneDiff, PieceStatus, TextDiff};
use accord_document::model::Target;
use accord_words::Words;
use maud::{Markup, html};

/// The differences between two releases.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) texts: Vec<TextDiff>,
    pub(crate) milestones: Vec<MilestoneDiff>,
    /// The dates of the commitment itself, without those of milestones: the key of each date, its value in the first
    /// release, and its value in the second release.
    pub(crate) facts: Vec<(String, String, String)>,
}

impl Compared {
    /// Returns the approximate memory of the comparison, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let pieces = self.texts.iter().flat_map(|text| &text.pieces);
        pieces.map(|piece| piece.text().len() + 300).sum::<usize>() + 1_000
    }
}

pub(crate) fn compare(
    context: &ReleaseContext,
    (a, b): (&Published, &Published),
    compared: &Compared,
) -> Page {
    let (first, second) = (&a.sealed.released, &b.sealed.released);
    let words = Words::of(&second.language);
    let numbers = [("a", first.number.to_string()), ("b", second.number.to_string())];
    let numbers = numbers.each_ref().map(|(name, number)| (*name, number.as_str()));
    let heading = words.fill("compare.title", &numbers);
    let changed: Vec<_> = compared
        .texts
        .iter()
        .filter(|text| {
            text.pieces.iter().any(|piece| piece.status != PieceStatus::Kept || piece.was.is_some())
        })
        .collect();
    let document = second.document.as_str();
    let dates = dates(&words, compared);
    let is_same = changed.is_empty() && dates.is_empty();
    let link = |number: u32| {
        html! { a href=(address(document, number)) { (words.fill("release.number", &[("number", &number.to_string())])) } }
    };
    let body = html! {
        p.above { a href={ "/p/" (context.plan) } { (context.plan_title) } }
        h1 { (heading) }
        p lang=(second.language) { (second.title()) }
        p.soft { (link(first.number)) " · " (link(second.number)) }
        @if is_same { p { (words.say("compare.same")) } } @else { p.soft { (words.say("compare.hint")) } }
        @for text in changed {
            h2 { (name(&words, compared, &text.target)) }
            div.compared lang=(second.language) { @for piece in &text.pieces {
                @let said = piece.text();
                @match piece.status {
                    PieceStatus::Kept => { (said) }
                    PieceStatus::Inserted => { ins { (said) } }
                    PieceStatus::Deleted => { del { (said) } }
                }
            } }
        }
        @for (name, before, after) in dates {
            h2 { (name) }
            p { @if !before.is_empty() { del { (before) } " " } @if !after.is_empty() { ins { (after) } } }
        }
    };
    let head = html! { link rel="canonical" href={ (context.base) "/r/" (document) "/compare/" (first.number) "/" (second.number) }; };
    Page {
        title: format!("{heading}: {}", second.title()),
        language: words.language.into(),
        head,
        body,
    }
}

fn name(words: &Words, compared: &Compared, target: &Target) -> Markup {
    let Some((id, key)) = target.milestone_text() else {
        return html! { (words.say(&format!("field.{}", target.0))) };
    };
    html! { (milestone(words, compared, id)) ": " (words.say(&format!("field.{key}"))) }
}

fn milestone(words: &Words, compared: &Compared, id: &str) -> String {
    let at = compared.milestones.iter().position(|one| one.id == id).unwrap_or_default() + 1;
    words.fill("milestones.number", &[("number", &at.to_string())])
}

/// Returns the dates that differ: the name of each, with its text before and after.
fn dates(words: &Words, compared: &Compared) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for (key, before, after) in &compared.facts {
        let name = words.say(&format!("field.{key}"));
        all.push((name, words.day(before), words.day(after)));
    }
    for one in &compared.milestones {
        let before = format!("{} {}", words.day(&one.due_before), one.due_text_before);
        let after = format!("{} {}", words.day(&one.due_after), one.due_text_after);
        let name = format!("{}: {}", milestone(words, compared, &one.id), words.say("field.due"));
        all.push((name, before.trim().to_owned(), after.trim().to_owned()));
    }
    all.retain(|(_, before, after)| before != after);
    all
}
