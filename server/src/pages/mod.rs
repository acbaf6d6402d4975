//! The pages that the server renders itself: for reading without JavaScript, for printing, and for keeping as a file.
//!
//! A page is a single file that contains its style. It loads no other resource and runs no script: its content security
//! policy allows that one style and nothing else.

mod compare;
mod paper;
mod plan;
mod record;
mod release;
mod text;

pub(crate) use compare::{Compared, compare};
pub(crate) use paper::paper;
pub(crate) use plan::plan;
pub(crate) use record::record;
pub(crate) use release::{ReleaseContext, release};

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The style of a page: the design tokens, which the application uses as well, and the CSS rules of public pages.
const STYLE: &str =
    concat!(include_str!("../../../web/src/styles/tokens.css"), include_str!("page.css"));

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = BASE64.encode(&Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("base64 and what stands above are fit for a header")
});

/// A complete page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) title: String,
    /// The language of the page's own words (BCP 47). The text of the commitment can be in another one.
    pub(crate) language: String,
    /// Further elements of the HTML head.
    pub(crate) head: Markup,
    pub(crate) body: Markup,
}

impl Page {
    fn markup(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(self.language) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                    (self.head)
                    style { (PreEscaped(STYLE)) }
                }
                body { main { (self.body) } }
            }
        }
    }
}

impl Page {
    /// Returns the page as HTML.
    pub(crate) fn html(&self) -> String {
        self.markup().into_string()
    }

    /// Returns the headers that every page is sent with.
    pub(crate) fn headers() -> [(HeaderName, HeaderValue); 2] {
        [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CONTENT_SECURITY_POLICY, POLICY.clone()),
        ]
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        (Self::headers(), self.html()).into_response()
    }
}

/// Returns the page for an address without a public release, whether the release does not exist or is not public yet.
pub(crate) fn missing() -> Page {
    let title = "There is nothing here";
    let body = html! {
        h1 { (title) }
        p { "No release is public at this address. If one was announced, come back at the announced time." }
    };
    Page { title: title.into(), language: "en".into(), head: html! {}, body }
}

/// Renders a time for people and for programs. The server does not know the reader's time zone, so the text names UTC.
fn time(milliseconds: u64) -> Markup {
    let time =
        i64::try_from(milliseconds).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    html! {
        @if let Some(time) = time {
            time datetime=(time) { (time.strftime("%-d %B %Y, %H:%M UTC")) }
        }
    }
}

/// Formats a number with separators of thousands: 12,345.
fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_moments_are_written_for_people() {
        for (value, expect) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(number(value), expect);
        }
        let told = time(1_795_440_000_000).into_string();
        assert!(told.contains("23 November 2026, 13:20 UTC"), "{told}");
        assert_eq!(time(u64::MAX).into_string(), "");
    }
}
