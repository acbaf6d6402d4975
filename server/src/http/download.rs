//! Answers that browsers download as files, with their names, and the rows of tables in CSV (RFC 4180). `audit.rs` and
//! `record.rs` have the columns of these tables.

use accord_document::readable::{is_unseen, visible_part};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use unicode_normalization::UnicodeNormalization as _;

/// Returns an answer that browsers download as a file. `name` must need no escaping inside quotation marks.
pub(super) fn file(kind: &'static str, name: &str, content: impl IntoResponse) -> Response {
    disposed(kind, &format!("attachment; filename=\"{name}\""), content)
}

/// Returns an answer that browsers download as a file. The name of the file consists of `title` and `end`, which says
/// which file it is, such as `draft.pdf`. Programs that understand only ASCII use the name `plain`.
pub(super) fn titled(
    kind: &'static str,
    (title, end): (&str, &str),
    plain: &str,
    content: impl IntoResponse,
) -> Response {
    let name = encoded(&format!("{} {end}", of_file(title)));
    // The form with both names is from RFC 6266, section 4.3.
    let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{name}");
    disposed(kind, &value, content)
}

/// Returns a title as part of a file name. The result omits characters that file systems refuse, and characters that
/// nobody sees: some of the latter reverse the text after them, so that `fdp.exe` would look like `exe.pdf`. Joiners
/// stay where the title's script needs them. Dots at both ends are removed, because a file whose name begins with a dot
/// is hidden.
fn of_file(title: &str) -> String {
    let is_kept = |c: &char| !(c.is_control() || "/\\:*?\"<>|".contains(*c));
    let title = visible_part(title);
    let spaced = title.chars().map(|c| if is_space(c) { ' ' } else { c });
    let name: String = spaced.filter(is_kept).take(80).collect();
    name.trim_matches([' ', '.']).to_owned()
}

/// Returns whether a character is a blank between words, including the non-breaking ones.
fn is_space(c: char) -> bool {
    c.is_whitespace() && !c.is_control() && !"\u{2028}\u{2029}".contains(c)
}

/// Encodes a text as the value of an extended parameter (RFC 8187, section 3.2.1) or as a part of a path (RFC 3986):
/// all bytes except unreserved characters in hexadecimal.
pub(super) fn encoded(text: &str) -> String {
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

/// Quotes a text as a cell of a CSV table. A text that a spreadsheet could take for a formula gets an apostrophe in
/// front.
pub(super) fn quoted(text: &str) -> String {
    let risky = is_formula(text);
    format!("\"{}{}\"", if risky { "'" } else { "" }, text.replace('"', "\"\""))
}

/// Returns whether a spreadsheet could take a text for a formula. Such a text begins with a sign such as `=`, in any
/// width. Blanks and hidden characters can come before the sign, because programs drop them when they import a table.
fn is_formula(text: &str) -> bool {
    let first = text.chars().find(|c| !(c.is_whitespace() || is_unseen(*c)));
    let begins =
        first.is_some_and(|c| c == '−' || std::iter::once(c).nfkc().any(|c| "=+-@".contains(c)));
    begins || text.starts_with(['\t', '\r', '\n'])
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

    #[test]
    fn a_title_turns_no_file_name_around_and_hides_none() {
        assert_eq!(of_file("Plan \u{202e}fdp.exe\u{202c}\u{200b}"), "Plan fdp.exe");
        assert_eq!(of_file("..\u{ad}/../etc"), "etc");
        assert_eq!(of_file("Plan\u{a0}2027\n\u{2028}x"), "Plan 2027x");
        for kept in ["ღია მმართველობა 열린", "برنامه\u{200c}ها", "👨\u{200d}👩\u{200d}👧 plan"]
        {
            assert_eq!(of_file(kept), kept);
        }
    }

    #[test]
    fn no_cell_can_be_taken_for_a_formula() {
        for text in [
            "=1",
            "+1",
            "-1",
            "@a",
            "＝1",
            "＋1",
            "－1",
            "＠a",
            "﹦1",
            "﹢1",
            "﹣1",
            "﹫a",
            "−1",
            " =1",
            "\t=1",
            "\r=1",
            "\n=1",
            "\u{200b}=1",
            "\u{feff}=1",
            "\u{a0}=1",
            "\u{3000}＝1",
            "\u{202e}=1",
            "\u{0}=1",
            "\u{ad}\u{2060} @a",
            "\tx",
            "\u{3164}=1",
            "\u{e0001}=1",
            "\u{fe0f}=1",
            "⁼1",
            "₊1",
        ] {
            assert!(quoted(text).starts_with("\"'"), "{text:?}");
        }
        for text in ["", "a=1", "Ana", "(1)", "Ägypten", "'=1", "1-2", "—", "{\"deed\":\"export\"}"]
        {
            assert!(!quoted(text).starts_with("\"'") || text.starts_with('\''), "{text:?}");
        }
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
