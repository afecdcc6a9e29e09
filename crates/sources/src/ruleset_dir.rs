//! A ruleset's files, read from a directory.

use std::fs::{self, DirEntry, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::SourceError;

/// The largest file: what the rule language's YAML takes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Far more than any ruleset has: somebody named a wrong directory.
const FILES_MAX: usize = 10_000;
/// How deep folders may nest.
const DEPTH_MAX: usize = 16;

/// The content of a ruleset: `ruleset.yaml`, `facts.yaml`, `strategies.yaml` and every `*.rule.yaml`, `*.table.yaml`
/// and `*.table.csv` in any folder, each with its path
/// within `directory` (forward slashes) and its text, sorted by path. What is wrong with a text is the loader's business.
///
/// Names that begin with a dot are left out. A link to a file is followed, one to a folder is not: no walk is endless.
///
/// # Errors
/// [`SourceError::Io`]: the directory cannot be read or holds no ruleset; a file is no regular file, no UTF-8, or larger
/// than 1 MiB.
pub fn read_ruleset_dir(directory: &Path) -> Result<Vec<(String, String)>, SourceError> {
    let files = read_all(directory, is_content)?;
    if files.is_empty() {
        let nothing = "there is no ruleset: neither `ruleset.yaml` nor any `*.rule.yaml`";
        return Err(refused(directory, ErrorKind::NotFound, nothing));
    }
    Ok(files)
}

/// The tests of a ruleset: every `*.test.yaml` in any folder, as [`read_ruleset_dir`] reads its content; perhaps none.
///
/// # Errors
/// As [`read_ruleset_dir`].
pub fn read_rule_tests_dir(directory: &Path) -> Result<Vec<(String, String)>, SourceError> {
    read_all(directory, |path| path.ends_with(".test.yaml"))
}

fn read_all(directory: &Path, wanted: fn(&str) -> bool) -> Result<Vec<(String, String)>, SourceError> {
    let mut walk = Walk { wanted, files: Vec::new() };
    walk.folder(directory, "", 0)?;
    walk.files.sort();
    Ok(walk.files)
}

fn refused(path: &Path, kind: ErrorKind, why: &str) -> SourceError {
    SourceError::reading(path)(io::Error::new(kind, why))
}

struct Walk {
    wanted: fn(&str) -> bool,
    files: Vec<(String, String)>,
}

impl Walk {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), SourceError> {
        if depth > DEPTH_MAX {
            return Err(refused(folder, ErrorKind::InvalidInput, "folders nest too deeply for a ruleset"));
        }
        for entry in fs::read_dir(folder).map_err(SourceError::reading(folder))? {
            self.entry(&entry.map_err(SourceError::reading(folder))?, prefix, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, prefix: &str, depth: usize) -> Result<(), SourceError> {
        // A name that is no UTF-8 cannot be one of ours.
        let Ok(name) = entry.file_name().into_string() else { return Ok(()) };
        let (path, on_disk) = (format!("{prefix}{name}"), entry.path());
        if name.starts_with('.') {
            return Ok(());
        }
        if entry.file_type().map_err(SourceError::reading(&on_disk))?.is_dir() {
            return self.folder(&on_disk, &format!("{path}/"), depth + 1);
        }
        if (self.wanted)(&path) {
            self.files.push((path, text(&on_disk)?));
        }
        if self.files.len() > FILES_MAX {
            return Err(refused(&on_disk, ErrorKind::InvalidInput, "too many files for a ruleset"));
        }
        Ok(())
    }
}

/// As the engine's loader sees it.
fn is_content(path: &str) -> bool {
    let endings = [".rule.yaml", ".table.yaml", ".table.csv"];
    ["ruleset.yaml", "facts.yaml", "strategies.yaml"].contains(&path)
        || endings.iter().any(|ending| path.ends_with(ending))
}

fn text(path: &Path) -> Result<String, SourceError> {
    let metadata = fs::metadata(path).map_err(SourceError::reading(path))?;
    if !metadata.is_file() {
        return Err(refused(path, ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut text = String::new();
    let file = File::open(path).map_err(SourceError::reading(path))?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(SourceError::reading(path))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(refused(path, ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    fn why(directory: &Path) -> String {
        let error = read_ruleset_dir(directory).unwrap_err();
        format!("{error}: {}", error.source().unwrap())
    }

    fn paths(directory: &Path) -> Vec<String> {
        read_ruleset_dir(directory).unwrap().into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn content_is_found_in_any_folder_and_sorted() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("fraud/.hidden")).unwrap();
        let names = [
            "ruleset.yaml",
            "c.table.yaml",
            "c.table.csv",
            "c.csv",
            "b.rule.yaml",
            "fraud/a.rule.yaml",
            "fraud/a.test.yaml",
            "fraud/facts.yaml",
        ];
        for name in names.iter().chain(&["notes.md", "fraud/.hidden/c.rule.yaml"]) {
            fs::write(dir.path().join(name), *name).unwrap();
        }
        assert_eq!(
            paths(dir.path()),
            ["b.rule.yaml", "c.table.csv", "c.table.yaml", "fraud/a.rule.yaml", "ruleset.yaml"]
        );
        let tests = read_rule_tests_dir(dir.path()).unwrap();
        assert_eq!(tests, [("fraud/a.test.yaml".to_owned(), "fraud/a.test.yaml".to_owned())]);
    }

    #[cfg(unix)]
    #[test]
    fn links_to_folders_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.rule.yaml"), "").unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("again")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("a.rule.yaml"), dir.path().join("b.rule.yaml")).unwrap();
        assert_eq!(paths(dir.path()), ["a.rule.yaml", "b.rule.yaml"]);
    }

    #[test]
    fn what_is_no_ruleset_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(why(dir.path()).contains("there is no ruleset"));
        assert!(why(&dir.path().join("nowhere")).contains("nowhere"));
        let large = dir.path().join("large.rule.yaml");
        fs::write(&large, vec![b'#'; 1 + (1 << 20)]).unwrap();
        assert!(why(dir.path()).ends_with("it is larger than 1 MiB"));
        fs::write(&large, [0xff]).unwrap();
        assert!(why(dir.path()).contains("UTF-8"));
    }
}
