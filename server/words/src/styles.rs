//! The styles with which Accord's Word files mark the words that the form adds to an author's text. By these styles, an
//! import recognises the words that are not part of the text.

/// Id of the paragraph style of the words that the form adds around a text. An import leaves such paragraphs out.
pub const ABOUT_STYLE: &str = "AccordAbout";
/// Id of the character style of a link's destination, which is shown after the words of the link.
pub const DESTINATION_STYLE: &str = "AccordDestination";
/// The characters that are escaped (`%` and a hexadecimal number) where a Word file stores the address of a link, as
/// the target of a relationship. ASCII control characters are escaped as well.
pub const ESCAPED_IN_TARGETS: &str = " \"<>\\^`{|}";
