//! Search for whole words and paths in text.

/// Whether `word` stands in `text` with no letter, digit or underscore running on at either end.
pub fn contains_word(text: &str, word: &str) -> bool {
    let (first, last) = (word.starts_with(is_name), word.ends_with(is_name));
    text.match_indices(word).any(|(at, _)| {
        let runs_on_before = first && text[..at].ends_with(is_name);
        let runs_on_after = last && text[at + word.len()..].starts_with(is_name);
        !runs_on_before && !runs_on_after
    })
}

/// Whether the absolute path `prefix` (`/a/`) stands in `text`; as the middle of a longer path or address it does not count.
pub fn contains_path(text: &str, prefix: &str) -> bool {
    let continues = |c: char| is_name(c) || matches!(c, '.' | '-' | '~' | '*' | '}' | ')' | '/');
    text.match_indices(prefix).any(|(at, _)| !text[..at].ends_with(continues))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole() {
        assert!(contains_word("let now = Instant::now();", "Instant"));
        assert!(!contains_word("Instantly InstantKind MyInstant", "Instant"));
        assert!(contains_word("rand::random()", "rand::") && !contains_word("operand::new()", "rand::"));
        assert!(!contains_word("eprintln!()", "println!") && contains_word("println!()", "println!"));
    }

    #[test]
    fn paths_are_absolute() {
        assert!(contains_path("cd /a/b", "/a/") && contains_path("\"/a/\"", "/a/"));
        assert!(!contains_path("c/a/b ~/a/b ${HOME}/a/b https://c.d/a/b", "/a/"));
    }
}
