//! What a pure crate's source may not mention: clock, randomness, disk, sockets, async, environment, output, hash maps.

use crate::{contains_word, source};

const TOKENS: [&str; 19] = [
    "SystemTime",
    "Instant",
    "std::fs",
    "std::net",
    "std::env",
    "tokio",
    "async fn",
    "async move",
    "rand::",
    "thread_rng",
    "getrandom",
    "HashMap",
    "HashSet",
    "RandomState",
    "println!",
    "eprintln!",
    "print!",
    "eprint!",
    "dbg!",
];

/// The impure tokens in `source` outside of tests, comments and literals, in the order of the list.
pub fn impure_tokens(source: &str) -> Vec<&'static str> {
    let code = source::code_only(&source::untested(source));
    let grouped = std_groups(&code);
    TOKENS.into_iter().filter(|token| contains_word(&code, token) || grouped.iter().any(|path| path == token)).collect()
}

/// `use std::{fs, io::Read}` written out as `std::fs`, `std::io`.
fn std_groups(code: &str) -> Vec<String> {
    code.match_indices("std::{").flat_map(|(at, open)| group_heads(&code[at + open.len()..])).collect()
}

fn group_heads(group: &str) -> Vec<String> {
    let mut heads = vec![String::new()];
    let mut depth = 1;
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => heads.push(String::new()),
            _ if depth == 1 => heads.last_mut().expect("starts with one").push(c),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    let first_name = |head: &String| head.trim().split([':', ' ']).next().map(|name| format!("std::{name}"));
    heads.iter().filter_map(first_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impure_code_is_found_however_it_is_imported() {
        assert_eq!(impure_tokens("fn now() -> SystemTime { std::time::SystemTime::now() }"), ["SystemTime"]);
        assert_eq!(
            impure_tokens("use std::{collections::{BTreeMap, HashMap}, io, fs as files};"),
            ["std::fs", "HashMap"]
        );
        assert_eq!(impure_tokens("use std::{\n    env,\n    net::{TcpStream},\n};"), ["std::net", "std::env"]);
        assert_eq!(impure_tokens("async fn f() { println!() }"), ["async fn", "println!"]);
    }

    #[test]
    fn comments_literals_and_tests_may_mention_it() {
        let source = "//! no HashMap here\nconst A: &str = \"std::fs\";\n#[cfg(test)]\nmod tests { use std::fs; }";
        assert!(impure_tokens(source).is_empty());
        assert!(impure_tokens("use std::{fmt, ops::Range}; let instant_like = operand::x;").is_empty());
    }
}
