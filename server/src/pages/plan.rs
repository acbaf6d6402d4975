//! The public page of a plan: its commitments with their newest releases.

use super::Page;
use crate::releases::Published;
use accord_words::Words;
use maud::html;

/// Renders a plan's public page, with the newest public release of each commitment.
pub(crate) fn plan(title: &str, base: &str, id: &str, releases: &[Published]) -> Page {
    let language = releases.first().map_or("en", |one| one.sealed.released.language.as_str());
    let words = Words::of(language);
    let body = html! {
        h1 { (title) }
        h2 { (words.say("plan.commitments")) }
        ol.commitments { @for one in releases {
            @let released = &one.sealed.released;
            li lang=(released.language) {
                a href={ "/r/" (released.document) } { (released.title()) }
                @let brief = released.plain("brief");
                @if !brief.is_empty() { p { (brief) } }
                p.soft {
                    @let own = Words::of(&released.language);
                    (own.fill("release.number", &[("number", &released.number.to_string())])) " · "
                    (own.fill("release.published", &[("when", &own.moment(one.time, &one.zone))]))
                }
            }
        } }
    };
    let whole = format!("{base}/p/{id}");
    let head = html! {
        link rel="canonical" href=(whole);
        meta property="og:type" content="website";
        meta property="og:title" content=(title);
        meta property="og:url" content=(whole);
    };
    Page { title: title.to_owned(), language: words.language.into(), head, body }
}
