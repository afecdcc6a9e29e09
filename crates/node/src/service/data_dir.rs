//! A data directory: one store, or a folder of them with a file that says how many.
//!
//! `DIR/FORMAT` and `DIR/db` for one shard: what `headroom run` makes can be served, and the other way round.
//! `DIR/SHARDS` and `DIR/shard-000`, `DIR/shard-001`, … for several. The number of shards never changes: accounts
//! would land elsewhere.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use headroom_store::{Reader, Store, StoreError, StoreOptions};

use super::partition::shard_of;
use crate::decode::wall_clock;
use crate::error::RunError;

const SHARDS: &str = "SHARDS";
const INSTANCE: &str = "INSTANCE";
const LOCK: &str = "LOCK";

/// Where the shards of a data directory are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataDir {
    dir: PathBuf,
    shards: u32,
    /// Each shard has a folder of its own.
    nested: bool,
}

/// Held while a process may write to a data directory whose shards come and go.
#[derive(Debug)]
pub struct DataDirLock {
    _file: fs::File,
}

/// Who writes: the name made at the first start, and which start this is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instance {
    /// Made once, or set.
    pub id: String,
    /// Grows with every start, by whatever process and from whatever directory: the time of the start, milliseconds
    /// since 1970-01-01T00:00Z, or one more than before where the clock was set back.
    pub incarnation: u64,
}

impl DataDir {
    /// What is there.
    ///
    /// # Errors
    /// HR0305 if it is no data directory, HR0304 if it cannot be read.
    pub fn find(dir: &Path) -> Result<Self, StoreError> {
        match fs::read_to_string(dir.join(SHARDS)) {
            Ok(text) => {
                let shards = text.trim().parse().ok().filter(|shards| *shards > 0);
                let shards = shards.ok_or_else(|| damaged(dir))?;
                Ok(Self { dir: dir.to_owned(), shards, nested: true })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && dir.join("FORMAT").exists() => {
                Ok(Self { dir: dir.to_owned(), shards: 1, nested: false })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(StoreError::NotADataDirectory { dir: dir.to_owned() })
            }
            Err(error) => Err(failed("read the data directory", &error)),
        }
    }

    /// What is there, or a new one of so many shards in an empty or missing directory.
    ///
    /// # Errors
    /// As [`Self::find`]; HR0511 if there are another number of shards.
    pub fn find_or_create(dir: &Path, shards: u32) -> Result<Self, RunError> {
        Self::find_or(dir, shards, shards > 1)
    }

    /// As [`Self::find_or_create`], with a folder for each shard also if there is only one: shards come and go.
    ///
    /// # Errors
    /// As [`Self::find_or_create`].
    pub fn find_or_create_nested(dir: &Path, shards: u32) -> Result<Self, RunError> {
        Self::find_or(dir, shards, true)
    }

    /// The directory is this process's alone until the lock is dropped; it is made if it is not there.
    ///
    /// # Errors
    /// HR0301 while another process has it, HR0304.
    pub fn lock(dir: &Path) -> Result<DataDirLock, StoreError> {
        fs::create_dir_all(dir).map_err(|error| failed("create the data directory", &error))?;
        let open = fs::File::options().create(true).write(true).truncate(false).open(dir.join(LOCK));
        let file = open.map_err(|error| failed("open the data directory's lock", &error))?;
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(DataDirLock { _file: file }),
            Err(error) if error == rustix::io::Errno::WOULDBLOCK => Err(StoreError::Locked { dir: dir.to_owned() }),
            Err(error) => Err(failed("lock the data directory", &error.into())),
        }
    }

    fn find_or(dir: &Path, shards: u32, nested: bool) -> Result<Self, RunError> {
        let found = match Self::find(dir) {
            Err(StoreError::NotADataDirectory { .. }) if is_empty(dir)? => Self::create(dir, shards.max(1), nested)?,
            found => found?,
        };
        if found.shards != shards {
            return Err(RunError::OtherShards { dir: dir.to_owned(), found: found.shards, wanted: shards });
        }
        Ok(found)
    }

    fn create(dir: &Path, shards: u32, nested: bool) -> Result<Self, StoreError> {
        fs::create_dir_all(dir).map_err(|error| failed("create the data directory", &error))?;
        if nested {
            replace(&dir.join(SHARDS), &format!("{shards}\n"))
                .map_err(|error| failed("create the data directory", &error))?;
        }
        Ok(Self { dir: dir.to_owned(), shards, nested })
    }

    /// How many shards it has.
    pub fn shards(&self) -> u32 {
        self.shards
    }

    /// The shard of an account.
    pub fn shard_of(&self, account: &str) -> u32 {
        shard_of(account, self.shards)
    }

    /// The folder of a shard's store.
    pub fn shard_dir(&self, shard: u32) -> PathBuf {
        if self.nested { self.dir.join(format!("shard-{shard:03}")) } else { self.dir.clone() }
    }

    /// Whether a shard's store is here: on Kafka a node holds those that it has served.
    pub fn has(&self, shard: u32) -> bool {
        self.shard_dir(shard).join("FORMAT").exists()
    }

    /// Whether it belongs to a node on Kafka: what is decided there must come from topics.
    pub fn is_of_topics(&self) -> bool {
        self.dir.join("GENESIS").exists()
    }

    /// Opens a shard for its one writer.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open(&self, shard: u32, options: &StoreOptions) -> Result<Store, StoreError> {
        Store::open(&self.shard_dir(shard), options.clone())
    }

    /// Removes a shard's store, which nobody may have open.
    ///
    /// # Errors
    /// HR0304.
    pub fn remove(&self, shard: u32) -> Result<(), StoreError> {
        match fs::remove_dir_all(self.shard_dir(shard)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove a store", &error)),
            _ => Ok(()),
        }
    }

    /// Opens a shard for looking at it, without its lock.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn read(&self, shard: u32, options: &StoreOptions) -> Result<Reader, StoreError> {
        Reader::open(&self.shard_dir(shard), options)
    }

    /// Names this start; call with the shards locked. `named` overrides the name made at the first start.
    ///
    /// # Errors
    /// HR0304.
    pub fn instance(&self, named: &str) -> Result<Instance, StoreError> {
        let path = self.dir.join(INSTANCE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed("read the instance's name", &error)),
        };
        let mut words = text.split_whitespace();
        let id = match (named, words.next()) {
            ("", Some(id)) => id.to_owned(),
            ("", None) => new_id().map_err(|error| failed("make the instance's name", &error))?,
            (named, _) => named.to_owned(),
        };
        let before = words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        // A count would begin anew in an emptied directory and go on twice in a copied one: neither could be told from
        // a process of the past.
        let incarnation = u64::try_from(wall_clock().0).unwrap_or(0).max(before + 1);
        let written = replace(&path, &format!("{id} {incarnation}\n"));
        written.map_err(|error| failed("write the instance's name", &error))?;
        Ok(Instance { id, incarnation })
    }
}

fn is_empty(dir: &Path) -> Result<bool, StoreError> {
    match fs::read_dir(dir) {
        // A lock that another command left, or holds, is nobody's data.
        Ok(entries) => Ok(entries.flatten().all(|entry| entry.file_name() == LOCK)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(failed("read the data directory", &error)),
    }
}

/// A file is whole or not there: written beside, synced, renamed.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::File::open(parent)?.sync_all()
}

fn new_id() -> io::Result<String> {
    let mut bytes = [0; 8];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("node-{:016x}", u64::from_be_bytes(bytes)))
}

fn damaged(dir: &Path) -> StoreError {
    StoreError::Corrupt { detail: format!("`{}` does not say how many shards there are", dir.join(SHARDS).display()) }
}

fn failed(action: &'static str, error: &io::Error) -> StoreError {
    StoreError::Io { action, detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_shard_lies_in_the_directory_itself() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        let made = DataDir::find_or_create(&path, 1).unwrap();
        drop(made.open(0, &StoreOptions::default()).unwrap());
        assert_eq!(DataDir::find(&path).unwrap(), made);
        assert_eq!(made.shard_dir(0), path);
    }

    #[test]
    fn the_number_of_shards_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let made = DataDir::find_or_create(dir.path(), 3).unwrap();
        assert_eq!(DataDir::find(dir.path()).unwrap(), made);
        let other = DataDir::find_or_create(dir.path(), 4).unwrap_err();
        assert_eq!(other.code(), Some("HR0511"));
        fs::write(dir.path().join(SHARDS), "many").unwrap();
        assert_eq!(DataDir::find(dir.path()).unwrap_err().code(), "HR0303");
    }

    #[test]
    fn nothing_is_made_among_foreign_files() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("letter.txt"), "dear").unwrap();
        assert_eq!(DataDir::find_or_create(dir.path(), 2).unwrap_err().code(), Some("HR0305"));
    }

    #[test]
    fn starts_follow_one_another_and_the_name_stays() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::find_or_create(dir.path(), 2).unwrap();
        let first = data.instance("").unwrap();
        let second = data.instance("").unwrap();
        assert_eq!(first.id, second.id);
        assert!(first.incarnation < second.incarnation);
        let named = data.instance("west-1").unwrap();
        assert!(named.id == "west-1" && second.incarnation < named.incarnation);
        fs::write(dir.path().join(INSTANCE), format!("west-1 {}\n", u64::MAX - 1)).unwrap();
        assert_eq!(data.instance("").unwrap(), Instance { id: "west-1".to_owned(), incarnation: u64::MAX });
    }
}
