//! The core takes time, randomness and data as arguments.

use xtask::{code_only, exists, impure_tokens, is_test_path, parse_exceptions, read, report, texts, uncovered};

const PURE: [&str; 7] = ["policy", "engine", "wire", "conflicts", "control", "replay", "sim"];
const EXACT: [&str; 2] = ["policy", "engine"];

fn present(names: &[&'static str]) -> Vec<&'static str> {
    names.iter().copied().filter(|name| exists(&format!("crates/{name}"))).collect()
}

#[test]
fn pure_crates_mention_nothing_impure() {
    let folders: Vec<String> = present(&PURE).iter().map(|name| format!("crates/{name}/src/")).collect();
    let pure = |path: &str| folders.iter().any(|folder| path.starts_with(folder)) && path.ends_with(".rs");
    let found: Vec<(String, String)> = texts(|path| pure(path) && !is_test_path(path))
        .into_iter()
        .flat_map(|(path, text)| impure_tokens(&text).into_iter().map(move |token| (path.clone(), token.to_string())))
        .collect();
    let findings = uncovered(&found, &parse_exceptions(&read("xtask/purity.txt")));
    report("pure crates have no clock, randomness, disk, socket, async or hash map (xtask/purity.txt)", &findings);
}

#[test]
fn pure_crates_share_one_clippy_configuration() {
    let expected = read("crates/policy/clippy.toml");
    let path = |name: &str| format!("crates/{name}/clippy.toml");
    let differs = |name: &str| !exists(&path(name)) || read(&path(name)) != expected;
    let findings: Vec<String> = present(&PURE).into_iter().filter(|name| differs(name)).map(path).collect();
    report("differs from crates/policy/clippy.toml", &findings);
}

#[test]
fn no_floating_point_where_money_is_decided() {
    let denies = |name: &str| {
        let code: String = code_only(&read(&format!("crates/{name}/src/lib.rs"))).split_whitespace().collect();
        let attributes = code.split("#![").filter(|part| part.starts_with("deny(") || part.starts_with("forbid("));
        attributes
            .into_iter()
            .any(|part| part.split(']').next().is_some_and(|lints| lints.contains("clippy::float_arithmetic")))
    };
    let findings: Vec<String> =
        EXACT.into_iter().filter(|name| !denies(name)).map(|name| format!("crates/{name}/src/lib.rs")).collect();
    report("lacks `#![deny(clippy::float_arithmetic)]`", &findings);
}
