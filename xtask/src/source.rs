//! Views of Rust source in which comments, literals or tests are blanked with spaces. Offsets and line breaks stay.

use std::ops::Range;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// The source without comments and without what stands inside string and character literals.
pub fn code_only(source: &str) -> String {
    keep(source, |kind| kind == Kind::Code)
}

/// The source without comments; literals stay.
pub fn code_and_literals(source: &str) -> String {
    keep(source, |kind| kind != Kind::Comment)
}

/// `source` with every `#[cfg(test)]` item blanked; comments stay outside of those.
pub fn untested(source: &str) -> String {
    let mut bytes = source.as_bytes().to_vec();
    for range in test_items(&code_only(source)) {
        blank(&mut bytes[range]);
    }
    text(bytes)
}

fn keep(source: &str, wanted: impl Fn(Kind) -> bool) -> String {
    let mut bytes = source.as_bytes().to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let (kind, end) = token(source.as_bytes(), at);
        if !wanted(kind) {
            blank(&mut bytes[at..end]);
        }
        at = end;
    }
    text(bytes)
}

fn blank(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("whole characters are blanked")
}

/// What starts at `at`, and where it ends.
fn token(source: &[u8], at: usize) -> (Kind, usize) {
    let rest = &source[at..];
    if rest.starts_with(b"//") {
        return (Kind::Comment, at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return (Kind::Comment, at + block_comment(rest));
    }
    match rest[0] {
        b'"' => (Kind::Literal, at + quoted(rest, b'"')),
        b'\'' => character(rest).map_or((Kind::Code, at + 1), |length| (Kind::Literal, at + length)),
        b'r' if !continues_name(source, at) => {
            raw_string(rest).map_or((Kind::Code, at + 1), |length| (Kind::Literal, at + length))
        }
        _ => (Kind::Code, at + 1),
    }
}

/// Whether the byte at `at` is inside a name; `b` and `c` alone before it are a literal's prefix.
fn continues_name(source: &[u8], at: usize) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut before = source[..at].iter().rev();
    match before.next() {
        Some(b'b' | b'c') => before.next().is_some_and(|byte| is_name(*byte)),
        other => other.is_some_and(|byte| is_name(*byte)),
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..(at + 2).min(rest.len())] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// Length of a character literal; `None` for a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return Some(quoted(rest, b'\''));
    }
    let width = 1 + rest.get(2..)?.iter().take_while(|byte| **byte & 0xc0 == 0x80).count();
    (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
}

/// Length of a raw string that starts with `r`; `None` for a name, raw or not.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    let open = hashes + 2;
    if rest.get(open - 1) != Some(&b'"') {
        return None;
    }
    let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    let length = rest[open..].windows(close.len()).position(|window| window == close);
    Some(length.map_or(rest.len(), |length| open + length + close.len()))
}

fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (start, _) in code.match_indices("#[cfg(test)]") {
        if ranges.last().is_none_or(|last| start >= last.end) {
            ranges.push(start..item_end(code, start));
        }
    }
    ranges
}

/// The end of the item whose attribute starts at `start`: where its first block closes, or its `;` outside of brackets.
fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in code[start..].bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && matches!(byte, b'}' | b';') {
            return start + offset + 1;
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_told_from_code() {
        let source = "let a = \"x // y\"; // é\n/* b /* c */ d */ let e: &'static str = r#\"f\"g\"#; let h = ['\\'', 'é', '\"'];";
        assert_eq!(squeeze(&code_only(source)), "let a = ; let e: &'static str = ; let h = [ , , ];");
        let with_literals = code_and_literals(source);
        assert!(
            with_literals.contains("\"x // y\"") && !with_literals.contains("b /*") && with_literals.contains("f\"g")
        );
        assert_eq!(with_literals.len(), source.len());
    }

    #[test]
    fn raw_names_bytes_and_unclosed_literals() {
        assert_eq!(squeeze(&code_only("let r#type = br\"x\\\"; for_r\"y\"")), "let r#type = b ; for_r");
        assert_eq!(squeeze(&code_only("a /* b")), "a");
        assert_eq!(squeeze(&code_only("a \"b\\")), "a");
    }

    #[test]
    fn test_items_are_blanked_and_the_rest_stays() {
        let source = "fn a() {}\n#[cfg(test)]\nuse b::c;\nfn d() {}\n#[cfg(test)]\nconst G: [u8; 2] = [1, 2];\n#[cfg(test)]\nmod tests {\n fn e() { \"}\" }\n}\nfn f() {}";
        assert_eq!(squeeze(&untested(source)), "fn a() {} fn d() {} fn f() {}");
        assert_eq!(untested(source).lines().count(), source.lines().count());
    }

    fn squeeze(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
