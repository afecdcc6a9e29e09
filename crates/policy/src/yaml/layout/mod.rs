//! One layout for the files of a ruleset: keys in their order, maps and lists on one line where they fit, comments kept.

mod comments;
mod print;
mod same;
mod scalar;

use crate::diagnostic::{Diagnostic, Span};

/// The longest line where a layout has the choice.
pub const WIDTH: usize = 120;

/// How files of a kind are laid out. A path is the keys from the root on; elements of lists are `[]`.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The order of a map's keys; keys that it does not name come last, as they stand.
    pub order: fn(&[&str]) -> &'static [&'static str],
    /// The lines of a scalar that has a layout of its own, given its text and the longest line; `None`: as written.
    pub lines: fn(&[&str], &str, usize) -> Option<Vec<String>>,
    /// Whether a scalar with a layout of its own is always written as a block.
    pub as_block: fn(&[&str]) -> bool,
    /// Whether the elements of a list stand apart by an empty line, and each of its maps has a line per key.
    pub is_open: fn(&[&str]) -> bool,
    /// Whether a map with so many entries always has a line for each.
    pub has_lines: fn(&[&str], usize) -> bool,
    /// Maps and lists that stand on several lines stay so, and empty lines between entries stay.
    pub keeps_form: bool,
}

/// The file in this layout.
///
/// # Errors
/// What is wrong with its YAML; and `HR0144` where the layout would lose or change something, which is a fault of ours:
/// the file stays as it is then.
pub fn layout(text: &str, layout: &Layout) -> Result<String, Vec<Diagnostic>> {
    let root = super::parse(text)?;
    let laid_out = print::print(text, &root, layout);
    if same::says_the_same(text, &root, &laid_out) {
        return Ok(laid_out);
    }
    let finding = Diagnostic::error("HR0144", "the layout of this file would change what it says", Span::default());
    Err(vec![finding.help("the file is left as it is; comments in unusual places are the usual reason: move them")])
}

#[cfg(test)]
mod tests;
