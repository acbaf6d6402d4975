//! The public page of a release: its text, its signatures, and how to verify them.

use super::Page;
use super::text::text;
use crate::releases::Published;
use accord_document::release::canonical::{Released, ReleasedMilestone};
use accord_document::release::outline::{Chapter, ChapterPart, has_words, outline};
use accord_files::FileKind;
use accord_words::{Words, own_name, wire_name};
use maud::{Markup, html};

/// The context of a release that its page also shows: other releases, other languages, and the plan.
pub(crate) struct ReleaseContext {
    /// All public releases of the document, the newest first.
    pub(crate) all: Vec<Published>,
    pub(crate) plan: String,
    pub(crate) plan_title: String,
    /// The other languages in which the commitment is public: the id of each document, and its language (BCP 47).
    pub(crate) languages: Vec<(String, String)>,
    /// The web origin at which browsers find this server, for absolute addresses.
    pub(crate) base: String,
}

impl ReleaseContext {
    fn newest(&self) -> Option<&Published> {
        self.all.first()
    }
}

/// Returns the path of a release's page.
pub(crate) fn address(document: &str, number: u32) -> String {
    format!("/r/{document}/{number}")
}

/// Renders a release's page. `files` are the kinds of file that can be made of the release.
pub(crate) fn release(context: &ReleaseContext, shown: &Published, files: &[FileKind]) -> Page {
    let released = &shown.sealed.released;
    let words = Words::of(&released.language);
    let title = released.title();
    let here = address(released.document.as_str(), released.number);
    let chapters = outline(released);
    let key = |chapter: &Chapter<'_>| wire_name(&chapter.section);
    let body = html! {
        p.above { a href={ "/p/" (context.plan) } { (context.plan_title) } }
        h1 lang=(released.language) { (title) }
        (state(&words, context, shown))
        (signatures(&words, shown))
        @if !released.gaps.is_empty() {
            p.notice { (words.say("release.gaps")) }
            ul { @for gap in &released.gaps { li { (words.say(&format!("need.{}", wire_name(gap)))) } } }
        }
        nav aria-label=(words.say("release.contents")) { ul.inline {
            @for key in chapters.iter().map(key) { li { a href={ "#" (key) } { (words.say(&format!("section.{key}"))) } } }
        } }
        @for chapter in &chapters {
            @let key = key(chapter);
            section id=(key) aria-labelledby={ (key) "-title" } {
                h2 id={ (key) "-title" } {
                    (words.say(&format!("section.{key}")))
                    a.link href={ "#" (key) } aria-label={ (words.say("release.link")) ": " (words.say(&format!("section.{key}"))) } { "#" }
                }
                (parts(&words, released, chapter))
            }
        }
        footer {
            (check(&words, shown, files, &here))
            (others(&words, context, shown))
        }
    };
    let description = released.plain("brief").split_whitespace().collect::<Vec<_>>().join(" ");
    let description: String = description.chars().take(200).collect();
    let whole = format!("{}{here}", context.base);
    let head = html! {
        meta name="description" content=(description);
        link rel="canonical" href=(whole);
        meta property="og:type" content="article";
        meta property="og:title" content=(title);
        meta property="og:description" content=(description);
        meta property="og:url" content=(whole);
        meta property="og:site_name" content=(context.plan_title);
        meta property="og:locale" content=(released.language);
        meta name="twitter:card" content="summary";
        @for (document, language) in &context.languages {
            link rel="alternate" hreflang=(language) href={ (context.base) "/r/" (document) };
        }
    };
    Page { title, language: words.language.into(), head, body }
}

/// Renders the number and date of a release, with a notice if a newer release has replaced it.
fn state(words: &Words, context: &ReleaseContext, shown: &Published) -> Markup {
    let number = shown.sealed.released.number;
    let when = words.moment(shown.time, &shown.zone);
    let newer = context.newest().filter(|newest| newest.sealed.released.number > number);
    html! {
        p.soft {
            (words.fill("release.number", &[("number", &number.to_string())])) " · "
            (words.fill("release.published", &[("when", &when)]))
        }
        @if let Some(newest) = newer {
            @let newest_number = newest.sealed.released.number.to_string();
            @let since = words.moment(newest.time, &newest.zone);
            p.notice {
                a href=(address(shown.sealed.released.document.as_str(), newest.sealed.released.number)) {
                    (words.fill("release.replaced", &[("number", &newest_number), ("when", &since)]))
                }
            }
        }
    }
}

fn signatures(words: &Words, shown: &Published) -> Markup {
    let label = words.say("release.signed");
    html! {
        div.signed {
            p { strong { (label) } }
            ul.plain { @for signatory in &shown.sealed.statement.signatories {
                li {
                    span.mark.(wire_name(&signatory.sector)) aria-hidden="true" {}
                    (signatory.name) span.soft { ", " (words.sector(signatory.sector)) ", " (words.moment(signatory.time, &shown.zone)) }
                }
            } }
        }
    }
}

fn parts(words: &Words, released: &Released, chapter: &Chapter<'_>) -> Markup {
    html! { @for part in &chapter.parts {
        @match part {
            ChapterPart::Text { key, ops } => {
                h3 id=(key) { (words.say(&format!("field.{key}"))) }
                div.prose lang=(released.language) { (text(ops, 3)) }
            }
            ChapterPart::Date { key, day } => {
                dl {
                    dt { (words.say(&format!("field.{key}"))) }
                    dd { time datetime=(day) { (words.day(day)) } }
                }
            }
            ChapterPart::Milestone { number, milestone: one } => {
                div.milestone { (milestone(words, released, *number, one)) }
            }
        }
    } }
}

fn milestone(words: &Words, released: &Released, number: usize, one: &ReleasedMilestone) -> Markup {
    let number = number.to_string();
    html! {
        h3 { (words.fill("milestones.number", &[("number", &number)])) }
        div.prose lang=(released.language) { (text(&one.what, 3)) }
        dl {
            @if has_words(&one.outputs) {
                dt { (words.say("field.outputs")) } dd lang=(released.language) { (text(&one.outputs, 3)) }
            }
            @if !one.due.is_empty() || !one.due_text.is_empty() {
                dt { (words.say("field.due")) }
                dd {
                    @if !one.due.is_empty() { time datetime=(one.due) { (words.day(&one.due)) } }
                    @if !one.due.is_empty() && !one.due_text.is_empty() { " · " }
                    @if !one.due_text.is_empty() { span lang=(released.language) { (one.due_text) } }
                }
            }
            @if has_words(&one.who) {
                dt { (words.say("field.who")) } dd lang=(released.language) { (text(&one.who, 3)) }
            }
        }
    }
}

fn check(words: &Words, shown: &Published, files: &[FileKind], here: &str) -> Markup {
    html! {
        h2 { (words.say("release.check")) }
        p { (words.say("release.checkHint")) }
        p.digest { "SHA-256 " code { (shown.sealed.statement.digest) } }
        ul.inline {
            li { a href="/verify" { (words.say("release.checkPage")) } }
            li { a href={ (here) "/release.json" } download { (words.say("release.file.json")) } }
            @for kind in files {
                li { a href={ (here) "/release." (kind.extension()) } download { (words.say(&format!("release.file.{}", kind.name()))) } }
            }
        }
    }
}

/// Renders the links to the other releases and the other languages.
fn others(words: &Words, context: &ReleaseContext, shown: &Published) -> Markup {
    let released = &shown.sealed.released;
    let document = released.document.as_str();
    html! {
        h2 { (words.say("release.all")) }
        ul.plain { @for one in &context.all {
            @let number = one.sealed.released.number;
            @let name = words.fill("release.number", &[("number", &number.to_string())]);
            li {
                @if number == released.number { strong aria-current="page" { (name) } }
                @else { a href=(address(document, number)) { (name) } }
                span.soft { " · " (words.moment(one.time, &one.zone)) }
                @if number != released.number {
                    " · "
                    @let (a, b) = (number.min(released.number), number.max(released.number));
                    a href={ "/r/" (document) "/compare/" (a) "/" (b) } {
                        (words.fill("release.compare", &[("number", &number.to_string())]))
                    }
                }
            }
        } }
        @if !context.languages.is_empty() {
            h2 { (words.say("release.languages")) }
            ul.inline { @for (other, language) in &context.languages {
                li { a href={ "/r/" (other) } hreflang=(language) lang=(language) { (own_name(language)) } }
            } }
        }
    }
}
