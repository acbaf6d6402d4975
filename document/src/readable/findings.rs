//! The search for characters that readers don't see as they are. The search reads a text only once.

use super::emoji::{self, EMOJI_STYLE, TEXT_STYLE};
use super::joiners::{
    self, GRAPHEME_JOINER, JOINER, NON_JOINER, VOWEL_SEPARATOR, ZERO_WIDTH_SPACE,
};
use super::properties::{
    OBJECT, bidi_class, category, combining_class, is_blank, is_direction, is_hidden,
    is_invisible_mark, is_letter, is_mark, is_noncharacter, is_of, is_of_any_script,
    is_right_to_left, script,
};
use icu_properties::props::{BidiClass, CanonicalCombiningClass, GeneralCategory as Category};
use serde::{Deserialize, Serialize};

/// Maximum number of marks on one base character. A Tibetan stack has eight, a Hebrew letter with a vowel and accents has
/// six, and Vietnamese and Yoruba letters have two or three.
pub const MAX_MARKS_ON_A_BASE: u32 = 8;

/// The reason why a character is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Reason {
    /// The character is not shown.
    Hidden,
    /// The character changes the order in which its neighbours are shown.
    Direction,
    /// The character begins a number that is shown out of order: before an earlier number, or before its own leading sign.
    Turned,
    /// The character is a control or a separator, other than newline and tab.
    Control,
    /// The character looks like a space but is a different character.
    Blank,
    /// The character is a placeholder for an object that the text does not contain.
    Object,
    /// The character has no agreed meaning, so each font can show something else.
    PrivateUse,
    /// The code point is not assigned in this version of Unicode.
    Unassigned,
    /// The character is a mark that strikes out or encloses its letter.
    Overlay,
    /// The character is a mark, and no base character that can carry it precedes it.
    LoneMark,
    /// The character is a mark on a base that already has the maximum number of marks.
    TooManyMarks,
}

/// A finding: a character that readers don't see as it is, and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// The start of the character, as a byte offset in the text.
    pub at: usize,
    /// The character that was found.
    pub character: char,
    /// The reason why readers don't see the character as it is.
    pub reason: Reason,
    /// The text that can replace the character without changing what people read, or `None` if only a person can replace the
    /// character.
    pub replacement: Option<&'static str>,
}

/// Returns an iterator over all characters of a text that readers don't see as they are, in the order of the text.
#[must_use]
pub fn findings(text: &str) -> Findings<'_> {
    Findings { text, at: 0, last: [None; 2], base: None, marks: 0, visible: None, line: None }
}

/// The iterator that [`findings`] returns.
#[derive(Debug, Clone)]
pub struct Findings<'a> {
    text: &'a str,
    at: usize,
    /// The last two characters of the cleaned text so far. If cleaning replaces a character by a space, the cleaned
    /// text has the space. The most recent character is at index 1.
    last: [Option<char>; 2],
    /// The base character: the last character of the cleaned text so far that is neither a mark nor hidden.
    base: Option<char>,
    /// Number of marks on the base so far.
    marks: u32,
    /// The offset and value of the next character that is not hidden. The result is cached, so that a long run of hidden
    /// characters is searched only once.
    visible: Option<(usize, Option<char>)>,
    /// The end of the line that was examined last, as a byte offset, and whether the line has a letter that is read from right
    /// to left. The result is cached, so that each line is examined only once.
    line: Option<(usize, bool)>,
}

impl Iterator for Findings<'_> {
    type Item = Finding;

    fn next(&mut self) -> Option<Finding> {
        loop {
            let rest = &self.text[self.at..];
            let character = rest.chars().next()?;
            let at = self.at;
            if let Some(len) = emoji::whole_sequence(rest) {
                self.at += len;
                rest[..len].chars().for_each(|c| self.keep(c));
                (self.base, self.marks) = (Some(character), 0);
                continue;
            }
            self.at += character.len_utf8();
            match self.judge(character) {
                Ok(()) => self.keep(character),
                Err((reason, replacement)) => {
                    match replacement {
                        Some("") => {}
                        Some(_) => self.keep(' '),
                        None => self.keep(character),
                    }
                    return Some(Finding { at, character, reason, replacement });
                }
            }
        }
    }
}

type Judgement = Result<(), (Reason, Option<&'static str>)>;

const REMOVED: Option<&str> = Some("");
const SPACE: Option<&str> = Some(" ");

impl Findings<'_> {
    fn keep(&mut self, c: char) {
        self.last = [self.last[1], Some(c)];
        if c.is_ascii() {
            (self.base, self.marks) = (Some(c), 0);
        } else if is_mark(c) {
            self.marks = self.marks.saturating_add(1);
        } else if !is_hidden(c) {
            (self.base, self.marks) = (Some(c), 0);
        }
    }

    fn judge(&mut self, c: char) -> Judgement {
        if matches!(c, ' '..='~' | '\n' | '\t') {
            return Ok(());
        }
        if is_blank(c) {
            return Err((Reason::Blank, SPACE));
        }
        if is_hidden(c) {
            return self.judge_hidden(c);
        }
        match category(c) {
            Category::Control => Err((Reason::Control, self.instead_of_control(c))),
            Category::LineSeparator | Category::ParagraphSeparator => Err((Reason::Control, SPACE)),
            Category::PrivateUse => Err((Reason::PrivateUse, None)),
            Category::Unassigned => Err((Reason::Unassigned, None)),
            _ if c == OBJECT => Err((Reason::Object, REMOVED)),
            Category::EnclosingMark => Err((Reason::Overlay, None)),
            Category::NonspacingMark | Category::SpacingMark => self.judge_mark(c),
            _ if self.turns_numbers(c) => Err((Reason::Direction, None)),
            _ => Ok(()),
        }
    }

    /// Returns whether `c` is a sign, such as a Hebrew colon, that reverses the numbers after it in a line without right-to-left
    /// letters: “pays׃ 90 / 10” would be shown as “10 / 90”. In a line with such letters readers expect that order.
    fn turns_numbers(&mut self, c: char) -> bool {
        if !is_right_to_left(c) || is_letter(c) || is_mark(c) {
            return false;
        }
        let is_number =
            |c: char| matches!(bidi_class(c), BidiClass::EuropeanNumber | BidiClass::ArabicNumber);
        let is_strong = |c: char| is_right_to_left(c) || bidi_class(c) == BidiClass::LeftToRight;
        let mut behind = self.text[self.at..].chars().take_while(|c| *c != '\n');
        let next = behind.find(|&c| is_strong(c) || is_number(c));
        next.is_some_and(is_number) && !self.line_is_right_to_left()
    }

    /// Returns whether the line with the character that is judged now has a letter that is read from right to left.
    /// Each line is examined only once.
    fn line_is_right_to_left(&mut self) -> bool {
        if let Some((upto, is_so)) = self.line
            && self.at <= upto
        {
            return is_so;
        }
        let from = self.text[..self.at].rfind('\n').map_or(0, |at| at + 1);
        let upto = self.text[self.at..].find('\n').map_or(self.text.len(), |at| self.at + at);
        let is_so = self.text[from..upto].chars().any(|c| is_right_to_left(c) && is_letter(c));
        self.line = Some((upto, is_so));
        is_so
    }

    fn judge_hidden(&mut self, c: char) -> Judgement {
        let [first, last] = self.last;
        let is_needed = match c {
            JOINER | NON_JOINER if !matches!(last, Some(JOINER | NON_JOINER)) => {
                let after = self.next_visible();
                joiners::may_join(c, last, after)
                    || (c == JOINER && emoji::may_join(first, last, after))
            }
            ZERO_WIDTH_SPACE => joiners::may_part_words(last, self.next_visible()),
            GRAPHEME_JOINER => joiners::may_keep_order(last, self.next_visible()),
            VOWEL_SEPARATOR => {
                let after = self.next_visible();
                last.is_some_and(joiners::is_mongolian_letter)
                    && after.is_some_and(joiners::is_mongolian_letter)
            }
            '\u{180b}'..='\u{180d}' | '\u{180f}' => last.is_some_and(joiners::is_mongolian_letter),
            TEXT_STYLE | EMOJI_STYLE => last.is_some_and(emoji::may_have_style),
            _ => false,
        };
        match () {
            () if is_needed => Ok(()),
            () if is_direction(c) => Err((Reason::Direction, REMOVED)),
            () if is_noncharacter(c) => Err((Reason::Unassigned, REMOVED)),
            () => Err((Reason::Hidden, REMOVED)),
        }
    }

    fn judge_mark(&self, c: char) -> Judgement {
        let Some(base) = self.base.filter(|&base| carries_marks(base)) else {
            // Readers see a mark that belongs to a particular script, because it is shown on a dotted circle, or alone
            // like the Arabic pause signs.
            return if is_of_any_script(c) { Err((Reason::LoneMark, None)) } else { Ok(()) };
        };
        if self.marks >= MAX_MARKS_ON_A_BASE {
            return Err((Reason::TooManyMarks, None));
        }
        // A mark that composes with its base forms a character of its own, such as ≠.
        let is_overlay =
            combining_class(c) == CanonicalCombiningClass::Overlay && is_of_any_script(c);
        if is_overlay && unicode_normalization::char::compose(base, c).is_none() {
            return Err((Reason::Overlay, None));
        }
        if is_invisible_mark(c) && !self.last[1].is_some_and(|last| is_of(last, script(c))) {
            return Err((Reason::Hidden, REMOVED));
        }
        Ok(())
    }

    fn instead_of_control(&self, c: char) -> Option<&'static str> {
        let breaks_line = matches!(c, '\u{b}' | '\u{c}' | '\u{85}')
            || (c == '\r' && !self.text[self.at..].starts_with('\n'));
        if breaks_line { SPACE } else { REMOVED }
    }

    /// Returns the next character that is not hidden. Returns `None` if the text ends before it, or if it is an invisible mark.
    fn next_visible(&mut self) -> Option<char> {
        if let Some((upto, found)) = self.visible
            && self.at <= upto
        {
            return found;
        }
        let mut rest = self.text[self.at..].char_indices();
        let found = rest.find(|&(_, c)| !is_hidden(c) || is_blank(c));
        let upto = found.map_or(self.text.len(), |(at, _)| self.at + at);
        // An invisible mark can itself be reported as hidden, so it is no reason to keep the hidden characters before
        // it.
        let found = found.map(|(_, c)| c).filter(|&c| !is_invisible_mark(c));
        self.visible = Some((upto, found));
        found
    }
}

/// Returns whether a character can carry marks. A no-break space can: Unicode recommends it for showing a mark alone.
fn carries_marks(base: char) -> bool {
    !base.is_control() && (!base.is_whitespace() || matches!(base, '\u{a0}' | '\u{202f}'))
}
