//! Sets a paper as PDF, with Typst. The PDF is tagged as PDF/UA-1 (ISO 14289-1) requires, for readers who listen to it,
//! and follows PDF/A-3a (ISO 19005-3) for archives.
//!
//! The same paper gives the same bytes: nothing in them depends on the machine, or on the time at which the PDF is
//! made.

mod typeset;

use crate::fonts::Fonts;
use crate::limits::MAX_PDF_CHARACTERS;
use crate::missing_glyphs::CharacterCounts;
use crate::paper::Paper;
use crate::runs;
use accord_document::model::blocks::Span;
use accord_document::people::Sector;
use accord_words::Words;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use typeset::SetPiece;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

/// The Typst template that lays out a paper. It reads the files `paper.json` and `attached`.
const TYPST_SOURCE: &str = include_str!("paper.typ");

/// Maximum number of characters of the title at the head of every page.
const MAX_RUNNING_TITLE_CHARACTERS: usize = 300;
/// Maximum number of characters of the title in the PDF's metadata. PDF/A allows no string above 32,767 bytes.
const MAX_PDF_TITLE_CHARACTERS: usize = 2_000;

/// A typesetter that makes PDFs of papers.
pub struct Press {
    fonts: Fonts,
    library: LazyHash<Library>,
}

impl std::fmt::Debug for Press {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Press").finish_non_exhaustive()
    }
}

/// The reason why no PDF can be made of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum PressError {
    /// The fonts lack more than 2 % of the characters of the text.
    #[error("this server has no fonts for its script: its operator can add them (--fonts)")]
    Fonts,
    /// The text has more characters than a PDF is allowed to have.
    #[error("it is longer than {MAX_PDF_CHARACTERS} characters")]
    Long,
    /// Typst failed with this message, or the fonts are missing from the build.
    #[error("it could not be typeset: {0}")]
    Failed(String),
}

/// A file attached to the PDF.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attachment<'a> {
    pub(super) name: &'a str,
    /// The content of the file, which is JSON.
    pub(super) bytes: &'a [u8],
}

/// The content of `paper.json`, which the template reads.
#[derive(Serialize)]
struct Job<'a> {
    /// The paper without its pieces.
    paper: &'a Paper,
    pieces: Vec<SetPiece>,
    /// The title at the head of every page, shortened if it is long.
    running_title: Cow<'a, str>,
    /// The title in the metadata of the PDF, shortened if it is long.
    name: Cow<'a, str>,
    fonts: Families<'a>,
    /// The colour of each side, as `#rrggbb`, by the name of the sector.
    colours: BTreeMap<Sector, &'static str>,
    /// The name of the attached file, and its description.
    attached: Option<[&'a str; 2]>,
    /// A sentence that explains characters shown as code points, if there are any.
    code_point_note: Option<String>,
}

#[derive(Serialize)]
struct Families<'a> {
    text: Vec<&'a str>,
    around: Vec<&'a str>,
}

impl Press {
    /// Makes a typesetter with the fonts inside the binary, and those in the folder `more`.
    ///
    /// # Errors
    /// Returns an error if the folder can't be read.
    pub(super) fn new(more: Option<&Path>) -> std::io::Result<Self> {
        let fonts = Fonts::load(more)?;
        Ok(Self { fonts, library: LazyHash::new(Library::default()) })
    }

    /// Sets a paper as PDF. `time` is the time of the text, in milliseconds since the Unix epoch. Blocks for some
    /// tenths of a second.
    ///
    /// # Errors
    /// Returns an error if the fonts lack the script of the text, if the text is too long, or if Typst fails.
    pub(super) fn pdf(
        &self,
        paper: Paper,
        time: u64,
        attachment: Option<Attachment<'_>>,
    ) -> Result<Vec<u8>, PressError> {
        let time = Timestamp::from_millisecond(i64::try_from(time).unwrap_or_default());
        let date = jiff::tz::TimeZone::UTC.to_datetime(time.map_err(failed)?);
        let made = self.world(paper, attachment)?.print(Datetime::from_ymd_hms(
            date.year().into(),
            date.month().unsigned_abs(),
            date.day().unsigned_abs(),
            date.hour().unsigned_abs(),
            date.minute().unsigned_abs(),
            date.second().unsigned_abs(),
        ));
        // Typst's memoised results are useful for this paper only, so they are freed now.
        typst::comemo::evict(0);
        made
    }

    /// Prepares everything that Typst reads to set a paper.
    fn world(
        &self,
        mut paper: Paper,
        attachment: Option<Attachment<'_>>,
    ) -> Result<TypstWorld<'_>, PressError> {
        let pieces = std::mem::take(&mut paper.pieces);
        let mut pieces: Vec<SetPiece> = pieces.into_iter().map(SetPiece::from).collect();
        let as_code_points = self.replace_missing_glyphs(&mut paper, &mut pieces)?;
        let pieces = pieces.into_iter().map(SetPiece::level_long_heading).collect();
        let (text, around) = self.fonts.families();
        let words = Words::of(&paper.language);
        let signed = words.say("release.file.json");
        let job = Job {
            running_title: cut(&paper.title, MAX_RUNNING_TITLE_CHARACTERS),
            name: cut(&paper.title, MAX_PDF_TITLE_CHARACTERS),
            paper: &paper,
            pieces,
            fonts: Families { text, around },
            colours: Sector::ALL.map(|sector| (sector, sector.colour())).into(),
            attached: attachment.map(|Attachment { name, .. }| [name, signed.as_str()]),
            code_point_note: (as_code_points > 0).then(|| words.say("file.numbered")),
        };
        Ok(TypstWorld {
            press: self,
            main: Source::new(file("paper.typ"), TYPST_SOURCE.to_owned()),
            job: Bytes::new(serde_json::to_vec(&job).map_err(failed)?),
            attached: attachment.map(|attachment| Bytes::new(attachment.bytes.to_vec())),
        })
    }

    /// Bounds the cost of setting the text, replaces characters that no font has by code points, and returns the number
    /// of characters that are now shown as code points.
    fn replace_missing_glyphs(
        &self,
        paper: &mut Paper,
        pieces: &mut [SetPiece],
    ) -> Result<usize, PressError> {
        if self.fonts.all.is_empty() {
            return Err(PressError::Failed("there are no fonts in this build".into()));
        }
        let (mut counts, mut in_runs) = (CharacterCounts::default(), 0);
        let mut replace_in_line = |line: &mut [Span]| {
            in_runs += runs::bound(line);
            for span in line {
                let (text, counted) = self.fonts.replace_missing_glyphs(&span.text);
                counts.add(counted);
                span.text = text;
                // Every font has the characters of link destinations, so none of them has to be shown as `[U+…]`. They
                // only count towards the limit of characters.
                counts.all += span.leads_to.as_ref().map_or(0, |leads_to| leads_to.chars().count());
            }
        };
        paper.each_line_around(&mut replace_in_line);
        pieces.iter_mut().for_each(|piece| piece.each_line(&mut |line| replace_in_line(line)));
        if counts.all > MAX_PDF_CHARACTERS {
            return Err(PressError::Long);
        }
        if counts.is_readable() {
            Ok(counts.as_code_points + in_runs)
        } else {
            Err(PressError::Fonts)
        }
    }
}

/// Returns a text of at most `characters` characters unchanged. Cuts a longer text to that length, and adds an
/// ellipsis.
fn cut(text: &str, characters: usize) -> Cow<'_, str> {
    match text.char_indices().nth(characters) {
        None => text.into(),
        Some((at, _)) => format!("{}…", &text[..at]).into(),
    }
}

fn failed(error: impl std::fmt::Display) -> PressError {
    PressError::Failed(error.to_string())
}

fn file(name: &str) -> FileId {
    let path = VirtualPath::new(name).expect("a plain name");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

/// All files and fonts of one paper. Typst can read nothing else.
struct TypstWorld<'p> {
    press: &'p Press,
    main: Source,
    job: Bytes,
    attached: Option<Bytes>,
}

impl TypstWorld<'_> {
    fn set(&self) -> Result<PagedDocument, PressError> {
        typst::compile::<PagedDocument>(self).output.map_err(|errors| press_error(&errors))
    }

    fn print(&self, time: Option<Datetime>) -> Result<Vec<u8>, PressError> {
        let set = self.set()?;
        // The PDF is written while the set paper is in memory, so what setting has memoised is freed first.
        typst::comemo::evict(0);
        let standards = PdfStandards::new(&[PdfStandard::A_3a, PdfStandard::Ua_1])
            .map_err(|error| PressError::Failed(error.message().to_string()))?;
        let options = PdfOptions {
            creator: Smart::Custom(Some("Accord".into())),
            timestamp: time.map(typst_pdf::Timestamp::new_utc),
            standards,
            ..PdfOptions::default()
        };
        typst_pdf::pdf(&set, &options).map_err(|errors| press_error(&errors))
    }
}

fn press_error(errors: &[SourceDiagnostic]) -> PressError {
    let all: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    PressError::Failed(all.join("; "))
}

impl World for TypstWorld<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.press.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.press.fonts.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() { Ok(self.main.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        match (id.get().vpath().get_without_slash(), &self.attached) {
            ("paper.json", _) => Ok(self.job.clone()),
            ("attached", Some(bytes)) => Ok(bytes.clone()),
            _ => Err(FileError::AccessDenied),
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.press.fonts.all.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

#[cfg(test)]
mod tests;
