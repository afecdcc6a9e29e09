//! Lists what is embedded in the binary: the pages that `headroom explain` shows, and the built-in ruleset.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

type Listed = Vec<(String, PathBuf)>;

fn main() -> io::Result<()> {
    let root = Path::new(&variable("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    // The parent of the folders with pages: one that is missing would make cargo run this every time.
    for watched in ["docs", "rules"] {
        println!("cargo:rerun-if-changed={}", root.join(watched).display());
    }
    let pages = pages(&root.join("docs/errors"))?.into_iter().chain(pages(&root.join("docs/reasons"))?);
    write_list("pages.rs", pages.collect())?;
    let mut schemas = Listed::new();
    for (name, path) in entries(&root.join("docs/schema"))? {
        schemas.push((name, path));
    }
    schemas.sort();
    write_list("schemas.rs", schemas)?;
    let mut rules = Listed::new();
    content(&root.join("rules"), "", &mut rules)?;
    rules.sort();
    write_list("builtin.rs", rules)
}

fn variable(name: &str) -> String {
    env::var(name).expect("set by cargo")
}

/// A file with a list of pairs: name, text. The text itself stands in it: checkouts that share a target folder must not
/// see each other's paths.
fn write_list(file: &str, entries: Listed) -> io::Result<()> {
    let mut list = String::from("&[\n");
    for (name, path) in entries {
        writeln!(list, "    ({name:?}, {:?}),", fs::read_to_string(path)?).expect("into a string");
    }
    list.push_str("]\n");
    fs::write(Path::new(&variable("OUT_DIR")).join(file), list)
}

/// The pages of a folder by code, sorted; none, if it does not exist.
fn pages(folder: &Path) -> io::Result<Listed> {
    if !folder.exists() {
        return Ok(Listed::new());
    }
    let mut pages = Listed::new();
    for (name, path) in entries(folder)? {
        pages.extend(name.strip_suffix(".md").map(|code| (code.to_owned(), path)));
    }
    pages.sort();
    Ok(pages)
}

/// The files of a ruleset by their paths within it.
fn content(folder: &Path, prefix: &str, files: &mut Listed) -> io::Result<()> {
    for (name, path) in entries(folder)? {
        let inside = format!("{prefix}{name}");
        if path.is_dir() {
            content(&path, &format!("{inside}/"), files)?;
        } else if ["ruleset.yaml", "facts.yaml", "strategies.yaml"].contains(&inside.as_str()) || holds_rules(&inside) {
            files.push((inside, path));
        }
    }
    Ok(())
}

fn holds_rules(path: &str) -> bool {
    [".rule.yaml", ".table.yaml", ".table.csv"].iter().any(|ending| path.ends_with(ending))
}

fn entries(folder: &Path) -> io::Result<Listed> {
    let named = |entry: fs::DirEntry| (entry.file_name().to_string_lossy().into_owned(), entry.path());
    fs::read_dir(folder)?.map(|entry| entry.map(named)).collect()
}
