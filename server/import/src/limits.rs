//! Limits on what is read from a file. Everything in a file is counted before anything is built from it.

use serde::{Deserialize, Serialize};

/// Maximum size of a file, in bytes.
pub const MAX_IMPORT_BYTES: usize = 16 * 1024 * 1024;
/// Maximum number of characters in one file.
pub(super) const MAX_CHARACTERS: usize = 400_000;
/// Maximum size of a Markdown file, in bytes: room for the longest text, and about as much again for its markup.
pub(super) const MAX_MARKDOWN_BYTES: usize = 3 * 1024 * 1024;
/// Maximum number of characters in a Markdown file that could be markup. The parser stores data for each of them.
pub(super) const MAX_MARKUP_CHARACTERS: usize = 400_000;
/// Maximum number of paragraphs, counting list items and the paragraphs in cells of tables.
pub(super) const MAX_PARAGRAPHS: usize = 20_000;
/// Maximum number of stretches of text, each with the same formatting throughout.
pub(super) const MAX_STRETCHES: usize = 30_000;
/// Maximum number of bytes of all text in one file and of its links' addresses. An address counts once for each stretch that has
/// it.
pub(super) const MAX_TEXT_BYTES: usize = 8 * 1024 * 1024;
/// Maximum number of Yjs items of the new document: one for each stretch, and one for each beginning and end of an
/// attribute. One update can have a few more (`MAX_ITEMS_PER_UPDATE` in `document/src/limits.rs`).
pub(super) const MAX_ITEMS: usize = 60_000;
/// Maximum number of milestones. The template suggests 12.
pub(super) const MAX_MILESTONES: usize = 500;

/// Maximum number of entries in a Word document's archive. Word writes one for each picture, and some twenty others.
pub(super) const MAX_ARCHIVE_ENTRIES: usize = 4_096;
/// Maximum number of unpacked bytes of the parts of a Word document that are read, all together. Other parts, such as
/// pictures, do not count.
pub(super) const MAX_XML_BYTES: usize = 48 * 1024 * 1024;
/// Maximum number of XML tags in the parts of a Word document that are read. Opening and closing tags count.
pub(super) const MAX_XML_TAGS: usize = 1_500_000;
/// Maximum number of XML attributes in the parts of a Word document that are read.
pub(super) const MAX_XML_ATTRIBUTES: usize = 1_000_000;
/// Maximum number of attributes of one XML element. Word declares some 35 namespaces on its first element.
pub(super) const MAX_ELEMENT_ATTRIBUTES: usize = 256;
/// Maximum number of XML namespace declarations in one part. Each picture adds two. [`MAX_NAMESPACES_IN_SCOPE`] bounds
/// the declarations that are in scope at one place.
pub(super) const MAX_NAMESPACES: usize = 20_000;
pub(super) const MAX_NAMESPACES_IN_SCOPE: usize = 256;
/// Maximum depth of nested XML elements. A table in a table in a text box has a depth of 30.
pub(super) const MAX_XML_DEPTH: usize = 256;

/// The limit that a file exceeds. Its `Display` names the limit with its number, as in “500 milestones”.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Excess {
    /// The number of paragraphs of the text.
    Paragraphs,
    /// The number of stretches of text, each with the same formatting throughout.
    Stretches,
    /// The number of Yjs items of the document that the text would become.
    Items,
    /// The number of bytes of the text and of its links' addresses.
    TextBytes,
    /// The number of milestones.
    Milestones,
    /// The number of bytes of a Markdown file.
    MarkdownBytes,
    /// The number of characters of a Markdown file that could be markup.
    MarkupCharacters,
    /// The number of entries in the archive of a Word file.
    ArchiveEntries,
    /// The number of unpacked bytes of the parts of a Word file that are read.
    XmlBytes,
    /// The number of XML tags in a Word file.
    XmlTags,
    /// The number of XML attributes in a Word file, counting all its elements.
    XmlAttributes,
    /// The number of XML attributes of one element.
    ElementAttributes,
    /// The number of declarations of XML namespaces, in one part or in scope at one place.
    Namespaces,
    /// The depth of nested XML elements.
    XmlDepth,
}

impl std::fmt::Display for Excess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Paragraphs => write!(f, "{MAX_PARAGRAPHS} paragraphs"),
            Self::Stretches => write!(f, "{MAX_STRETCHES} changes of formatting"),
            Self::Items => write!(f, "{MAX_ITEMS} pieces of text and formatting"),
            Self::TextBytes => {
                write!(f, "{} MiB of text and addresses of links", MAX_TEXT_BYTES >> 20)
            }
            Self::Milestones => write!(f, "{MAX_MILESTONES} milestones"),
            Self::MarkdownBytes => write!(f, "{} MiB of Markdown", MAX_MARKDOWN_BYTES >> 20),
            Self::MarkupCharacters => {
                write!(f, "{MAX_MARKUP_CHARACTERS} characters that could be markup")
            }
            Self::ArchiveEntries => write!(f, "{MAX_ARCHIVE_ENTRIES} parts"),
            Self::XmlBytes => write!(f, "{} MiB of unpacked XML", MAX_XML_BYTES >> 20),
            Self::XmlTags => write!(f, "{MAX_XML_TAGS} XML tags"),
            Self::XmlAttributes => write!(f, "{MAX_XML_ATTRIBUTES} XML attributes"),
            Self::ElementAttributes => {
                write!(f, "{MAX_ELEMENT_ATTRIBUTES} attributes of one XML element")
            }
            Self::Namespaces => write!(
                f,
                "{MAX_NAMESPACES} XML namespaces, or {MAX_NAMESPACES_IN_SCOPE} in one place"
            ),
            Self::XmlDepth => write!(f, "{MAX_XML_DEPTH} levels of XML elements"),
        }
    }
}
