//! Event files through `run`, with a real store in a directory that goes away.

use std::fs;
use std::path::{Path, PathBuf};

use headroom_node::{RunError, RunOptions, RunSummary, run};
use headroom_store::{Durability, StoreOptions};
use headroom_wire::proto::{self, output::Body};
use tempfile::TempDir;

/// A data directory with its output file and event files.
pub struct Place {
    dir: TempDir,
    /// The ruleset's files.
    pub rules: Vec<(String, String)>,
}

impl Place {
    /// With the built-in rules.
    pub fn new() -> Self {
        let rules = headroom_sources::read_ruleset_dir(&root().join("rules")).expect("the built-in rules");
        Self { dir: tempfile::tempdir().expect("a directory"), rules }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn data_dir(&self) -> PathBuf {
        self.path("data")
    }

    /// Writes an event file and runs it.
    pub fn run(&self, name: &str, bytes: &[u8]) -> Result<RunSummary, RunError> {
        let file = self.path(name);
        fs::write(&file, bytes).expect("the event file is written");
        run(&self.options(vec![file]), &mut |_| {})
    }

    fn options(&self, events: Vec<PathBuf>) -> RunOptions {
        RunOptions {
            rules: self.rules.clone(),
            events,
            data_dir: self.data_dir(),
            out: self.path("out.ndjson"),
            batch_records: 100,
            until: None,
            store: store_options(),
        }
    }

    /// Everything that came out so far.
    pub fn outputs(&self) -> Vec<Body> {
        let text = fs::read_to_string(self.path("out.ndjson")).expect("the output file");
        let read = |line: &str| headroom_wire::output_from_json(line.as_bytes()).expect("an output");
        text.lines().map(|line| read(line).body.expect("a body")).collect()
    }
}

/// The dead letters among outputs.
pub fn dead_letters(outputs: &[Body]) -> Vec<&proto::DeadLetter> {
    let letters = outputs.iter().filter_map(|each| match each {
        Body::DeadLetter(letter) => Some(letter),
        _ => None,
    });
    letters.collect()
}

/// Nothing here is about the loss of power.
pub fn store_options() -> StoreOptions {
    StoreOptions { durability: Durability::Process, ..StoreOptions::default() }
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
