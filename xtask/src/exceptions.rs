//! Lists of permitted exceptions: one a line, `path token reason…`, `#` starts a comment.

/// A place where `token` may stand, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Path of the file from the checkout's root.
    pub path: String,
    /// The token that is permitted there.
    pub token: String,
    /// Why it is.
    pub reason: String,
}

/// Reads a list; panics on a line without all three parts, because a list without reasons grows.
pub fn parse(list: &str) -> Vec<Exception> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(parse_line).collect()
}

fn parse_line(line: &str) -> Exception {
    let mut parts = line.splitn(3, ' ').map(|part| part.trim().to_string());
    match (parts.next(), parts.next(), parts.next()) {
        (Some(path), Some(token), Some(reason)) if !reason.is_empty() => Exception { path, token, reason },
        _ => panic!("`{line}` is no exception: write `path token reason…`"),
    }
}

/// What stays of `found` (path, token) without the permitted ones, and every exception that nothing needs any more.
pub fn uncovered(found: &[(String, String)], exceptions: &[Exception]) -> Vec<String> {
    let covers =
        |exception: &Exception, (path, token): &(String, String)| exception.path == *path && exception.token == *token;
    let refused = found.iter().filter(|place| !exceptions.iter().any(|exception| covers(exception, place)));
    let unused = exceptions.iter().filter(|exception| !found.iter().any(|place| covers(exception, place)));
    refused
        .map(|(path, token)| format!("{path}: `{token}` does not belong here"))
        .chain(unused.map(|exception| format!("{}: exception for `{}` is unused", exception.path, exception.token)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_covers_its_own_place_only() {
        let list = parse("# why\n\na.rs HashMap look-ups only\n");
        let place = |path: &str| (path.to_string(), "HashMap".to_string());
        assert!(uncovered(&[place("a.rs")], &list).is_empty());
        assert_eq!(uncovered(&[place("b.rs"), place("a.rs")], &list), ["b.rs: `HashMap` does not belong here"]);
        assert_eq!(uncovered(&[], &list), ["a.rs: exception for `HashMap` is unused"]);
    }

    #[test]
    #[should_panic(expected = "is no exception")]
    fn an_exception_needs_a_reason() {
        parse("a.rs HashMap");
    }
}
