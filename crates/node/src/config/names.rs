//! Names of nodes.

use super::layer::Raw;
use super::reader::Flaw;

const CHARS_MAX: usize = 64;

/// Empty, or a name that stands in answers, logs and file names as it is.
pub fn instance(raw: &Raw) -> Result<String, Flaw> {
    let key = "node.instance";
    let help = "write up to 64 letters, digits, `.`, `_`, `-`, or nothing";
    match raw {
        Raw::Text(name) if name.len() <= CHARS_MAX && name.chars().all(is_plain) => Ok(name.clone()),
        Raw::Text(name) => Err(Flaw::range(key, name, help.to_owned())),
        other => Err(Flaw::form(key, "a name", other, help)),
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}
