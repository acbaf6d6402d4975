//! The styles of a Word file that mark what the form adds to a text. The writer of files sets them, and an import knows
//! by them what is not part of the text.

/// The id of the paragraph style of what the form adds around a text: an import leaves such paragraphs out.
pub const ABOUT: &str = "AccordAbout";
/// The id of the character style of where a link leads, which is written behind the words of the link.
pub const DESTINATION: &str = "AccordDestination";
/// The characters of an address that are escaped (`%` and a number) in the target of a relation. Those of ASCII without a
/// glyph are, too.
pub const ESCAPED_IN_TARGETS: &str = " \"<>\\^`{|}";
