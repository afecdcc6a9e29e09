//! Topics on a real broker, and the season that is sent through them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use headroom_kafka_broker::Broker;
use tempfile::TempDir;

/// One set of topics.
pub struct Cluster<'a> {
    pub broker: &'a Broker,
    pub prefix: String,
    pub partitions: u32,
    /// Settings of all commands and nodes.
    pub settings: Vec<String>,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl<'a> Cluster<'a> {
    /// New topics, with so many partitions and the genesis of their shards.
    pub fn create(broker: &'a Broker, partitions: u32, more: &[&str]) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("t{number}.");
        let mut settings = vec![
            format!("kafka.brokers={}", broker.bootstrap()),
            format!("kafka.topic_prefix={prefix}"),
            format!("kafka.group=g{number}"),
            format!("kafka.partitions={partitions}"),
            "kafka.profile=development".to_owned(),
            "store.block_cache=16MiB".to_owned(),
            "store.write_buffers=32MiB".to_owned(),
            "store.write_buffer=8MiB".to_owned(),
        ];
        settings.extend(more.iter().map(|each| (*each).to_owned()));
        let cluster = Self { broker, prefix, partitions, settings };
        cluster.headroom(&["topics", "create"]);
        cluster
    }

    /// The name of a topic: "orders".
    pub fn topic(&self, word: &str) -> String {
        format!("{}{word}.v1", self.prefix)
    }

    /// Runs a command with the settings; gives what it prints.
    #[track_caller]
    pub fn headroom(&self, arguments: &[&str]) -> String {
        let (status, out, error) = self.try_headroom(arguments);
        assert!(status, "headroom {arguments:?}: {error}");
        out
    }

    /// Whether it went well, and what it prints on both streams.
    pub fn try_headroom(&self, arguments: &[&str]) -> (bool, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
        command.args(arguments).args(self.settings.iter().flat_map(|set| ["--set", set]));
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    }

    /// Sends event files into the topics.
    pub fn send(&self, files: &[&Path]) {
        let mut arguments = vec!["send", "--kafka", "--quiet"];
        arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
        self.headroom(&arguments);
    }
}

/// A generated season in a file.
pub struct Season {
    pub file: PathBuf,
    pub events: u64,
    _dir: TempDir,
}

impl Season {
    /// Always the same for the same sizes.
    pub fn generate(accounts: u32, days: u32) -> Self {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("season.ndjson");
        let (accounts, days) = (accounts.to_string(), days.to_string());
        let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
        command.args(["generate", "--quiet", "--seed", "7", "--accounts", &accounts, "--days", &days, "--output"]);
        let status = command.arg(&file).stdout(std::process::Stdio::null()).status().unwrap();
        assert!(status.success());
        let events = std::fs::read_to_string(&file).unwrap().lines().count() as u64;
        Self { file, events, _dir: dir }
    }

    /// In so many files, one after the other.
    pub fn split(&self, parts: usize) -> Vec<PathBuf> {
        let text = std::fs::read_to_string(&self.file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let size = lines.len().div_ceil(parts);
        let write = |(number, lines): (usize, &[&str])| {
            let file = self.file.with_file_name(format!("part-{number:04}.ndjson"));
            std::fs::write(&file, lines.join("\n") + "\n").unwrap();
            file
        };
        lines.chunks(size).enumerate().map(write).collect()
    }
}
