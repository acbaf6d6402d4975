//! Answers to be kept as files, and tables (CSV after RFC 4180).

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// A file to be downloaded, with a name that needs no quoting.
pub(super) fn file(kind: &'static str, name: &str, content: impl IntoResponse) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment")),
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
