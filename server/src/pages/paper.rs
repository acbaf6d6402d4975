//! A commitment as one HTML file, for keeping, sending and printing.

use super::Page;
use super::text::block;
use accord_files::{Paper, Piece};
use accord_words::wire_name;
use maud::{Markup, html};

pub(crate) fn paper(paper: &Paper) -> Page {
    let body = html! {
        p.above { (paper.about.first().map_or("", String::as_str)) }
        h1 lang=(paper.language) { (paper.title) }
        p.soft { (paper.about.get(1..).unwrap_or_default().join(" · ")) }
        @if let Some(signed) = &paper.signed {
            div.signed {
                p { strong { (signed.heading) } }
                ul.plain { @for one in &signed.people {
                    li {
                        span.mark.(wire_name(&one.sector)) aria-hidden="true" {}
                        (one.name) span.soft { ", " (one.about) }
                    }
                } }
            }
        }
        @if let Some((label, needs)) = &paper.gaps {
            p.notice { (label) }
            ul { @for need in needs { li { (need) } } }
        }
        div.prose { @for one in &paper.pieces { (piece(one, &paper.language)) } }
        @if let Some(check) = &paper.check {
            footer {
                h2 { (check.heading) }
                p { (check.hint) }
                p { a href=(check.address) { (check.address) } }
                p.digest { "SHA-256 " code { (check.digest) } }
            }
        }
    };
    Page { title: paper.title.clone(), language: paper.form_language.into(), head: html! {}, body }
}

fn piece(piece: &Piece, language: &str) -> Markup {
    match piece {
        Piece::Heading(2, name) => html! { h2 { (name) } },
        Piece::Heading(3, name) => html! { h3 { (name) } },
        Piece::Heading(_, name) => html! { h4 { (name) } },
        Piece::Date(name, value) => html! { dl { dt { (name) } dd { (value) } } },
        Piece::Text(written) => html! { div lang=(language) { (block(written)) } },
    }
}
