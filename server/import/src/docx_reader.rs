//! Reads DOCX (ISO/IEC 29500-1): the text as if all tracked changes were accepted, with its headings, lists, links,
//! quotations and tables.

mod destination;
mod nodes;
mod styles;

use crate::budget::{TextBudget, at_most};
use crate::error::ImportError;
use crate::found::{Cell, Findings, Found, Paragraph, Piece, Role, add, cut};
use crate::limits::{Excess, MAX_ARCHIVE_ENTRIES};
use crate::xml::XmlBudget;
use accord_document::model::attributes::Attributes;
use accord_document::model::blocks::LineKind;
use nodes::{attribute, child, children, is_on, value, within};
use roxmltree::{Document, Node};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{Cursor, Read};
use styles::{Style, links_of, list_of, lists_of, outline_level, styles_of};
use zip::ZipArchive;

/// Maximum depth of the nested elements that are read.
const MAX_NESTING_DEPTH: usize = 64;
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

pub(super) fn read(bytes: &[u8]) -> Result<Findings, ImportError> {
    // Each entry of the archive has a header in the directory of the archive. The headers are counted, because the
    // number of entries that the archive states is not trusted.
    let headers = bytes.windows(4).filter(|bytes| bytes == b"PK\x01\x02").count();
    at_most(headers, MAX_ARCHIVE_ENTRIES, Excess::ArchiveEntries)?;
    let zip =
        ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged("it is not a ZIP archive"))?;
    let mut archive = Archive { zip, budget: XmlBudget::default() };
    let main = archive.main_part()?;
    let (folder, name) = main.rsplit_once('/').unwrap_or(("", &main));
    let text = archive.part(&main)?.ok_or_else(|| damaged("it has no text"))?;
    let document = parse(&text)?;
    let mut optional_part = |name: &str| {
        let part = archive.part(format!("{folder}/{name}").trim_start_matches('/'));
        part.map(Option::unwrap_or_default)
    };
    let (styles, numbering, links, notes) = (
        optional_part("styles.xml")?,
        optional_part("numbering.xml")?,
        optional_part(&format!("_rels/{name}.rels"))?,
        optional_part("footnotes.xml")?,
    );
    let notes = optional_xml(&notes)?;
    let mut reader = Reader {
        styles: optional_xml(&styles)?.as_ref().map(styles_of).unwrap_or_default(),
        lists: optional_xml(&numbering)?.as_ref().map(lists_of).unwrap_or_default(),
        links: optional_xml(&links)?.as_ref().map(links_of).unwrap_or_default(),
        footnotes: Vec::new(),
        carried: Vec::new(),
        link_before: None,
        budget: TextBudget::default(),
        out: Findings::default(),
    };
    let body = children(document.root_element(), "body").next();
    let body = body.ok_or_else(|| damaged("it has no text"))?;
    reader.blocks(body, 0)?;
    reader.flush();
    reader.footnotes(notes.as_ref())?;
    Ok(reader.out)
}

/// The ZIP archive of a Word file, with counts of what was read from it.
struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    budget: XmlBudget,
}

impl Archive<'_> {
    /// Returns the name of the part that contains the text. Programs use different names for this part.
    fn main_part(&mut self) -> Result<String, ImportError> {
        let relations = self.part("_rels/.rels")?.unwrap_or_default();
        let relations = optional_xml(&relations)?;
        let all = relations.iter().flat_map(|all| children(all.root_element(), "Relationship"));
        let is_main = |one: &Node<'_, '_>| {
            attribute(*one, "Type").is_some_and(|kind| kind.ends_with("/officeDocument"))
        };
        let mut main = all.filter(is_main);
        let target = main.find_map(|one| attribute(one, "Target").map(str::to_owned));
        let target = target.unwrap_or_else(|| "word/document.xml".into());
        Ok(target.trim_start_matches('/').to_owned())
    }

    /// Returns the text of a part, or `None` if the archive has no such part. The contents of the text are counted
    /// first, so that a tree that is built from the text stays within the limits.
    fn part(&mut self, name: &str) -> Result<Option<String>, ImportError> {
        let Ok(part) = self.zip.by_name(name) else { return Ok(None) };
        let mut bytes = Vec::new();
        // The size that the archive states for the part is not trusted, so reading stops at the limit.
        let most = self.budget.bytes_left() as u64 + 1;
        if part.take(most).read_to_end(&mut bytes).is_err() {
            return Err(damaged(format!("“{name}” in it can't be read")));
        }
        self.budget.take(bytes).map(Some)
    }
}

fn damaged(what: impl Into<String>) -> ImportError {
    ImportError::Damaged(what.into())
}

fn parse(text: &str) -> Result<Document<'_>, ImportError> {
    // The parser refuses a document type declaration (DTD), and with it all entities that a file declares itself.
    Document::parse(text).map_err(|error| damaged(error.to_string()))
}

fn optional_xml(text: &str) -> Result<Option<Document<'_>>, ImportError> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

struct Reader {
    styles: HashMap<String, Style>,
    /// For each list, by its id, whether its items are numbered at each depth.
    lists: HashMap<String, Vec<bool>>,
    links: HashMap<String, String>,
    /// Ids of the footnotes that the text refers to, in order.
    footnotes: Vec<String>,
    /// The pieces of paragraphs whose ends were deleted. They are joined with the next paragraph.
    carried: Vec<Piece>,
    /// The address of the link to which the last characters that were read in the current paragraph belong, or `None`
    /// if they belong to no link.
    link_before: Option<String>,
    budget: TextBudget,
    out: Findings,
}

impl Reader {
    fn blocks(&mut self, parent: Node<'_, '_>, depth: usize) -> Result<(), ImportError> {
        if depth > MAX_NESTING_DEPTH {
            return Err(damaged("its parts are nested too deeply"));
        }
        for node in parent.children() {
            match node.tag_name().name() {
                "p" => {
                    let read = self.paragraphs(node)?;
                    self.out.all.extend(read.into_iter().map(Found::Paragraph));
                }
                "tbl" => {
                    let table = self.table(node, depth)?;
                    self.out.all.push(Found::Table(table));
                }
                "sdt" | "sdtContent" | "ins" | "moveTo" | "customXml" | "smartTag" => {
                    self.blocks(node, depth + 1)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Adds a paragraph with the pieces in `carried`, if there are any. Must be called at the end of the text, where no
    /// further paragraph follows with which they could be joined.
    fn flush(&mut self) {
        let pieces = std::mem::take(&mut self.carried);
        if !pieces.is_empty() {
            let role = Role::Block(LineKind::Plain);
            self.out.all.push(Found::Paragraph(Paragraph { role, pieces }));
        }
    }

    fn footnotes(&mut self, notes: Option<&Document<'_>>) -> Result<(), ImportError> {
        let Some(notes) = notes else { return Ok(()) };
        let mut by_id = HashMap::new();
        for note in children(notes.root_element(), "footnote") {
            by_id.entry(attribute(note, "id").unwrap_or_default()).or_insert(note);
        }
        for (at, id) in std::mem::take(&mut self.footnotes).into_iter().enumerate() {
            let Some(note) = by_id.get(id.as_str()).copied() else { continue };
            let mut number = Some(format!("[{}] ", at + 1));
            for node in children(note, "p") {
                for mut paragraph in self.paragraphs(node)? {
                    if let Some(text) = number.take() {
                        paragraph.pieces.insert(0, Piece { text, marks: Attributes::new() });
                    }
                    self.out.all.push(Found::OutsideText(paragraph));
                }
            }
        }
        Ok(())
    }

    /// Returns the rows of a table. The rows of a table inside a cell follow the row of that cell. Each of these inner
    /// rows gets an empty first cell, so that the label in the first cell of the outer row applies to it, too.
    fn table(&mut self, table: Node<'_, '_>, depth: usize) -> Result<Vec<Vec<Cell>>, ImportError> {
        if depth > MAX_NESTING_DEPTH {
            return Err(damaged("its parts are nested too deeply"));
        }
        let mut rows = Vec::new();
        for row in within(table, "tr", "tbl") {
            if child(row, "trPr").is_some_and(|all| child(all, "del").is_some()) {
                continue;
            }
            let (mut cells, mut inner) = (Vec::new(), Vec::new());
            for cell in within(row, "tc", "tr") {
                let mut read = Vec::new();
                for node in within(cell, "p", "tc") {
                    // Paragraphs of a text box are read with the paragraph that contains the box.
                    if !node.ancestors().skip(1).any(|above| above.tag_name().name() == "p") {
                        read.extend(self.paragraphs(node)?);
                    }
                }
                cells.push(read);
                for table in within(cell, "tbl", "tc") {
                    for mut row in self.table(table, depth + 1)? {
                        row.insert(0, Cell::new());
                        inner.push(row);
                    }
                }
            }
            rows.push(cells);
            rows.append(&mut inner);
        }
        Ok(rows)
    }

    /// Reads a paragraph, split at its line breaks, with the text boxes that it contains. Empty paragraphs are left
    /// out, unless they are list items.
    fn paragraphs(&mut self, node: Node<'_, '_>) -> Result<Vec<Paragraph>, ImportError> {
        let properties = child(node, "pPr");
        let style = properties.and_then(|all| value(all, "pStyle"));
        let style = style.and_then(|id| self.styles.get(id)).cloned().unwrap_or_default();
        let mut pieces = std::mem::take(&mut self.carried);
        self.link_before = None;
        self.runs(node, &Attributes::new(), &mut pieces, 0)?;
        let mark = properties.and_then(|all| child(all, "rPr"));
        if mark
            .is_some_and(|mark| child(mark, "del").is_some() || child(mark, "moveFrom").is_some())
        {
            self.carried = pieces;
            return Ok(Vec::new());
        }
        if style.is_about {
            return Ok(Vec::new());
        }
        let role = self.role(&style, properties);
        let mut all = cut(pieces, role);
        all.retain(|one| !one.is_empty() || matches!(one.role, Role::Block(LineKind::Item { .. })));
        self.budget.paragraphs(all.len())?;
        Ok(all)
    }

    fn role(&self, style: &Style, properties: Option<Node<'_, '_>>) -> Role {
        if let Some(level) = properties.and_then(outline_level) {
            return Role::Block(LineKind::Heading(level.min(6)));
        }
        if let Some(role) = style.role {
            return match role {
                Role::Block(LineKind::Heading(level)) => {
                    Role::Block(LineKind::Heading(level.clamp(1, 6)))
                }
                role => role,
            };
        }
        let list = properties.and_then(list_of).or_else(|| style.list.clone());
        let kind = match list.filter(|(list, _)| list != "0") {
            Some((list, depth)) => {
                let ordered = self.lists.get(&list).and_then(|kind| kind.get(usize::from(depth)));
                LineKind::Item { ordered: ordered.copied().unwrap_or(false), indent: depth.min(8) }
            }
            None => LineKind::Plain,
        };
        Role::Block(kind)
    }

    fn runs(
        &mut self,
        parent: Node<'_, '_>,
        marks: &Attributes,
        pieces: &mut Vec<Piece>,
        depth: usize,
    ) -> Result<(), ImportError> {
        if depth > MAX_NESTING_DEPTH {
            return Err(damaged("its parts are nested too deeply"));
        }
        // Number of following runs to leave out, because they show the destination of the link before them.
        let mut destination_runs = 0;
        for node in parent.children() {
            match node.tag_name().name() {
                "r" => {
                    if destination_runs == 0
                        && destination::has_style(node)
                        && !marks.contains("link")
                    {
                        let count_runs =
                            |address: &String| destination::runs_of_destination(node, address);
                        destination_runs = self.link_before.as_ref().map_or(0, count_runs);
                    }
                    if destination_runs > 0 {
                        destination_runs -= 1;
                        self.link_before = None;
                        continue;
                    }
                    let mut marks = marks.clone();
                    if let Some(properties) = child(node, "rPr") {
                        for (name, mark) in [("b", "bold"), ("i", "italic")] {
                            if is_on(properties, name) {
                                marks.insert(mark, true.into());
                            }
                        }
                    }
                    self.runs(node, &marks, pieces, depth + 1)?;
                }
                "t" => self.text(pieces, node.text().unwrap_or_default(), marks)?,
                "tab" if parent.tag_name().name() == "r" => self.text(pieces, "\t", marks)?,
                "br" | "cr" => self.text(pieces, "\n", marks)?,
                "noBreakHyphen" => self.text(pieces, "\u{2011}", marks)?,
                "footnoteReference" => {
                    if let Some(id) = attribute(node, "id") {
                        self.footnotes.push(id.to_owned());
                        let number = format!("[{}]", self.footnotes.len());
                        self.text(pieces, &number, marks)?;
                    }
                }
                "blip" | "imagedata" => self.out.pictures += 1,
                "hyperlink" => {
                    let mut marks = marks.clone();
                    let id = node.attribute((RELATIONS, "id"));
                    if let Some(address) = id.and_then(|id| self.links.get(id)) {
                        marks.insert("link", address.as_str().into());
                    }
                    self.runs(node, &marks, pieces, depth + 1)?;
                }
                // A paragraph inside a run belongs to a text box. Its text goes to the place where the box is anchored.
                "p" => {
                    self.text(pieces, "\n", marks)?;
                    self.runs(node, marks, pieces, depth + 1)?;
                    self.text(pieces, "\n", marks)?;
                }
                // Left out: deleted and moved-away text, properties, instructions of fields, and repetitions for old
                // programs.
                "del" | "moveFrom" | "Fallback" | "pPr" | "rPr" | "instrText" => {}
                _ => self.runs(node, marks, pieces, depth + 1)?,
            }
        }
        Ok(())
    }

    fn text(
        &mut self,
        pieces: &mut Vec<Piece>,
        text: &str,
        marks: &Attributes,
    ) -> Result<(), ImportError> {
        if !text.is_empty() {
            self.link_before = marks.get("link").and_then(Value::as_str).map(str::to_owned);
        }
        add(&mut self.budget, pieces, text, marks)
    }
}
