//! How a scalar is written.

use super::WIDTH;

/// Whether a text can stand bare behind `key: ` and be read as itself.
pub fn is_plain(text: &str) -> bool {
    let mut letters = text.chars();
    let (first, second) = (letters.next().unwrap_or(' '), letters.next().unwrap_or(' '));
    let starts = match first {
        '-' | '?' | ':' => !second.is_whitespace() && second != '-',
        _ => !first.is_whitespace() && !"!&*|>@`\"'#%,[]{}".contains(first),
    };
    starts
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains('\n')
        && !matches!(text, "~" | "null" | "---")
}

/// Whether it can also stand between `{` and `}`.
pub fn is_plain_in_flow(text: &str) -> bool {
    is_plain(text) && !text.contains([',', '[', ']', '{', '}'])
}

/// In double quotes.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The words of a text on lines of at most [`WIDTH`] characters.
pub fn wrapped(text: &str, indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() + indent <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
