//! The lines of a scenario in their layout.

/// How far in expectations stand below their event.
const EXPECTED: &str = "    ";

/// One blank between words, two before a comment; expectations four in; empty lines one at a time and none at the ends.
pub fn steps(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut laid_out: Vec<String> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if !line.is_empty() {
            laid_out.push(one(line, &lines[at + 1..]));
        } else if laid_out.last().is_some_and(|last| !last.is_empty()) {
            laid_out.push(String::new());
        }
    }
    while laid_out.last().is_some_and(String::is_empty) {
        laid_out.pop();
    }
    laid_out
}

fn one(line: &str, after: &[&str]) -> String {
    if line.starts_with('#') {
        let next = after.iter().find(|each| !each.is_empty() && !each.starts_with('#'));
        let indent = if next.is_some_and(|each| is_expectation(each)) { EXPECTED } else { "" };
        return format!("{indent}{line}");
    }
    if line.starts_with("=>") {
        // Nothing in an expectation is a comment.
        return format!("{EXPECTED}{}", words(line));
    }
    let indent = if is_expectation(line) { EXPECTED } else { "" };
    match line.find(" #") {
        Some(at) => format!("{indent}{}  {}", words(&line[..at]), line[at..].trim()),
        None => format!("{indent}{}", words(line)),
    }
}

fn is_expectation(line: &str) -> bool {
    line.starts_with("=>") || line.starts_with('?')
}

fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_tidied_and_keep_their_words() {
        let text = "\n  account  M1 base=1.00 # the first\n\n\n# later\n2025-01-01  x M1\n  # so\n=> review  M1 a #1\n? base M1 1.00\n\n";
        let expected = "account M1 base=1.00  # the first\n\n# later\n2025-01-01 x M1\n    # so\n    => review M1 a #1\n    ? base M1 1.00";
        assert_eq!(steps(text).join("\n"), expected);
        assert_eq!(steps(expected).join("\n"), expected);
    }
}
