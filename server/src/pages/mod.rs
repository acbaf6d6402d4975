//! Pages that the server makes itself: to read without JavaScript, to print, to keep as a file.
//!
//! A page is one file. Its style stands in it, nothing is fetched and nothing runs: its content security
//! policy allows that one style and nothing else.

mod compare;
mod paper;
mod record;
mod release;
mod text;

pub(crate) use compare::{Compared, compare};
pub(crate) use paper::paper;
pub(crate) use record::record;
pub(crate) use release::{Shelf, plan, release};

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str = include_str!("page.css");

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = BASE64.encode(&Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("base64 and what stands above are fit for a header")
});

/// A page, whole.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) title: String,
    /// Of its own words (BCP 47).
    pub(crate) language: String,
    /// What else stands in its head.
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
    /// Its bytes.
    pub(crate) fn html(&self) -> String {
        self.markup().into_string()
    }

    /// The headers that every page is sent with.
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

/// What stands where nothing is, or is not public yet.
pub(crate) fn missing() -> Page {
    let title = "There is nothing here";
    let body = html! {
        h1 { (title) }
        p { "No release is public at this address. If one was announced, its time may not have come yet." }
    };
    Page { title: title.into(), language: "en".into(), head: html! {}, body }
}

/// A moment for people and for machines. A page does not know its reader's zone, so it names its own.
fn time(milliseconds: u64) -> Markup {
    let time =
        i64::try_from(milliseconds).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    html! {
        @if let Some(time) = time {
            time datetime=(time) { (time.strftime("%-d %B %Y, %H:%M UTC")) }
        }
    }
}

/// A number as people read it: 12,345.
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
