//! Names of nodes, and addresses of others.

use axum::http::Uri;

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

/// Empty, or an `http` or `https` address without a query.
pub fn web_address(key: &str, raw: &Raw) -> Result<String, Flaw> {
    let help = "write an address like `\"http://collector:4318\"`, or nothing";
    match raw {
        Raw::Text(text) if text.is_empty() || is_web_address(text) => Ok(text.clone()),
        other => Err(Flaw::form(key, "an http address", other, help)),
    }
}

fn is_web_address(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.query().is_none()
    })
}

/// Good in names of nodes, topics, groups and files alike.
pub fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}
