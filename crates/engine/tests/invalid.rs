//! Every finding of the loader, pinned as it is rendered: `invalid/x.yaml` beside `invalid/x.stderr`.
//!
//! A case is one rule file `x.rule.yaml`, or several files, each begun by a line `#= path`.
//! `UPDATE_EXPECT=1 cargo test -p headroom-engine --test invalid` writes the expectations anew.
#![expect(clippy::disallowed_methods, reason = "the crate is pure, its tests read their cases from files")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use headroom_engine::{FileReport, RULESET_CODES, Ruleset};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("invalid");
    let entries = fs::read_dir(folder).expect("the folder exists");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    paths.sort();
    paths
}

/// The files of a case.
fn files(path: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(path).expect("a text");
    let name = path.file_stem().expect("a name").to_string_lossy();
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        match (line.strip_prefix("#= "), files.last_mut()) {
            (Some(path), _) => files.push((path.trim().to_owned(), String::new())),
            (None, Some((_, text))) => text.push_str(line),
            (None, None) => files.push((format!("{name}.rule.yaml"), line.to_owned())),
        }
    }
    files
}

fn reports(path: &Path) -> Vec<FileReport> {
    match Ruleset::load(&files(path)) {
        Ok(ruleset) => ruleset.warnings,
        Err(reports) => reports,
    }
}

#[test]
fn findings_are_as_pinned() {
    for path in cases() {
        let reports = reports(&path);
        assert!(!reports.is_empty(), "{} is fine", path.display());
        let rendered: Vec<String> = reports.iter().map(|report| report.render(false)).collect();
        expect_file![path.with_extension("stderr")].assert_eq(&rendered.join("\n"));
    }
}

#[test]
fn every_code_has_a_case() {
    let reports: Vec<FileReport> = cases().iter().flat_map(|path| reports(path)).collect();
    let found: BTreeSet<&str> = reports.iter().flat_map(|report| &report.diagnostics).map(|each| each.code).collect();
    let missing: Vec<&str> = RULESET_CODES.iter().map(|each| each.0).filter(|code| !found.contains(code)).collect();
    assert_eq!(missing, Vec::<&str>::new());
    let unknown: Vec<&&str> = found.iter().filter(|code| code.starts_with("HR02")).collect();
    assert_eq!(unknown.len(), RULESET_CODES.len(), "a code is not listed: {unknown:?}");
}

#[test]
fn findings_are_reported_for_all_files_and_do_not_depend_on_their_order() {
    for path in cases() {
        let mut files = files(&path);
        let once = Ruleset::load(&files).map(|ruleset| ruleset.warnings);
        files.reverse();
        let again = Ruleset::load(&files).map(|ruleset| ruleset.warnings);
        assert_eq!(once, again, "{}", path.display());
    }
}
