//! Waiting until the files of a ruleset change.

use std::path::Path;
use std::thread;
use std::time::Duration;

use headroom_sources::{read_rule_tests_dir, read_ruleset_dir};

/// How often the files are looked at. A ruleset is some hundred kilobytes: reading it costs less than an editor's save.
const EVERY: Duration = Duration::from_millis(300);

/// What the files said when they were looked at; what cannot be read counts by its error.
#[derive(PartialEq, Eq)]
pub struct Seen(Vec<(String, String)>);

impl Seen {
    /// The files of a ruleset and its tests.
    pub fn of(dir: &Path) -> Self {
        let of = |read: Result<Vec<(String, String)>, headroom_sources::SourceError>| {
            read.unwrap_or_else(|error| vec![(String::new(), error.to_string())])
        };
        let mut files = of(read_ruleset_dir(dir));
        files.extend(of(read_rule_tests_dir(dir)));
        Self(files)
    }

    /// Returns once something is different, and the same at two looks: an editor may be in the middle of writing.
    pub fn wait(self, dir: &Path) -> Self {
        let mut last = Self::of(dir);
        loop {
            thread::sleep(EVERY);
            let now = Self::of(dir);
            if now != self && now == last {
                return now;
            }
            last = now;
        }
    }
}
