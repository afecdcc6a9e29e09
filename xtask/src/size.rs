//! File size with a ratchet: what is too long may only shrink.

use crate::source;
use std::collections::BTreeMap;

/// Code lines that a Rust file may have.
pub const LIMIT: usize = 500;

/// Lines that hold code: not blank, not comment, not in a `#[cfg(test)]` item.
pub fn code_lines(source: &str) -> usize {
    source::code_and_literals(&source::untested(source)).lines().filter(|line| !line.trim().is_empty()).count()
}

/// Reads the ratchet, one `path bound` a line; `#` starts a comment. Panics on anything else.
pub fn parse_ratchet(list: &str) -> BTreeMap<String, usize> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(parse_line).collect()
}

fn parse_line(line: &str) -> (String, usize) {
    let parsed = line.split_once(' ').and_then(|(path, bound)| Some((path.to_string(), bound.trim().parse().ok()?)));
    parsed.unwrap_or_else(|| panic!("`{line}` is no ratchet entry: write `path lines`"))
}

/// What is wrong with the files' code lines, measured against the ratchet's bounds.
pub fn findings(sizes: &BTreeMap<String, usize>, bounds: &BTreeMap<String, usize>) -> Vec<String> {
    let gone =
        bounds.keys().filter(|path| !sizes.contains_key(*path)).map(|path| format!("{path}: gone, drop its entry"));
    sizes.iter().filter_map(|(path, size)| finding(path, *size, bounds.get(path).copied())).chain(gone).collect()
}

fn finding(path: &str, size: usize, bound: Option<usize>) -> Option<String> {
    match bound {
        None if size > LIMIT => Some(format!("{path}: {size} code lines, at most {LIMIT}: make it two files")),
        Some(_) if size <= LIMIT => Some(format!("{path}: down to {size} code lines, drop its entry")),
        Some(bound) if size > bound => {
            Some(format!("{path}: {size} code lines, its bound is {bound}: it may only shrink"))
        }
        Some(bound) if size < bound => Some(format!("{path}: down to {size} code lines, lower its bound from {bound}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_blanks_and_tests_do_not_count() {
        let source =
            "//! doc\n\nfn a() {\n    // why\n    b(\"\n    c\")\n}\n\n#[cfg(test)]\nmod tests {\n    fn d() {}\n}\n";
        assert_eq!(code_lines(source), 4);
    }

    #[test]
    fn a_bound_holds_exactly() {
        let one = |size: usize| BTreeMap::from([("a.rs".to_string(), size)]);
        let none = BTreeMap::new();
        assert!(findings(&one(LIMIT), &none).is_empty());
        assert_eq!(findings(&one(501), &none), ["a.rs: 501 code lines, at most 500: make it two files"]);
        let bounds = parse_ratchet("# long\na.rs 600\n");
        assert!(findings(&one(600), &bounds).is_empty());
        assert_eq!(findings(&one(601), &bounds), ["a.rs: 601 code lines, its bound is 600: it may only shrink"]);
        assert_eq!(findings(&one(599), &bounds), ["a.rs: down to 599 code lines, lower its bound from 600"]);
        assert_eq!(findings(&one(500), &bounds), ["a.rs: down to 500 code lines, drop its entry"]);
        assert_eq!(findings(&none, &bounds), ["a.rs: gone, drop its entry"]);
    }
}
