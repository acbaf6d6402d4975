//! A paper: the content of a commitment's file, in reading order. One paper serves every kind of file.

use crate::origin::Origin;
use accord_document::model::attributes::Attributes;
use accord_document::model::blocks::{Block, Span, blocks, span};
use accord_document::model::delta::Op;
use accord_document::people::Sector;
use accord_document::release::canonical::{Released, ReleasedMilestone};
use accord_document::release::outline::{Chapter, ChapterPart, has_words, outline};
use accord_words::{Words, wire_name};
use serde::Serialize;

/// A release or a draft, ready to be written as any kind of file.
#[derive(Debug, Serialize)]
pub struct Paper {
    /// The language of the authors' text (BCP 47).
    pub language: String,
    /// The language of the form's words around the text (BCP 47).
    pub form_language: &'static str,
    /// The title of the commitment.
    pub title: String,
    /// Lines that say which text this is: the plan's title, then the number of a release and, if it is public, its
    /// publication, or the time of a draft.
    pub about: Vec<String>,
    /// The signatures, if the text is a release.
    pub signed: Option<Signed>,
    /// A sentence that says that a release was signed with gaps, and the name of each gap. `None` if there are no gaps,
    /// or if the text is a draft.
    pub gaps: Option<(String, Vec<String>)>,
    /// The text, piece by piece.
    pub pieces: Vec<Piece>,
    /// The instructions for checking the text, if it is a release.
    pub check: Option<Check>,
}

/// The signatures of a release.
#[derive(Debug, Serialize)]
pub struct Signed {
    /// The heading above the signatures.
    pub heading: String,
    /// The signatures, in the order of the statement.
    pub people: Vec<Signature>,
}

/// The signature of one person.
#[derive(Debug, Serialize)]
pub struct Signature {
    /// The name of the signatory.
    pub name: String,
    /// The side for which the signatory signed.
    pub sector: Sector,
    /// The name of the side, and the time of the signature, in words.
    pub about: String,
}

/// Instructions with which anybody can check that a release is what was signed.
#[derive(Debug, Serialize)]
pub struct Check {
    /// The heading above the instructions.
    pub heading: String,
    /// A sentence that says what anybody can check.
    pub hint: String,
    /// The signed digest, in hexadecimal.
    pub digest: String,
    /// The address of the release's public page.
    pub address: String,
}

/// A piece of a paper's text.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// A heading of the form, with its level. The title has level 1, a section level 2.
    Heading(u8, String),
    /// The name of a date field, then the date in words.
    Date(String, String),
    /// A block that the authors wrote. The levels of its headings continue those of the form, and none is skipped.
    Text(Block),
}

impl Paper {
    /// Makes the paper of a text.
    #[must_use]
    pub fn of(released: &Released, origin: &Origin<'_>) -> Self {
        let words = Words::of(&released.language);
        let mut pieces = Pieces { words, out: Vec::new() };
        outline(released).iter().for_each(|chapter| pieces.chapter(chapter));
        let needs = released.gaps.iter().map(|gap| words.say(&format!("need.{}", wire_name(gap))));
        let is_release = matches!(origin, Origin::Release { .. });
        let mut paper = Self {
            language: released.language.clone(),
            form_language: words.language,
            title: released.title(),
            about: Vec::new(),
            signed: None,
            gaps: (is_release && !released.gaps.is_empty())
                .then(|| (words.say("release.gaps"), needs.collect())),
            pieces: pieces.out,
            check: None,
        };
        match origin {
            Origin::Draft { plan_title, time } => {
                let when = words.moment(*time, "UTC");
                paper.about =
                    vec![(*plan_title).to_owned(), words.fill("draft.state", &[("when", &when)])];
            }
            Origin::Release { statement, public, base } => {
                let zone = public.map_or("UTC", |public| public.zone.as_str());
                let number = statement.number.to_string();
                paper.about = vec![
                    statement.plan_title.clone(),
                    words.fill("release.number", &[("number", &number)]),
                ];
                if let Some(public) = public {
                    let when = words.moment(public.since, zone);
                    paper.about.push(words.fill("release.published", &[("when", &when)]));
                }
                let people = statement.signatories.iter().map(|one| {
                    let (side, when) = (words.sector(one.sector), words.moment(one.time, zone));
                    Signature {
                        name: one.name.clone(),
                        sector: one.sector,
                        about: format!("{side}, {when}"),
                    }
                });
                paper.signed =
                    Some(Signed { heading: words.say("release.signed"), people: people.collect() });
                paper.check = Some(Check {
                    heading: words.say("release.check"),
                    hint: words.say("release.checkHint"),
                    digest: statement.digest.to_string(),
                    address: format!("{base}/r/{}/{number}", statement.document),
                });
            }
        }
        paper
    }
}

impl Paper {
    /// Calls `visit` with the title and with each line of the form's words around the text. Authors' texts other than
    /// the title are left out.
    pub(super) fn each_line_around(&mut self, visit: &mut dyn FnMut(&mut [Span])) {
        let mut visit_text = |text: &mut String| {
            let text_of = std::mem::take(text);
            let mut line = [span(&text_of, &Attributes::new())];
            visit(&mut line);
            let [span] = line;
            *text = span.text;
        };
        visit_text(&mut self.title);
        self.about.iter_mut().for_each(&mut visit_text);
        if let Some(signed) = &mut self.signed {
            visit_text(&mut signed.heading);
            for one in &mut signed.people {
                visit_text(&mut one.name);
                visit_text(&mut one.about);
            }
        }
        if let Some((label, needs)) = &mut self.gaps {
            visit_text(label);
            needs.iter_mut().for_each(&mut visit_text);
        }
        if let Some(check) = &mut self.check {
            [&mut check.heading, &mut check.hint, &mut check.digest, &mut check.address]
                .into_iter()
                .for_each(&mut visit_text);
        }
        for piece in &mut self.pieces {
            match piece {
                Piece::Heading(_, text) => visit_text(text),
                Piece::Date(name, value) => [name, value].into_iter().for_each(&mut visit_text),
                Piece::Text(_) => {}
            }
        }
    }
}

struct Pieces {
    words: Words,
    out: Vec<Piece>,
}

impl Pieces {
    fn chapter(&mut self, chapter: &Chapter<'_>) {
        self.heading(2, &format!("section.{}", wire_name(&chapter.section)));
        for part in &chapter.parts {
            match part {
                ChapterPart::Text { key, ops } => self.field(3, key, ops),
                ChapterPart::Date { key, day } => {
                    let value = self.words.day(day);
                    self.date(key, value);
                }
                ChapterPart::Milestone { number, milestone } => self.milestone(*number, milestone),
            }
        }
    }

    fn milestone(&mut self, number: usize, one: &ReleasedMilestone) {
        let number = number.to_string();
        let name = self.words.fill("milestones.number", &[("number", &number)]);
        self.out.push(Piece::Heading(3, name));
        self.text(3, &one.what);
        for (key, ops) in [("outputs", &one.outputs), ("who", &one.who)] {
            if has_words(ops) {
                self.field(4, key, ops);
            }
        }
        let due = [self.words.day(&one.due), one.due_text.clone()];
        let due: Vec<_> = due.into_iter().filter(|due| !due.is_empty()).collect();
        if !due.is_empty() {
            self.date("due", due.join(" · "));
        }
    }

    fn heading(&mut self, level: u8, key: &str) {
        self.out.push(Piece::Heading(level, self.words.say(key)));
    }

    fn date(&mut self, key: &str, value: String) {
        self.out.push(Piece::Date(self.words.say(&format!("field.{key}")), value));
    }

    fn field(&mut self, level: u8, key: &str, ops: &[Op]) {
        self.heading(level, &format!("field.{key}"));
        self.text(level, ops);
    }

    /// Appends a text below a heading of the form, which has the level `below`. The text's own headings begin one level
    /// deeper, and no level is skipped on the way down, whichever levels the authors chose: a skipped level confuses
    /// readers who go from heading to heading.
    fn text(&mut self, below: u8, ops: &[Op]) {
        let mut last = below;
        for block in blocks(ops) {
            let block = match block {
                Block::Heading(level, line) => {
                    last = level_of(below, level, last);
                    Block::Heading(last, line)
                }
                other => other,
            };
            self.out.push(Piece::Text(block));
        }
    }
}

/// Returns the level at which an author's heading of `level` is set: at most one deeper than `last`, and at most 6.
/// `below` is the level of the form's heading above the text, and `last` is the level of the heading before this one.
pub(super) fn level_of(below: u8, level: u8, last: u8) -> u8 {
    (below + level).min(last + 1).min(6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn no_heading_is_left_out_on_the_way_down() {
        let released = samples::released("en", |content| {
            let heading = |text: &str, level: u8| {
                [Op::text(text), Op::insert("\n", samples::attributes(&[("header", level.into())]))]
            };
            let all =
                [heading("deep", 4), heading("deeper", 6), heading("top", 1), heading("low", 3)];
            content.texts.insert("problem".into(), all.concat());
        });
        let paper = Paper::of(&released, &samples::draft());
        let levels = paper.pieces.iter().filter_map(|piece| match piece {
            Piece::Heading(level, _) | Piece::Text(Block::Heading(level, _)) => Some(*level),
            _ => None,
        });
        let mut last = 1;
        for level in levels {
            assert!(level <= last + 1, "{level} after {last}");
            last = level;
        }
        let own = paper.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(Block::Heading(level, _)) => Some(*level),
            _ => None,
        });
        assert_eq!(own.collect::<Vec<_>>(), [4, 5, 4, 5, 4]);
    }
}
