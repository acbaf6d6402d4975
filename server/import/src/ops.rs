//! Turns paragraphs into the steps of a Delta that write them.

use crate::found::{Paragraph, Role};
use accord_document::model::attributes::Attributes;
use accord_document::model::blocks::LineKind;
use accord_document::model::delta::{self, Op};

/// Returns the steps that write a text into an empty field. The newline of the empty field becomes the last newline of
/// the text, and gets the attributes of the last paragraph. Neighbouring pieces with equal attributes become one step.
pub(crate) fn ops(paragraphs: &[Paragraph]) -> Vec<Op> {
    let mut out = Vec::new();
    for (at, paragraph) in paragraphs.iter().enumerate() {
        for piece in &paragraph.pieces {
            delta::push(&mut out, &piece.text, piece.marks.clone());
        }
        let attributes = attributes(paragraph.role);
        if at + 1 < paragraphs.len() {
            delta::push(&mut out, "\n", attributes);
        } else if !attributes.is_empty() {
            out.push(Op::retain(1, attributes));
        }
    }
    out
}

fn attributes(role: Role) -> Attributes {
    let mut attributes = Attributes::new();
    match role {
        Role::Title | Role::Block(LineKind::Plain) => {}
        Role::Block(LineKind::Heading(level)) => {
            attributes.insert("header", level.into());
        }
        Role::Block(LineKind::Quote) => {
            attributes.insert("blockquote", true.into());
        }
        Role::Block(LineKind::Item { ordered, indent }) => {
            let list = if ordered { "ordered" } else { "bullet" };
            attributes.insert("list", list.into());
            if indent > 0 {
                attributes.insert("indent", indent.into());
            }
        }
    }
    attributes
}
