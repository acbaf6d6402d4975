//! The rule that decides which addresses a link may lead to. The editor implements the same rule
//! (`web/src/text/links.ts`), and `tests/data/links.json` tests both implementations.

use super::findings::MAX_MARKS_ON_A_BASE;
use super::properties::{category, is_mark, is_unseen};
use icu_properties::props::GeneralCategory;
use url::Url;

/// Returns whether a link may lead to `address`. Three kinds are safe: an absolute `http` or `https` address with a host
/// and without a user's name, a `mailto:` address with one recipient, and a `tel:` number. A safe address contains no
/// spaces, backslashes or characters that readers can't see. Spaces before and after the address are ignored.
#[must_use]
pub fn is_safe(address: &str) -> bool {
    let address = address.trim_matches(' ');
    if address.chars().any(is_forbidden) || has_too_many_marks(address) {
        return false;
    }
    let Some((scheme, rest)) = address.split_once(':') else { return false };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => is_web(address, rest),
        "mailto" => is_mail(rest),
        "tel" => is_number(rest),
        _ => false,
    }
}

/// Returns a form of `address` that a link may lead to, or `None` if only a person can tell what was meant. A safe address
/// is returned unchanged, without the white space around it. Any other address is converted to ASCII: hidden characters in
/// its path become percent-encoded, so that readers see them.
#[must_use]
pub fn clean(address: &str) -> Option<String> {
    let address = address.trim();
    if is_safe(address) {
        return Some(address.to_owned());
    }
    let parsed = Url::parse(address).ok()?;
    Some(String::from(parsed)).filter(|cleaned| is_safe(cleaned))
}

/// Returns the host of a web address as it is looked up, or `None` if the address has no host. Internationalised names
/// are converted to ASCII. The port follows if it is not the default of the scheme.
#[must_use]
pub fn host(address: &str) -> Option<String> {
    let parsed = Url::parse(address).ok()?;
    let host = parsed.host_str().filter(|host| !host.is_empty())?;
    Some(parsed.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Maximum number of characters of a destination that are shown. A host name has at most 253.
const MAX_DESTINATION_CHARS: usize = 300;

/// Returns the destination of a link, as people read it: the host of a web address, an e-mail address or a telephone
/// number. A destination of more than 300 characters is shortened to its beginning and its end.
#[must_use]
pub fn destination(address: &str) -> String {
    let rest = || address.split_once(':').map_or(address, |(_, rest)| rest);
    let whole =
        host(address).unwrap_or_else(|| rest().split('?').next().unwrap_or_default().to_owned());
    let chars: Vec<char> = whole.chars().collect();
    if chars.len() <= MAX_DESTINATION_CHARS {
        return whole;
    }
    let half = MAX_DESTINATION_CHARS / 2;
    let (start, end) = (&chars[..half], &chars[chars.len() - half..]);
    start.iter().chain(&['…']).chain(end).collect()
}

/// Returns whether the words of a link tell the reader where it leads. They do if they equal the address, with or without
/// its scheme, or the destination. Words that are not ASCII never tell the destination of a web address, even if they
/// repeat the address: the Cyrillic “аpple.com” looks like another host, and only `xn--pple-43d.com` tells the two apart.
#[must_use]
pub fn words_name_destination(words: &str, address: &str) -> bool {
    let words = words.trim().trim_end_matches('/');
    if host(address).is_some() && !words.is_ascii() {
        return false;
    }
    let bare = |address: &str| -> Option<String> {
        let (scheme, rest) = address.split_once(':')?;
        let is_web = matches!(&*scheme.to_ascii_lowercase(), "http" | "https");
        Some(if is_web { rest.strip_prefix("//")? } else { rest }.to_owned())
    };
    let address = address.trim_end_matches('/');
    words == address
        || words.eq_ignore_ascii_case(&destination(address))
        || bare(address).is_some_and(|bare| bare == words)
}

/// Returns whether an address must not contain `c`. Unlike in a text, no script needs hidden characters here, because an
/// address can always be written in ASCII.
fn is_forbidden(c: char) -> bool {
    is_unseen(c) || c == ' ' || c == '\\' || category(c) == GeneralCategory::EnclosingMark
}

fn has_too_many_marks(address: &str) -> bool {
    let mut marks = 0;
    address.chars().any(|c| {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        marks > MAX_MARKS_ON_A_BASE
    })
}

fn is_web(address: &str, rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix("//") else { return false };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..end];
    // Only these characters are allowed in a host, because file formats can interpret others: Markdown reads `&commat;` as
    // `@`, and the text before an `@` is a user's name, not the host.
    let is_plain =
        |host: String| host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:[]".contains(c));
    !authority.is_empty() && !authority.contains('@') && host(address).is_some_and(is_plain)
}

/// Returns whether the part of a `mailto:` address after the scheme names exactly one recipient.
fn is_mail(rest: &str) -> bool {
    let (address, begins_with) = rest.split_once('?').unwrap_or((rest, ""));
    // Headers such as `cc` add recipients that readers would not see beside the link.
    let names = begins_with.split('&').map(|part| part.split('=').next().unwrap_or_default());
    if names
        .map(str::to_ascii_lowercase)
        .any(|name| name.contains('%') || matches!(&*name, "to" | "cc" | "bcc"))
    {
        return false;
    }
    let mut parts = address.split('@');
    let is_part = |part: Option<&str>| part.is_some_and(|part| !part.is_empty());
    is_part(parts.next()) && is_part(parts.next()) && parts.next().is_none() && rest.is_ascii()
}

fn is_number(rest: &str) -> bool {
    let number = rest.split(';').next().unwrap_or_default();
    let is_part =
        |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | '(' | ')' | '*' | '#');
    rest.is_ascii() && number.chars().all(is_part) && number.contains(|c: char| c.is_ascii_digit())
}
