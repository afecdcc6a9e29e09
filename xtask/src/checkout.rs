//! The files under test: what git tracks in this checkout, read as they stand on disk.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    // Asked at run time: checkouts in several places may share one target folder.
    let xtask = std::env::var("CARGO_MANIFEST_DIR").expect("run by cargo, which says where xtask is");
    Path::new(&xtask).parent().expect("xtask stands in the checkout's root").to_path_buf()
}

/// Paths of all tracked files that exist, relative to the root, with `/`, sorted.
pub fn tracked() -> Vec<String> {
    // A checkout that belongs to another user (a CI volume) is refused by git unless it is declared safe.
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .current_dir(root())
        .output()
        .expect("git runs: the checks read the list of tracked files");
    assert!(output.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&output.stderr));
    let listed = String::from_utf8(output.stdout).expect("tracked paths are UTF-8");
    let mut paths: Vec<String> = listed.split_terminator('\0').filter(|path| exists(path)).map(String::from).collect();
    paths.sort();
    paths.dedup(); // a path in a merge conflict is listed once per side
    paths
}

/// The tracked text files that `wanted` chooses by path: path and content. Binary files are left out.
pub fn texts(wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    tracked().into_iter().filter(|path| wanted(path)).filter_map(with_text).collect()
}

fn with_text(path: String) -> Option<(String, String)> {
    let bytes = std::fs::read(root().join(&path)).ok()?;
    let text = if bytes.contains(&0) { None } else { String::from_utf8(bytes).ok() };
    text.map(|text| (path, text))
}

/// Whether `path`, relative to the root, is there as a file or folder.
pub fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// The text of `path`, relative to the root; panics with the path where it cannot be read.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("cannot read `{path}`: {error}"))
}

/// Names of the folders directly in `path`, sorted.
pub fn folders(path: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(path)).unwrap_or_else(|error| panic!("cannot list `{path}`: {error}"));
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("a folder entry can be read"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Whether a Rust file is test code by its place: `tests/`, `benches/`, or a module file `tests.rs`.
pub fn is_test_path(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests" | "benches" | "tests.rs"))
}

/// Fails the calling test with every finding on a line of its own.
#[track_caller]
pub fn report(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}:\n  {}\n", findings.join("\n  "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracked_files_and_test_paths() {
        assert!(tracked().contains(&"Cargo.toml".to_string()));
        assert!(!tracked().iter().any(|path| path.starts_with("target/")));
        assert!(is_test_path("crates/engine/tests/golden.rs") && is_test_path("crates/engine/src/money/tests.rs"));
        assert!(!is_test_path("crates/engine/src/money.rs") && !is_test_path("crates/policy/src/rule_tests.rs"));
    }

    #[test]
    #[should_panic(expected = "no clocks:\n  a.rs\n  b.rs")]
    fn a_report_names_every_finding() {
        report("no clocks", &["a.rs".to_string(), "b.rs".to_string()]);
    }
}
