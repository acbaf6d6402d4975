//! Writes a line as Markdown. The characters of the line are escaped, so that none is read as markup. Each of its marks
//! (bold, italic or link) is written so that Markdown readers recognise the mark.
//!
//! Two rules of CommonMark decide most of this. A backslash makes any ASCII punctuation character literal, and a
//! numeric reference (`&#32;`) does so for any character. The characters beside a run of `*` or `_` decide whether the
//! run opens or closes emphasis. A letter beside the run can prevent this. Such a letter is written as a reference,
//! because a reference begins and ends with punctuation.

use accord_document::model::blocks::{Line, Span};

/// A piece of a line whose characters have the same marks. Blanks at the edge of a mark are pieces without that mark,
/// because CommonMark does not read `**`, `*` or `_` as a mark if a blank is on its inner side.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece<'a> {
    text: &'a str,
    bold: bool,
    italic: bool,
    link: Option<&'a str>,
    leads_to: Option<&'a str>,
}

impl Piece<'_> {
    fn is_blank(&self) -> bool {
        self.text.chars().all(char::is_whitespace)
    }
}

/// Returns a line as Markdown.
pub(super) fn line(line: &Line) -> String {
    let mut writer = Writer::default();
    for linked in pieces(line).chunk_by(|a, b| a.link == b.link && a.leads_to.is_none()) {
        writer.link(linked);
    }
    writer.finish()
}

/// Returns a text without marks as Markdown.
pub(super) fn escaped(text: &str) -> String {
    let mut writer = Writer::default();
    writer.text(text);
    writer.finish()
}

/// Returns an address between angle brackets, as the destination of a link, or as a link by itself.
pub(super) fn address(address: &str) -> String {
    let mut out = String::from("<");
    for c in address.chars() {
        match c {
            // CommonMark reads character references in addresses, too.
            '&' => out.push_str("&amp;"),
            '\\' | '<' | '>' => out.push_str(&format!("%{:02X}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out.push('>');
    out
}

fn pieces(line: &Line) -> Vec<Piece<'_>> {
    let mut all: Vec<Piece<'_>> = line.iter().flat_map(parted).collect();
    for at in 0..all.len() {
        if !all[at].is_blank() {
            continue;
        }
        let before = at.checked_sub(1).map(|at| all[at]);
        let behind = all[at + 1..].iter().find(|piece| !piece.is_blank()).copied();
        let (Some(before), Some(behind)) = (before, behind) else {
            all[at] = Piece { bold: false, italic: false, link: None, ..all[at] };
            continue;
        };
        let is_within = before.link == behind.link && before.leads_to.is_none();
        let is_alike = is_within && (before.bold, before.italic) == (behind.bold, behind.italic);
        all[at].bold = is_alike && before.bold;
        all[at].italic = is_alike && before.italic;
        all[at].link = before.link.filter(|_| is_within);
    }
    all
}

/// Splits a span into its leading blanks, its words and its trailing blanks. Empty pieces are left out.
fn parted(span: &Span) -> impl Iterator<Item = Piece<'_>> {
    let text = span.text.as_str();
    let core = text.trim();
    let start = text.len() - text.trim_start().len();
    let piece = |text, leads_to| Piece {
        text,
        bold: span.bold,
        italic: span.italic,
        link: span.link.as_deref(),
        leads_to,
    };
    let leads_to = span.leads_to.as_deref();
    // Only the words have a destination, because a link of blanks alone is not shown as a link.
    let all = [
        piece(&text[..start], None),
        piece(core, leads_to),
        piece(&text[start + core.len()..], None),
    ];
    all.into_iter().filter(|piece| !piece.text.is_empty())
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mark {
    Bold,
    Italic,
}

/// A part of a line. Before a line is written, it is split into tokens, because the way in which a character or a mark
/// is written depends on its neighbours.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A character of the text.
    Char(char),
    /// Brackets, addresses and other markup, written unchanged. Markup begins and ends with ASCII punctuation or a
    /// blank.
    Markup(String),
    Open(Mark),
    Close(Mark),
}

#[derive(Debug, Default)]
struct Writer {
    tokens: Vec<Token>,
}

impl Writer {
    fn text(&mut self, text: &str) {
        self.tokens.extend(text.chars().map(Token::Char));
    }

    fn markup(&mut self, text: impl Into<String>) {
        self.tokens.push(Token::Markup(text.into()));
    }

    fn link(&mut self, pieces: &[Piece<'_>]) {
        let link = pieces.first().and_then(|first| first.link);
        let leads_to = pieces.last().and_then(|last| last.leads_to);
        if link.is_some() {
            self.markup("[");
        }
        self.bold(pieces);
        match (link, leads_to) {
            (None, _) => {}
            (Some(link), None) => self.markup(format!("]({})", address(link))),
            // The link gets a title. By this title, an import recognises that the words in brackets after the link are
            // not the author's, and leaves these words out.
            (Some(link), Some(leads_to)) => {
                let shown = escaped(leads_to);
                let title = shown.replace('"', "\\\"");
                self.markup(format!("]({} \"{title}\") ({shown})", address(link)));
            }
        }
    }

    fn bold(&mut self, pieces: &[Piece<'_>]) {
        for same in pieces.chunk_by(|a, b| a.bold == b.bold) {
            let is_bold = same.iter().any(|piece| piece.bold);
            self.tokens.extend(is_bold.then_some(Token::Open(Mark::Bold)));
            for alike in same.chunk_by(|a, b| a.italic == b.italic) {
                let is_italic = alike.iter().any(|piece| piece.italic);
                self.tokens.extend(is_italic.then_some(Token::Open(Mark::Italic)));
                alike.iter().for_each(|piece| self.text(piece.text));
                self.tokens.extend(is_italic.then_some(Token::Close(Mark::Italic)));
            }
            self.tokens.extend(is_bold.then_some(Token::Close(Mark::Bold)));
        }
    }

    fn finish(self) -> String {
        let mut out = String::new();
        let mut begins = true;
        for (at, token) in self.tokens.iter().enumerate() {
            match token {
                Token::Char(c) => {
                    self.char(at, *c, begins, &mut out);
                    begins &= c.is_ascii_digit();
                }
                Token::Markup(markup) => out.push_str(markup),
                Token::Open(mark) | Token::Close(mark) => out.push_str(self.delimiter(at, *mark)),
            }
            begins &= matches!(token, Token::Char(_));
        }
        out
    }

    fn delimiter(&self, at: usize, mark: Mark) -> &'static str {
        match mark {
            Mark::Bold => "**",
            // An underscore separates this delimiter from its neighbour: one run of asterisks could be read in several
            // ways.
            Mark::Italic if self.touches_mark(at) => "_",
            Mark::Italic => "*",
        }
    }

    /// Whether the opening or the closing delimiter of an italic stretch is directly beside another delimiter.
    fn touches_mark(&self, at: usize) -> bool {
        let is_mark = |at: Option<usize>| {
            let token = at.and_then(|at| self.tokens.get(at));
            matches!(token, Some(Token::Open(_) | Token::Close(_)))
        };
        let beside = |at: usize| is_mark(at.checked_sub(1)) || is_mark(Some(at + 1));
        let other = match self.tokens.get(at) {
            // An italic stretch contains only characters, so the next closing italic delimiter belongs to this opening
            // one.
            Some(Token::Open(_)) => self.tokens[at + 1..]
                .iter()
                .position(|token| *token == Token::Close(Mark::Italic))
                .map(|behind| at + 1 + behind),
            _ => self.tokens[..at].iter().rposition(|token| *token == Token::Open(Mark::Italic)),
        };
        beside(at) || other.is_some_and(beside)
    }

    fn char(&self, at: usize, c: char, begins: bool, out: &mut String) {
        let is_edge = at == 0 || at + 1 == self.tokens.len();
        let is_blank = matches!(c, ' ' | '\t');
        if c.is_control() && c != '\t' || (is_edge && is_blank) || self.keeps_from_marking(at, c) {
            out.push_str(&format!("&#{};", u32::from(c)));
            return;
        }
        if self.is_markup(at, c, begins) {
            out.push('\\');
        }
        out.push(c);
    }

    /// Whether the character `c` would keep the delimiter directly beside `c` from being read as a delimiter. White
    /// space and ASCII punctuation never do. Any other character does if the delimiter is an underscore, or if the
    /// character at the delimiter's inner side is not a letter or digit.
    fn keeps_from_marking(&self, at: usize, c: char) -> bool {
        if c.is_whitespace() || c.is_ascii_punctuation() {
            return false;
        }
        let inside = |at: Option<usize>, mark: usize, kind: Mark| {
            // A character that is written as a reference ends in punctuation, so it does not count as a letter.
            let is_letter = match at.and_then(|at| Some((at, self.tokens.get(at)?))) {
                Some((at, Token::Char(c))) => {
                    c.is_alphanumeric() && !self.keeps_from_marking(at, *c)
                }
                _ => false,
            };
            !is_letter || self.delimiter(mark, kind) == "_"
        };
        let opens_behind = match self.tokens.get(at + 1) {
            Some(Token::Open(mark)) => inside(Some(at + 2), at + 1, *mark),
            _ => false,
        };
        let before = at.checked_sub(1);
        let closes_before = match before.and_then(|before| self.tokens.get(before)) {
            Some(Token::Close(mark)) => inside(at.checked_sub(2), at - 1, *mark),
            _ => false,
        };
        opens_behind || closes_before
    }

    /// Whether a character could be read as markup: anywhere, at the start of a line, or because of the characters
    /// after it. `begins` is true if nothing but digits is before `c` in its line.
    fn is_markup(&self, at: usize, c: char, begins: bool) -> bool {
        let next_is = |texts: &[&str]| texts.iter().any(|text| self.goes_on(at + 1, text));
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '#' | '~' | '|' | '!' | '$'
            | '^' | '{' | '}' => true,
            '-' | '+' | '=' | '.' | ')' if begins => true,
            // Some programs turn addresses into links: those with a scheme, those that begin with `www.`, and e-mail
            // addresses.
            ':' => begins || next_is(&["//", ":"]),
            '.' => at >= 3 && self.goes_on_ignoring_case(at - 3, "www"),
            '@' => true,
            _ => false,
        }
    }

    fn goes_on(&self, at: usize, text: &str) -> bool {
        let rest = self.tokens.get(at..).unwrap_or_default().iter();
        let mut chars = text.chars();
        let is_same = |(token, c): (&Token, char)| *token == Token::Char(c);
        rest.zip(chars.by_ref()).all(is_same) && self.tokens.len() >= at + text.chars().count()
    }

    fn goes_on_ignoring_case(&self, at: usize, text: &str) -> bool {
        let is_same = |(token, wanted): (&Token, char)| matches!(token, Token::Char(c) if c.eq_ignore_ascii_case(&wanted));
        self.tokens[at..].iter().zip(text.chars()).all(is_same)
    }
}
