//! Counts the contents of an XML text before a tree is built from it. A tree takes many times the memory of its text,
//! and the time for building it can grow with the square of a count, such as the number of an element's attributes.

use crate::budget::at_most;
use crate::error::ImportError;
use crate::limits::{
    Excess, MAX_ELEMENT_ATTRIBUTES, MAX_NAMESPACES, MAX_NAMESPACES_IN_SCOPE, MAX_XML_ATTRIBUTES,
    MAX_XML_BYTES, MAX_XML_DEPTH, MAX_XML_TAGS,
};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// The counts of what the parts of a document contain, over all parts read so far.
#[derive(Debug, Default)]
pub(super) struct XmlBudget {
    bytes: usize,
    tags: usize,
    attributes: usize,
}

impl XmlBudget {
    /// Returns the number of bytes that can still be unpacked within the limit.
    pub(super) fn bytes_left(&self) -> usize {
        MAX_XML_BYTES.saturating_sub(self.bytes)
    }

    /// Counts the contents of a part, and returns its text.
    ///
    /// # Errors
    /// Returns an error if the parts exceed a limit, or if this part is not XML or declares a document type.
    pub(super) fn take(&mut self, bytes: Vec<u8>) -> Result<String, ImportError> {
        // The bytes are counted before they are decoded, because a part that is cut at the limit can end within a
        // character.
        self.bytes += bytes.len();
        at_most(self.bytes, MAX_XML_BYTES, Excess::XmlBytes)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| ImportError::Damaged("a part of it is not UTF-8".into()))?;
        self.count(&text)?;
        Ok(text)
    }

    fn count(&mut self, text: &str) -> Result<(), ImportError> {
        let mut reader = Reader::from_str(text);
        // The names of closing tags are checked later, when the tree is built.
        reader.config_mut().check_end_names = false;
        let mut part = Part::default();
        loop {
            let event = reader.read_event();
            match event.map_err(|error| ImportError::Damaged(error.to_string()))? {
                Event::Start(tag) => {
                    let declared = self.tag(&tag, &mut part)?;
                    part.in_scope.push(declared);
                    at_most(part.in_scope.len(), MAX_XML_DEPTH, Excess::XmlDepth)?;
                }
                Event::Empty(tag) => {
                    let declared = self.tag(&tag, &mut part)?;
                    part.namespaces -= declared;
                }
                Event::End(_) => {
                    self.tags += 1;
                    part.namespaces -= part.in_scope.pop().unwrap_or_default();
                }
                Event::DocType(_) => {
                    return Err(ImportError::Damaged("it declares a document type".into()));
                }
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }

    /// Counts a tag, and returns the number of namespaces that it declares.
    fn tag(&mut self, tag: &BytesStart<'_>, part: &mut Part) -> Result<usize, ImportError> {
        self.tags += 1;
        at_most(self.tags, MAX_XML_TAGS, Excess::XmlTags)?;
        let (mut own, mut declared) = (0, 0);
        // Duplicate attributes are found later, when the tree is built.
        let mut attributes = tag.attributes();
        for attribute in attributes.with_checks(false) {
            let attribute = attribute.map_err(|error| ImportError::Damaged(error.to_string()))?;
            own += 1;
            declared += usize::from(attribute.key.as_ref().starts_with("xmlns"));
            at_most(own, MAX_ELEMENT_ATTRIBUTES, Excess::ElementAttributes)?;
        }
        self.attributes += own;
        at_most(self.attributes, MAX_XML_ATTRIBUTES, Excess::XmlAttributes)?;
        part.declared += declared;
        part.namespaces += declared;
        at_most(part.declared, MAX_NAMESPACES, Excess::Namespaces)?;
        at_most(part.namespaces, MAX_NAMESPACES_IN_SCOPE, Excess::Namespaces)?;
        Ok(declared)
    }
}

/// The position of the reader in a part.
#[derive(Debug, Default)]
struct Part {
    /// The number of namespaces that each open element declares.
    in_scope: Vec<usize>,
    /// Number of namespaces in scope at this position.
    namespaces: usize,
    /// Number of namespaces declared so far in the part.
    declared: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<(), Excess>) {
        let got = XmlBudget::default().take(text.into()).map(drop);
        assert_eq!(got, expect.map_err(ImportError::Much), "{text:.80}");
    }

    #[test]
    fn what_word_writes_is_within_the_bounds() {
        let namespaces: String = (0..40).map(|n| format!(" xmlns:n{n}=\"urn:{n}\"")).collect();
        let picture = "<a xmlns:a=\"urn:a\"><b xmlns:b=\"urn:b\" c='1>2'/></a>".repeat(5_000);
        check(&format!("<?xml version=\"1.0\"?><w{namespaces}>{picture}</w>"), Ok(()));
        check(&format!("{}{}", "<a>".repeat(200), "</a>".repeat(200)), Ok(()));
    }

    #[test]
    fn what_costs_more_than_its_text_is_counted_before_a_tree_is_built() {
        let attributes: String = (0..100_000).map(|n| format!(" a{n}=''")).collect();
        check(&format!("<w{attributes}/>"), Err(Excess::ElementAttributes));
        let nested: String =
            (0..255).map(|n| format!("<a xmlns:n{n}='u' xmlns:m{n}='u'>")).collect();
        check(&nested, Err(Excess::Namespaces));
        let declared = "<a xmlns:n='u'/>".repeat(20_001);
        check(&declared, Err(Excess::Namespaces));
        check(&"<a>".repeat(3_000), Err(Excess::XmlDepth));
        check(&"<a/>".repeat(1_500_001), Err(Excess::XmlTags));
        check(&"<a b='' c='' d='' e=''/>".repeat(250_001), Err(Excess::XmlAttributes));
        check(&" ".repeat(MAX_XML_BYTES + 1), Err(Excess::XmlBytes));
        let mut cut = " ".repeat(MAX_XML_BYTES).into_bytes();
        cut.push("é".as_bytes()[0]);
        let much = ImportError::Much(Excess::XmlBytes);
        assert_eq!(
            XmlBudget::default().take(cut),
            Err(much),
            "a part that ends within a character"
        );
    }

    #[test]
    fn what_declares_its_own_entities_is_refused() {
        let error = XmlBudget::default().take(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".into());
        assert!(matches!(error, Err(ImportError::Damaged(_))), "{error:?}");
    }
}
