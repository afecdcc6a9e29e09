//! What a broker is made of: Java, `setpriv`, and a folder of jars.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

const VERSION: &str = "4.1.0";

/// A folder that `scripts/kafka-jars.sh` made.
#[derive(Debug)]
pub struct Kafka {
    /// All jars in the order of their names, joined by colons.
    pub class_path: String,
    /// Java's archive of loaded classes; a start takes half as long with it.
    pub archive: Option<PathBuf>,
}

impl Kafka {
    /// Looks in `$HEADROOM_KAFKA_HOME`, else in the cache of tools. The error says what is missing.
    pub fn find() -> Result<Self, String> {
        let home = home()?;
        let missing: Vec<String> =
            [program("java"), program("setpriv"), jars_at(&home)].into_iter().flatten().collect();
        if !missing.is_empty() {
            return Err(missing.join("; "));
        }
        let archive = home.join("classes.jsa");
        Ok(Self { class_path: class_path(&home.join("jars"))?, archive: archive.exists().then_some(archive) })
    }
}

/// Whether a broker can be started here; the error says what is missing and how to get it.
pub fn available() -> Result<(), String> {
    Kafka::find().map(drop)
}

/// For the first line of a test: `None` where no broker can be started, which is printed. Panics then with `CI=true`.
#[must_use]
pub fn require() -> Option<()> {
    match available() {
        Ok(()) => Some(()),
        Err(missing) if env::var_os("CI").is_some_and(|value| value == "true") => panic!("no kafka broker: {missing}"),
        Err(missing) => {
            println!("skipped: no kafka broker: {missing}");
            None
        }
    }
}

fn home() -> Result<PathBuf, String> {
    if let Some(chosen) = env::var_os("HEADROOM_KAFKA_HOME") {
        return Ok(chosen.into());
    }
    let home = env::var_os("HOME").ok_or("neither `HEADROOM_KAFKA_HOME` nor `HOME` is set")?;
    Ok(Path::new(&home).join(format!(".cache/headroom-tools/kafka-{VERSION}")))
}

fn program(name: &str) -> Option<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|folder| folder.join(name).is_file());
    (!found).then(|| format!("`{name}` is not in PATH: `scripts/setup.sh tests` installs it"))
}

fn jars_at(home: &Path) -> Option<String> {
    let found = home.join(format!("jars/kafka_2.13-{VERSION}.jar")).is_file();
    (!found).then(|| format!("no jars in `{}`: `scripts/kafka-jars.sh` fetches them", home.display()))
}

/// In the order of names, as the script has it: the archive of classes holds for one order only.
fn class_path(jars: &Path) -> Result<String, String> {
    let unreadable = |error| format!("cannot read `{}`: {error}", jars.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(jars).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "jar") {
            paths.push(path.display().to_string());
        }
    }
    paths.sort();
    Ok(paths.join(":"))
}
