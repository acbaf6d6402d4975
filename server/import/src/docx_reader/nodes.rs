//! Finds elements and attributes of WordprocessingML by their names.

use roxmltree::Node;

pub(super) fn children<'a, 'i>(
    node: Node<'a, 'i>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.tag_name().name() == name)
}

pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

/// Returns the descendants called `name` whose nearest ancestor called `kind` is `holder` itself. With a table as
/// `holder`, the rows of nested tables are left out.
pub(super) fn within<'a, 'i>(
    holder: Node<'a, 'i>,
    name: &'static str,
    kind: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    holder.descendants().skip(1).filter(move |node| {
        let mut above = node.ancestors().skip(1);
        node.tag_name().name() == name
            && above.find(|above| above.tag_name().name() == kind) == Some(holder)
    })
}

/// Returns the value of an attribute, whatever the prefix of its name. `None` if the element lacks it.
pub(super) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes().find(|attribute| attribute.name() == name).map(|attribute| attribute.value())
}

pub(super) fn value<'a>(node: Node<'a, '_>, name: &'static str) -> Option<&'a str> {
    child(node, name).and_then(|child| attribute(child, "val"))
}

/// Whether a property is present and not switched off.
pub(super) fn is_on(node: Node<'_, '_>, name: &'static str) -> bool {
    child(node, name)
        .is_some_and(|found| !matches!(attribute(found, "val"), Some("0" | "false" | "off")))
}
