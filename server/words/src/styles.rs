//! The styles of a Word file that mark what the form adds to a text. Accord's Word files use them, and an import
//! recognises by them what is not part of the text.

/// Id of the paragraph style of what the form adds around a text. An import leaves such paragraphs out.
pub const ABOUT_STYLE: &str = "AccordAbout";
/// Id of the character style of a link's destination, which is shown after the words of the link.
pub const DESTINATION_STYLE: &str = "AccordDestination";
/// The characters that are escaped (`%` and a hexadecimal number) where a Word file stores the address of a link, as the target
/// of a relationship. ASCII control characters are escaped as well.
pub const ESCAPED_IN_TARGETS: &str = " \"<>\\^`{|}";
