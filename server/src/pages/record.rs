//! The co-creation record as a page: who shaped which part of a commitment, when, and for which side.

use super::{Page, number, time};
use crate::record::{AuthorView, MarkView, ProposalView, RecordView};
use accord_document::history::{Sitting, Tally};
use accord_document::people::Sector;
use accord_document::template::FIELDS;
use accord_words::{names, wire_name};
use maud::{Markup, html};
use std::collections::BTreeMap;

pub(crate) fn record(view: &RecordView) -> Page {
    let title = if view.title.is_empty() { "Untitled commitment" } else { &view.title };
    let body = html! {
        p.above { "How this commitment was written together · " (view.plan_title) }
        h1 { (title) }
        p.soft {
            "Started " (time(view.began.time)) ". This record covers everything that was saved by " (time(view.head.time))
            " (entry " (number(view.head.seq)) " of its ledger)."
        }
        (people(view))
        (sections(view))
        (sittings(view))
        (versions(view))
        (proposals(view))
        h2 { "How this was counted" }
        p {
            "Every change is an entry in the commitment’s ledger, with the person who was signed in and the side they represented at the time. A character counts for the person who wrote it first, even if somebody else moved it, or deleted and restored it. Text that the commitment was created with, such as its title, counts for the person \
            who created it, and belongs to no session. Characters are UTF-16 code units. A session ends when nobody has \
            written for a quarter of an hour."
        }
    };
    Page {
        title: format!("Co-creation record: {title}"),
        language: "en".into(),
        head: html! {},
        body,
    }
}

/// The amount of one person's work, in UTF-16 code units.
#[derive(Default, Clone, Copy)]
struct Work {
    characters: u64,
    inserted: u64,
    deleted: u64,
}

fn people(view: &RecordView) -> Markup {
    let mut work = vec![Work::default(); view.authors.len()];
    for share in &view.shares {
        if let Some(work) = work.get_mut(share.author as usize) {
            work.characters += share.characters as u64;
        }
    }
    for tally in view.sittings.iter().flat_map(|sitting| &sitting.tallies) {
        if let Some(work) = work.get_mut(tally.author as usize) {
            work.inserted += u64::from(tally.inserted);
            work.deleted += u64::from(tally.deleted);
        }
    }
    let total: u64 = work.iter().map(|work| work.characters).sum();
    let mut all: Vec<_> = view.authors.iter().zip(&work).collect();
    all.sort_by_key(|(_, work)| std::cmp::Reverse(work.characters));
    html! {
        h2 { "Who took part" }
        (scrolled("Who took part", html! {
            thead { tr {
                th scope="col" { "Person" }
                th scope="col" { "Role" }
                th.n scope="col" { "In the current text" }
                th.n scope="col" { "Written in total" }
                th.n scope="col" { "Deleted in total" }
            } }
            tbody { @for (author, work) in all {
                tr {
                    th scope="row" { (person(author)) }
                    td { (names::seat(author.seat)) }
                    td.n { (number(work.characters)) " · " (percent(work.characters, total)) }
                    td.n { (number(work.inserted)) }
                    td.n { (number(work.deleted)) }
                }
            } }
        }))
    }
}

fn sections(view: &RecordView) -> Markup {
    // Each row is the name of a section with the number of characters that each sector wrote in it. The first row is
    // the whole commitment.
    let mut rows: Vec<(String, [u64; 4])> = vec![("Whole commitment".into(), [0; 4])];
    for share in &view.shares {
        let section = share.section.map_or_else(|| "title".into(), |section| wire_name(&section));
        let name = names::section(&section);
        let at = rows.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            rows.push((name, [0; 4]));
            rows.len() - 1
        });
        let Some(author) = view.authors.get(share.author as usize) else { continue };
        for row in [0, at] {
            rows[row].1[place(author.sector)] += share.characters as u64;
        }
    }
    html! {
        h2 { "Who wrote the current text, by section" }
        (scrolled("Who wrote the current text, by section", html! {
            thead { tr {
                th scope="col" { "Section" }
                th scope="col" { span.soft { "Share" } }
                @for sector in Sector::ALL { th.n scope="col" { (marked(sector)) } }
            } }
            tbody { @for (name, counts) in &rows {
                @let total = counts.iter().sum();
                tr {
                    th scope="row" { (name) }
                    td { (bar(counts, total)) }
                    @for count in counts { td.n { (percent(*count, total)) } }
                }
            } }
        }))
    }
}

fn sittings(view: &RecordView) -> Markup {
    html! {
        h2 { "Who wrote what, when" }
        p.soft { "Characters written and deleted in each session, including those that are no longer in the text." }
        (scrolled("Who wrote what, when", html! {
            thead { tr {
                th scope="col" { "Session" }
                th scope="col" { "Person" }
                th scope="col" { "Section" }
                th.n scope="col" { "Written" }
                th.n scope="col" { "Deleted" }
            } }
            tbody { @for sitting in &view.sittings {
                @for (index, (author, section, work)) in by_section(sitting).into_iter().enumerate() {
                    tr {
                        th scope="row" { @if index == 0 { (time(sitting.began)) } }
                        td { @if let Some(author) = view.authors.get(author as usize) { (person(author)) } }
                        td { (section) }
                        td.n { (number(work.inserted)) }
                        td.n { (number(work.deleted)) }
                    }
                }
            } }
        }))
        @if view.sittings.is_empty() { p { "Nobody has written here yet." } }
    }
}

/// Returns the work of each person in each section during a sitting: the person's index among the authors, the name of
/// the section, and the amount of work. Sections with fields come first, in the order of the page. Then come the
/// milestones, and last the dates.
fn by_section(sitting: &Sitting) -> Vec<(u32, String, Work)> {
    let mut rows: Vec<(u32, String, Work)> = Vec::new();
    let mut places: BTreeMap<(u32, String), usize> = BTreeMap::new();
    for tally in &sitting.tallies {
        let section = section_of(tally);
        let place = *places.entry((tally.author, section.clone())).or_insert_with(|| {
            rows.push((tally.author, names::section(&section), Work::default()));
            rows.len() - 1
        });
        rows[place].2.inserted += u64::from(tally.inserted);
        rows[place].2.deleted += u64::from(tally.deleted);
    }
    rows
}

fn section_of(tally: &Tally) -> String {
    let Some(target) = &tally.target else { return "when".into() };
    if target.milestone_text().is_some() {
        return "milestones".into();
    }
    let field = FIELDS.iter().find(|field| field.key == target.0);
    field
        .and_then(|field| field.section)
        .map_or_else(|| "title".into(), |section| wire_name(&section))
}

fn versions(view: &RecordView) -> Markup {
    html! {
        h2 { "Versions" }
        @if view.versions.is_empty() { p { "No versions have been named." } }
        @else { (scrolled("Versions", html! {
            thead { tr {
                th scope="col" { "Version" }
                th scope="col" { "The text as it was" }
                th scope="col" { "Named by" }
            } }
            tbody { @for version in &view.versions {
                tr {
                    th scope="row" {
                        @if let Some(to) = version.before_restoring { "Before going back to " (time(to.time)) }
                        @else { (version.name) }
                        @if !version.description.is_empty() { p.soft { (version.description) } }
                    }
                    td { (time(version.moment.time)) }
                    td { @if let Some(by) = version.by.and_then(|by| view.authors.get(by as usize)) { (person(by)) } }
                }
            } }
        })) }
    }
}

fn proposals(view: &RecordView) -> Markup {
    html! {
        h2 { "Proposals and releases" }
        @if view.proposals.is_empty() { p { "Nothing has been proposed for a release yet." } }
        @else { (scrolled("Proposals and releases", html! {
            thead { tr {
                th scope="col" { "Proposed" }
                th scope="col" { "By" }
                th scope="col" { "Signed by" }
                th scope="col" { "Outcome" }
            } }
            tbody { @for proposal in &view.proposals {
                tr {
                    th scope="row" {
                        (time(proposal.by.time))
                        @if !proposal.message.is_empty() { p.soft { (proposal.message) } }
                    }
                    td { (mark(&proposal.by)) }
                    td { @for signature in &proposal.signatures { p { (mark(signature)) ", " (time(signature.time)) } } }
                    td { (status(proposal)) }
                }
            } }
        })) }
        @for release in view.releases.iter().filter(|release| release.reopened.is_some()) {
            @if let Some(by) = &release.reopened {
                p { "After release " (release.number) " " (mark(by)) " began the next draft, " (time(by.time)) "." }
            }
        }
    }
}

/// Wraps a table in a region that scrolls, also by keyboard, because the table can be wider than a phone.
fn scrolled(label: &str, table: Markup) -> Markup {
    html! { .scroll role="region" tabindex="0" aria-label=(label) { table { (table) } } }
}

fn status(proposal: &ProposalView) -> Markup {
    let by =
        html! { @if let Some(by) = &proposal.ended { " by " (mark(by)) ", " (time(by.time)) } };
    html! {
        @match (proposal.status, proposal.release) {
            (_, Some(number)) => { "Release " (number) p.soft { "SHA-256 " code { (proposal.digest) } } }
            ("declined", _) => { "Declined" (by) p.soft { "“" (proposal.reason) "”" } }
            ("withdrawn", _) => { "Withdrawn" (by) }
            ("superseded", _) => { "The text had changed, and another proposal replaced it" }
            ("stale", _) => { "The text has changed since" }
            _ => { "Waiting for signatures" }
        }
    }
}

fn mark(by: &MarkView) -> Markup {
    named(&by.name, by.sector)
}

fn person(author: &AuthorView) -> Markup {
    named(&author.name, author.sector)
}

/// Renders a person's name and side. The name is empty for a person who was forgotten.
fn named(name: &str, sector: Sector) -> Markup {
    html! {
        span.mark.(wire_name(&sector)) aria-hidden="true" {}
        @if name.is_empty() { (names::former(sector)) }
        @else { (name) span.soft { ", " (names::sector(sector)) } }
    }
}

fn marked(sector: Sector) -> Markup {
    html! { span.mark.(wire_name(&sector)) aria-hidden="true" {} (names::sector(sector)) }
}

/// Renders the shares of the sectors as one bar. Screen readers skip it, because the same table gives the numbers.
fn bar(counts: &[u64; 4], total: u64) -> Markup {
    let widths = counts.map(|count| (count * 1000).checked_div(total).unwrap_or(0));
    html! {
        svg.bar viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
            @for (index, sector) in Sector::ALL.iter().enumerate() {
                @let before: u64 = widths[..index].iter().sum();
                rect.(wire_name(sector)) x=(before) y="0" width=(widths[index]) height="10" {}
            }
        }
    }
}

fn place(sector: Sector) -> usize {
    Sector::ALL.iter().position(|known| *known == sector).unwrap_or_default()
}

fn percent(part: u64, total: u64) -> String {
    let rounded = (part * 100 + total / 2).checked_div(total).unwrap_or(0);
    if part > 0 && rounded == 0 { "<1 %".into() } else { format!("{rounded} %") }
}
