//! The built-in rules and the scenario files of this repository.
#![expect(clippy::disallowed_methods, reason = "a test reads its data from disk; the crate itself never does")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use headroom_engine::Ruleset;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files below a folder of the repository: path within it, text; sorted.
pub fn files(folder: &str) -> Vec<(String, String)> {
    let base = root().join(folder);
    let (mut found, mut folders) = (Vec::new(), vec![base.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder is readable") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&base).expect("below the folder").to_string_lossy().replace('\\', "/");
            found.push((name, std::fs::read_to_string(&path).expect("a text")));
        }
    }
    found.sort();
    found
}

pub fn builtin() -> Arc<Ruleset> {
    let files = files("rules");
    let loaded = Ruleset::load(&files);
    Arc::new(
        loaded
            .unwrap_or_else(|reports| panic!("{}", reports.iter().map(|each| each.render(false)).collect::<String>())),
    )
}
