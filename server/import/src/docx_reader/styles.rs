//! Reads the styles, lists and links of a Word document, to which its text refers by id.

use super::nodes::{attribute, child, children, value};
use crate::found::Role;
use accord_document::model::blocks::LineKind;
use accord_document::readable::address;
use accord_words::styles::ABOUT_STYLE;
use roxmltree::{Document, Node};
use std::collections::HashMap;

/// Maximum number of levels of a list (ISO/IEC 29500-1, section 17.9.6).
const MAX_LIST_LEVELS: usize = 9;
/// Maximum length of the chain of styles from which a style inherits.
const MAX_BASE_STYLES: usize = 64;

/// A style of paragraphs, as far as an import uses it.
#[derive(Debug, Clone, Default)]
pub(super) struct Style {
    pub(super) role: Option<Role>,
    /// Whether paragraphs in this style are words that Accord adds around the authors' text, which an import leaves
    /// out.
    pub(super) is_about: bool,
    pub(super) list: Option<(String, u8)>,
    based_on: Option<String>,
}

pub(super) fn styles_of(document: &Document<'_>) -> HashMap<String, Style> {
    let all = children(document.root_element(), "style");
    let known: HashMap<String, Style> = all
        .filter_map(|node| {
            let id = attribute(node, "styleId")?;
            let name = value(node, "name").unwrap_or_default().to_ascii_lowercase();
            let properties = child(node, "pPr");
            let role = match name.as_str() {
                "title" => Some(Role::Title),
                "quote" | "intense quote" => Some(Role::Block(LineKind::Quote)),
                _ => name
                    .strip_prefix("heading ")
                    .and_then(|level| level.parse().ok())
                    .or_else(|| properties.and_then(outline_level))
                    .map(|level| Role::Block(LineKind::Heading(level))),
            };
            let style = Style {
                role,
                is_about: id == ABOUT_STYLE,
                list: properties.and_then(list_of),
                based_on: value(node, "basedOn").map(str::to_owned),
            };
            Some((id.to_owned(), style))
        })
        .collect();
    // Each style is completed with what it inherits from the styles that it is based on.
    let whole = |id: &String| {
        let mut whole = known[id].clone();
        let mut base = whole.based_on.clone();
        for _ in 0..MAX_BASE_STYLES {
            let Some(style) = base.and_then(|id| known.get(&id)) else { break };
            whole.role = whole.role.or(style.role);
            whole.is_about |= style.is_about;
            whole.list = whole.list.or_else(|| style.list.clone());
            base = style.based_on.clone();
        }
        (id.clone(), whole)
    };
    known.keys().map(whole).collect()
}

/// Returns the level of a heading, from 1 to 9, or `None` for body text.
pub(super) fn outline_level(properties: Node<'_, '_>) -> Option<u8> {
    let level: u8 = value(properties, "outlineLvl")?.parse().ok()?;
    (level < 9).then_some(level + 1)
}

/// Returns the id of the list that a paragraph belongs to, and the paragraph's depth in that list, from 0. `None`
/// outside lists.
pub(super) fn list_of(properties: Node<'_, '_>) -> Option<(String, u8)> {
    let list = child(properties, "numPr")?;
    let depth = value(list, "ilvl").and_then(|depth| depth.parse().ok()).unwrap_or(0);
    Some((value(list, "numId")?.to_owned(), depth))
}

/// Returns for each list, by id, whether its items are numbered at each depth.
pub(super) fn lists_of(document: &Document<'_>) -> HashMap<String, Vec<bool>> {
    let root = document.root_element();
    let counts = |node: Node<'_, '_>| -> Vec<bool> {
        let levels = children(node, "lvl");
        levels
            .take(MAX_LIST_LEVELS)
            .map(|level| !matches!(value(level, "numFmt"), Some("bullet" | "none")))
            .collect()
    };
    let kinds: HashMap<&str, Vec<bool>> = children(root, "abstractNum")
        .filter_map(|node| Some((attribute(node, "abstractNumId")?, counts(node))))
        .collect();
    let list = |node| {
        let kind = kinds.get(value(node, "abstractNumId")?)?;
        Some((attribute(node, "numId")?.to_owned(), kind.clone()))
    };
    children(root, "num").filter_map(list).collect()
}

/// Returns the addresses of links, by the ids of their relationships.
pub(super) fn links_of(document: &Document<'_>) -> HashMap<String, String> {
    let all = children(document.root_element(), "Relationship");
    let link = |node: Node<'_, '_>| {
        let is_link = attribute(node, "Type").is_some_and(|kind| kind.ends_with("/hyperlink"));
        let target = attribute(node, "Target").filter(|_| is_link).and_then(address::clean)?;
        Some((attribute(node, "Id")?.to_owned(), target))
    };
    all.filter_map(link).collect()
}
