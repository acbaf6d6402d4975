//! A document's text as HTML. Each line has `dir="auto"`, so that the line's own first letter decides the direction of
//! the line. `readable::turned_numbers` relies on this.

use accord_document::model::blocks::{Block, Line, List, Span, blocks};
use accord_document::model::delta::Op;
use maud::{Markup, html};

/// Renders a text. Its headings are below the level `below`: with 3, the highest heading is an `h4`.
pub(super) fn text(ops: &[Op], below: u8) -> Markup {
    html! { @for one in blocks(ops) {
        @match one {
            Block::Heading(level, inside) => (block(&Block::Heading(below + level, inside))),
            other => (block(&other)),
        }
    } }
}

/// Renders a block. The level of a heading is already the level on the page.
pub(super) fn block(block: &Block) -> Markup {
    match block {
        Block::Paragraph(inside) => html! { p dir="auto" { (line(inside)) } },
        Block::Heading(level, inside) => match level {
            ..=4 => html! { h4 dir="auto" { (line(inside)) } },
            5 => html! { h5 dir="auto" { (line(inside)) } },
            _ => html! { h6 dir="auto" { (line(inside)) } },
        },
        Block::Quote(lines) => {
            html! { blockquote { @for inside in lines { p dir="auto" { (line(inside)) } } } }
        }
        Block::List(all) => list(all),
    }
}

fn list(list: &List) -> Markup {
    let items = html! {
        @for item in &list.items {
            li dir="auto" { (line(&item.line)) @for within in &item.within { (self::list(within)) } }
        }
    };
    if list.ordered {
        html! { ol { (items) } }
    } else {
        html! { ul { (items) } }
    }
}

pub(super) fn line(line: &Line) -> Markup {
    html! {
        @for span in line {
            (piece(span))
            @if let Some(leads_to) = &span.leads_to { " " span.host { bdi dir="ltr" { (leads_to) } } }
        }
    }
}

fn piece(span: &Span) -> Markup {
    let mut out = html! { (span.text) };
    if span.italic {
        out = html! { em { (out) } };
    }
    if span.bold {
        out = html! { strong { (out) } };
    }
    match &span.link {
        Some(address) => html! { a href=(address) rel="noopener noreferrer nofollow" { (out) } },
        None => out,
    }
}
