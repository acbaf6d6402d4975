//! How much of a file is read: all of it is counted before anything is built of it.

use serde::{Deserialize, Serialize};

/// The largest file, in bytes.
pub const MAX_IMPORT_BYTES: usize = 16 * 1024 * 1024;
/// The most characters of a text.
pub(super) const MAX_CHARACTERS: usize = 400_000;
/// The largest Markdown file, in bytes: the longest text, and about as much again for its markup.
pub(super) const MAX_MARKDOWN_BYTES: usize = 3 * 1024 * 1024;
/// The most characters of a Markdown file that could be markup: a reader keeps something for each.
pub(super) const MAX_MARKUP_CHARACTERS: usize = 400_000;
/// The most paragraphs, list items, and paragraphs of tables' cells.
pub(super) const MAX_PARAGRAPHS: usize = 20_000;
/// The most stretches of text that differ in their formatting.
pub(super) const MAX_STRETCHES: usize = 30_000;
/// The most bytes of the text and of the addresses of its links: an address counts once for each stretch that it is on.
pub(super) const MAX_TEXT_BYTES: usize = 8 * 1024 * 1024;
/// The most items that a commitment is made of: stretches, and where each attribute begins and ends. An update may
/// hold a few more (`update/scan.rs`).
pub(super) const MAX_ITEMS: usize = 60_000;
/// The most milestones. The template suggests 12.
pub(super) const MAX_MILESTONES: usize = 500;

/// The most entries of a Word document's archive. Word writes one for each picture, and some twenty others.
pub(super) const MAX_ARCHIVE_ENTRIES: usize = 4_096;
/// Bytes of the parts of a Word document that are read, unpacked, all together.
pub(super) const MAX_XML_BYTES: usize = 48 * 1024 * 1024;
/// The most tags in those parts, those that end an element among them.
pub(super) const MAX_XML_TAGS: usize = 1_500_000;
/// The most attributes in those parts.
pub(super) const MAX_XML_ATTRIBUTES: usize = 1_000_000;
/// The most attributes of one element. Word declares some 35 namespaces on its first.
pub(super) const MAX_ELEMENT_ATTRIBUTES: usize = 256;
/// The most declarations of namespaces in one part, and of those that hold at one place. Each picture brings two.
pub(super) const MAX_NAMESPACES: usize = 20_000;
pub(super) const MAX_NAMESPACES_IN_SCOPE: usize = 256;
/// How deep elements may nest. A table in a table in a text box is 30 deep.
pub(super) const MAX_XML_DEPTH: usize = 256;

/// What there may be only so much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Excess {
    /// Paragraphs of the text.
    Paragraphs,
    /// Stretches of text of one formatting.
    Stretches,
    /// Items of the document that the text would become.
    Items,
    /// Milestones.
    Milestones,
    /// Bytes of a Markdown file.
    MarkdownBytes,
    /// Characters of Markdown's markup.
    MarkupCharacters,
    /// Files in the archive that a Word file is.
    ArchiveEntries,
    /// Tags of XML.
    XmlTags,
    /// Attributes of XML, in all.
    XmlAttributes,
    /// Attributes of one element.
    ElementAttributes,
    /// Declarations of namespaces.
    Namespaces,
    /// The depth to which elements nest.
    XmlDepth,
}

impl std::fmt::Display for Excess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Paragraphs => write!(f, "{MAX_PARAGRAPHS} paragraphs"),
            Self::Stretches => write!(f, "{MAX_STRETCHES} changes of formatting"),
            Self::Items => write!(f, "{MAX_ITEMS} pieces of text and formatting"),
            Self::Milestones => write!(f, "{MAX_MILESTONES} milestones"),
            Self::MarkdownBytes => write!(f, "{} MiB of Markdown", MAX_MARKDOWN_BYTES >> 20),
            Self::MarkupCharacters => {
                write!(f, "{MAX_MARKUP_CHARACTERS} characters that could be markup")
            }
            Self::ArchiveEntries => write!(f, "{MAX_ARCHIVE_ENTRIES} parts"),
            Self::XmlTags => write!(f, "{MAX_XML_TAGS} XML tags"),
            Self::XmlAttributes => write!(f, "{MAX_XML_ATTRIBUTES} XML attributes"),
            Self::ElementAttributes => {
                write!(f, "{MAX_ELEMENT_ATTRIBUTES} attributes of one XML element")
            }
            Self::Namespaces => write!(
                f,
                "{MAX_NAMESPACES} XML namespaces, or {MAX_NAMESPACES_IN_SCOPE} at one place"
            ),
            Self::XmlDepth => write!(f, "{MAX_XML_DEPTH} levels of XML elements"),
        }
    }
}
