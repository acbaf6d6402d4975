//! Answers to be kept as files, and tables (CSV after RFC 4180).

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// A file to be downloaded, with a name that needs no quoting.
pub(super) fn file(kind: &'static str, name: &str, content: impl IntoResponse) -> Response {
    disposed(kind, &format!("attachment; filename=\"{name}\""), content)
}

/// A file to be downloaded that is called like what it holds: `title`, and the end that tells which file of it this
/// is. `plain` is a name for programs that know nothing but ASCII.
pub(super) fn titled(
    kind: &'static str,
    (title, end): (&str, &str),
    plain: &str,
    content: impl IntoResponse,
) -> Response {
    // What file systems do not take in names.
    let is_kept = |c: &char| !c.is_control() && !"/\\:*?\"<>|".contains(*c);
    let title: String = title.chars().filter(is_kept).take(80).collect();
    let name = encoded(&format!("{} {end}", title.trim()));
    // RFC 6266, section 4.3.
    let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{name}");
    disposed(kind, &value, content)
}

/// A text as the value of an extended parameter (RFC 8187, section 3.2.1).
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn disposed(kind: &'static str, disposition: &str, content: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(disposition).unwrap_or(HeaderValue::from_static("attachment")),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, content).into_response()
}

/// A text as a cell of a table.
pub(super) fn quoted(text: &str) -> String {
    // A spreadsheet must not take a name for a formula.
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("\"{}{}\"", if risky { "'" } else { "" }, text.replace('"', "\"\""))
}

pub(super) fn push_row(table: &mut String, cells: &[String]) {
    table.push_str(&cells.join(","));
    table.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_like_what_it_holds_whatever_that_is() {
        let named = |title: &str| {
            let response = titled("text/plain", (title, "draft.pdf"), "d-draft.pdf", "");
            let value = response.headers()[header::CONTENT_DISPOSITION].to_str();
            value.expect("it is ASCII").to_owned()
        };
        assert_eq!(
            named("예산 / \"A\"\r\nX: 1"),
            "attachment; filename=\"d-draft.pdf\"; filename*=UTF-8''%EC%98%88%EC%82%B0%20%20AX%201%20draft.pdf"
        );
        assert!(named(&"x".repeat(500)).len() < 200);
    }
}
