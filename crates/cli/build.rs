//! Lists the pages that `headroom explain` shows, so that they are embedded in the binary.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let docs = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../../docs").canonicalize()?;
    // The parent of both folders: one that is missing would make cargo run this every time.
    println!("cargo:rerun-if-changed={}", docs.display());
    let mut list = String::from("&[\n");
    for folder in ["errors", "reasons"] {
        for page in pages(&docs.join(folder))? {
            let code = page.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            writeln!(list, "    ({code:?}, include_str!({:?})),", page.display().to_string()).expect("into a string");
        }
    }
    list.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR").expect("set by cargo")).join("pages.rs"), list)
}

/// The pages of a folder, sorted; none, if it does not exist.
fn pages(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries: io::Result<Vec<PathBuf>> = fs::read_dir(folder)?.map(|entry| entry.map(|each| each.path())).collect();
    let mut pages: Vec<PathBuf> =
        entries?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    pages.sort();
    Ok(pages)
}
