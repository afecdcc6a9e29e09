//! The file `FORMAT`: says that a directory is ours, in which format, and whether its database was ever finished.
//!
//! It is read before RocksDB is: a newer format may need options that this build does not know.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::StoreError;

/// The newest format that this build reads, and the one that it writes.
pub(crate) const KNOWN: u32 = 3;

const NAME: &str = "FORMAT";
const PARTIAL: &str = "FORMAT.new";
const TITLE: &str = "headroom store";

/// How far the making of a data directory came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// Its database may be missing or half made: it holds nothing yet.
    Creating,
    /// Its database exists. If it is gone, somebody took it: it is not made anew, or every account would be forgotten.
    Ready,
    /// Made by a checkpoint, and not opened since: it holds everything, and needs no write-ahead log.
    Checkpoint,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Creating, Self::Ready, Self::Checkpoint];

    fn word(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Ready => "ready",
            Self::Checkpoint => "checkpoint",
        }
    }
}

/// The stage of an existing data directory; `None`: the directory is missing or empty.
///
/// # Errors
/// HR0302 of a newer format, HR0303 of an unreadable file, HR0305 where something else lives, HR0304.
pub(crate) fn read(dir: &Path) -> Result<Option<Stage>, StoreError> {
    match fs::read_to_string(dir.join(NAME)) {
        Ok(text) => parse(dir, &text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => vacant(dir).map(|()| None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(foreign(dir)),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(foreign(dir)),
        Err(error) => Err(StoreError::io("read the format of the data directory", &error)),
    }
}

/// Writes the file in one piece: whoever dies here leaves the old one.
///
/// # Errors
/// HR0304.
pub(crate) fn write(dir: &Path, stage: Stage) -> Result<(), StoreError> {
    replace(dir, stage).map_err(|error| StoreError::io("write the format of the data directory", &error))
}

fn replace(dir: &Path, stage: Stage) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let mut file = File::create(dir.join(PARTIAL))?;
    write!(file, "{TITLE}\nformat {KNOWN}\nstage {}\n", stage.word())?;
    file.sync_all()?;
    fs::rename(dir.join(PARTIAL), dir.join(NAME))?;
    File::open(dir)?.sync_all()
}

fn parse(dir: &Path, text: &str) -> Result<Stage, StoreError> {
    let mut lines = text.lines();
    if lines.next() != Some(TITLE) {
        return Err(foreign(dir));
    }
    let format = lines.next().and_then(|line| line.strip_prefix("format ")?.parse().ok());
    match format {
        Some(found) if found > KNOWN => Err(StoreError::NewerFormat { found, known: KNOWN }),
        Some(KNOWN) => stage(lines.next()),
        Some(found @ 1..KNOWN) => {
            Err(StoreError::corrupt(format!("it has format {found}, of builds before the first release")))
        }
        _ => Err(StoreError::corrupt(format!("`{NAME}` names no format"))),
    }
}

fn stage(line: Option<&str>) -> Result<Stage, StoreError> {
    let word = line.and_then(|line| line.strip_prefix("stage "));
    let stage = Stage::ALL.into_iter().find(|stage| word == Some(stage.word()));
    stage.ok_or_else(|| StoreError::corrupt(format!("`{NAME}` names no stage")))
}

/// A directory without the file must hold nothing, or what a death while writing it left.
fn vacant(dir: &Path) -> Result<(), StoreError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::io("list the data directory", &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| StoreError::io("list the data directory", &error))?;
        if entry.file_name() != PARTIAL {
            return Err(foreign(dir));
        }
    }
    Ok(())
}

fn foreign(dir: &Path) -> StoreError {
    StoreError::NotADataDirectory { dir: dir.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<Option<Stage>, StoreError> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(NAME), text).unwrap();
        read(dir.path())
    }

    #[test]
    fn reads_what_it_wrote() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()), Ok(None));
        for stage in Stage::ALL {
            write(dir.path(), stage).unwrap();
            assert_eq!(read(dir.path()), Ok(Some(stage)));
        }
    }

    #[test]
    fn a_death_while_writing_leaves_an_empty_directory() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(PARTIAL), "headroom st").unwrap();
        assert_eq!(read(dir.path()), Ok(None));
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(with("headroom store\nformat 4\nflags x\n").unwrap_err().code(), "HR0302");
        assert_eq!(with("headroom store\nformat one\n").unwrap_err().code(), "HR0303");
        assert_eq!(with("headroom store\nformat 3\nstage half\n").unwrap_err().code(), "HR0303");
        for old in 1..KNOWN {
            assert_eq!(with(&format!("headroom store\nformat {old}\nstage ready\n")).unwrap_err().code(), "HR0303");
        }
        assert_eq!(with("another store\nformat 1\n").unwrap_err().code(), "HR0305");
    }
}
