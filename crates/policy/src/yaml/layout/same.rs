//! Whether two texts of a file say the same: the layout's own check of what it did.

use super::comments::comments;
use crate::yaml::{Kind, Node, parse};

/// The same tree, but for the order of keys and blanks within scalars; and the same comments, but for their order.
pub fn says_the_same(text: &str, root: &Node, other: &str) -> bool {
    let Ok(second) = parse(other) else { return false };
    same(root, &second) && remarks(text, root) == remarks(other, &second)
}

fn same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Scalar { text: one, .. }, Kind::Scalar { text: two, .. }) => bare(one) == bare(two),
        (Kind::Map(one), Kind::Map(two)) => {
            one.len() == two.len()
                && one.iter().all(|(key, node)| b.get(&key.text).is_some_and(|each| same(node, each)))
        }
        (Kind::Seq(one), Kind::Seq(two)) => one.len() == two.len() && one.iter().zip(two).all(|(a, b)| same(a, b)),
        (Kind::Null, Kind::Null) => true,
        _ => false,
    }
}

fn bare(text: &str) -> String {
    text.split_whitespace().collect()
}

fn remarks(text: &str, root: &Node) -> Vec<String> {
    let mut all: Vec<String> =
        comments(text, root).into_iter().map(|each| text[each.span.start..each.span.end].to_owned()).collect();
    all.sort();
    all
}
