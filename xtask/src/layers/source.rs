//! Reads Rust sources just far enough to find their imports.

/// Returns a source with a space in place of each comment, each string literal and each character literal.
pub fn without_comments(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if c == '"' {
            end_of_text(rest)
        } else if let Some(hashes) = raw_text(rest) {
            let close = format!("\"{}", "#".repeat(hashes));
            let from = hashes + 2;
            rest[from..].find(&close).map_or(rest.len(), |end| from + end + close.len())
        } else if c == '\'' {
            character(rest)
        } else {
            0
        };
        if skipped == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            rest = &rest[skipped..];
            out.push(' ');
        }
    }
    out
}

/// Returns the length of the string literal at the beginning of `rest`, with its quotation marks.
fn end_of_text(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Returns the number of `#` of the raw string literal at the beginning of `rest`, or `None` if there is no such literal.
fn raw_text(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('r')?;
    let hashes = after.chars().take_while(|c| *c == '#').count();
    after[hashes..].starts_with('"').then_some(hashes)
}

/// Returns the length of the character literal at the beginning of `rest`, or 0 if a lifetime is there.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            chars.next();
            rest[2..].char_indices().skip(1).find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 3)
        }
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

/// Returns a source without the items that are compiled for tests only, and the names of the test modules that are in
/// files of their own.
pub fn items_of_tests(source: &str) -> (String, Vec<String>) {
    let (mut out, mut modules) = (String::with_capacity(source.len()), Vec::new());
    let mut rest = source;
    let attribute = |rest: &str| {
        ["#[cfg(test)]", "#[cfg(all(test"].iter().filter_map(|test| rest.find(test)).min()
    };
    while let Some(at) = attribute(rest) {
        out.push_str(&rest[..at]);
        let item = &rest[at + rest[at..].find(']').map_or(0, |end| end + 1)..];
        let open = item.find('{').unwrap_or(item.len());
        let end = match item.find(';') {
            Some(end) if end < open => end + 1,
            _ => end_of_block(item, open),
        };
        let words: Vec<&str> = item[..end].trim_end_matches(';').split_whitespace().collect();
        if let ["mod", name] | [_, "mod", name] = words[..] {
            modules.push(name.to_owned());
        }
        rest = &item[end..];
    }
    out.push_str(rest);
    (out, modules)
}

/// Returns the offset after the block that begins with the brace at `open`.
fn end_of_block(text: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (at, c) in text[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return open + at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_characters_and_lifetimes_are_told_apart() {
        let source =
            "fn f<'a>(c: &'a str) { let q = '\"'; let e = '\\''; let s = r#\"use a;\"#; use b; }";
        let left = without_comments(source);
        assert!(
            left.contains("&'a str") && left.contains("use b") && !left.contains("use a"),
            "{left}"
        );
    }
}
