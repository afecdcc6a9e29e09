//! Defaults, file and command line put together.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use headroom_engine::FileReport;
use headroom_policy::Diagnostic;
use headroom_store::{Durability, StoreOptions};
use serde::Serialize;

use super::kafka::KafkaConfig;
use super::layer::{BYTES_MAX, Layer};
use super::reader::Reader;
use super::snapshots::SnapshotsConfig;
use super::source::Source;
use super::types::{
    HttpConfig, LaneConfig, LogConfig, NodeConfig, RetentionConfig, RulesConfig, StoreConfig, TelemetryConfig,
};

/// The embedded defaults, with what each setting is for.
pub const DEFAULT_CONFIG: &str = include_str!("default.toml");

/// All settings of the service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Config {
    /// What this process is, and where its data lies.
    pub node: NodeConfig,
    /// Which rules decide.
    pub rules: RulesConfig,
    /// The HTTP interface.
    pub http: HttpConfig,
    /// The log of accepted records.
    pub log: LogConfig,
    /// The loop that decides.
    pub lane: LaneConfig,
    /// How long the past can be read.
    pub retention: RetentionConfig,
    /// Memory and files of the store.
    pub store: StoreConfig,
    /// Where copies of shards go.
    pub snapshots: SnapshotsConfig,
    /// What the process tells about itself.
    pub telemetry: TelemetryConfig,
    /// The brokers, and the topics there.
    pub kafka: KafkaConfig,
    #[serde(skip)]
    pub(super) sources: BTreeMap<String, Source>,
}

/// Everything that is wrong with the settings: one report for the file, one for each `--set`.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the configuration has {} error{}", self.count(), if self.count() == 1 { "" } else { "s" })]
pub struct ConfigError {
    /// At least one, each with findings.
    pub reports: Vec<FileReport>,
}

impl ConfigError {
    /// The code of the first finding.
    pub fn code(&self) -> &'static str {
        self.reports.iter().flat_map(|report| &report.diagnostics).next().map_or("HR0504", |finding| finding.code)
    }

    /// How many findings there are.
    pub fn count(&self) -> usize {
        self.reports.iter().map(|report| report.diagnostics.len()).sum()
    }
}

impl Default for Config {
    /// The embedded defaults.
    fn default() -> Self {
        Self::load(None, &[]).expect("the embedded defaults are valid")
    }
}

impl Config {
    /// The defaults, overlaid by a file, overlaid by `key=value` pairs of the command line, later ones above.
    /// Errors: all findings at once (HR0501 to HR0505), those in hidden values too.
    pub fn load(file: Option<&Path>, sets: &[String]) -> Result<Self, ConfigError> {
        let file = file.map(read_file);
        Self::from_layers(file, sets)
    }

    /// As [`Config::load`], with a file's text at hand; `name` is what findings call it.
    pub fn parse(name: &str, text: &str, sets: &[String]) -> Result<Self, ConfigError> {
        Self::from_layers(Some(Layer::parse(name, text)), sets)
    }

    /// How the stores of all shards are opened. Every call makes new memory for them to share: call it once, and clone.
    pub fn store_options(&self) -> StoreOptions {
        self.store.options(self.log.durability)
    }

    /// As [`Self::store_options`], where the journal on Kafka is the truth and a store that is behind it is brought up:
    /// no write waits for a disk.
    pub fn store_options_on_kafka(&self) -> StoreOptions {
        self.store.options(Durability::Process)
    }

    fn from_layers(file: Option<Layer>, sets: &[String]) -> Result<Self, ConfigError> {
        let defaults = Layer::parse("default.toml", DEFAULT_CONFIG);
        let sets: Vec<Layer> = sets.iter().map(|pair| Layer::set(pair, &defaults)).collect();
        let layers = std::iter::once(defaults).chain(file).chain(sets).collect();
        let mut reader = Reader { layers, read: Vec::new() };
        reader.unknown();
        let config = Self::read(&mut reader);
        conflicts(&config, &mut reader);
        config.kafka.conflicts(&mut reader);
        config.snapshots.conflicts(&mut reader);
        let reports: Vec<FileReport> = reader.layers.into_iter().filter_map(report).collect();
        if reports.is_empty() { Ok(config) } else { Err(ConfigError { reports }) }
    }

    fn read(from: &mut Reader) -> Self {
        let config = Self {
            node: NodeConfig::read(from),
            rules: RulesConfig::read(from),
            http: HttpConfig::read(from),
            log: LogConfig::read(from),
            lane: LaneConfig::read(from),
            retention: RetentionConfig::read(from),
            store: StoreConfig::read(from),
            snapshots: SnapshotsConfig::read(from),
            telemetry: TelemetryConfig::read(from),
            kafka: KafkaConfig::read(from),
            sources: BTreeMap::new(),
        };
        let sources = from.read.iter().map(|key| (key.clone(), from.source(key))).collect();
        Self { sources, ..config }
    }
}

fn read_file(path: &Path) -> Layer {
    let name = path.display().to_string();
    match read_text(path) {
        Ok(text) => Layer::parse(name, text),
        Err(why) => {
            let message = format!("cannot read `{name}`: {why}");
            Layer::unreadable(name, message)
        }
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err("it has more than 1 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

fn report(mut layer: Layer) -> Option<FileReport> {
    layer.findings.sort_by_key(|finding: &Diagnostic| finding.span);
    let some = !layer.findings.is_empty();
    some.then_some(FileReport { path: layer.name, text: layer.text, diagnostics: layer.findings })
}

/// Settings that are good each, but not together.
fn conflicts(config: &Config, reader: &mut Reader) {
    let Config { node, http, log, store, .. } = config;
    if !http.listen.ip().is_loopback() && !http.allow_unauthenticated_remote {
        let message = format!("`http.listen` is `{}`, beyond loopback, and nobody is asked who they are", http.listen);
        let help =
            "listen on 127.0.0.1 behind a proxy that authenticates, or set `http.allow_unauthenticated_remote = true`";
        reader.conflict(&["http.listen", "http.allow_unauthenticated_remote"], message, help);
    }
    if node.lanes > node.lane_count() {
        let message = format!("`node.lanes` is {}, more than `node.shards`, which is {}", node.lanes, node.shards);
        reader.conflict(
            &["node.lanes", "node.shards"],
            message,
            "a lane without a shard does nothing: write 0, or at most one a shard",
        );
    }
    if log.group_records > log.queue_records {
        let (group, queue) = (log.group_records, log.queue_records);
        let message = format!("`log.group_records` is {group}, more than `log.queue_records`, which is {queue}");
        let help = "a sync covers records of the queue only: lower the first or raise the second";
        reader.conflict(&["log.group_records", "log.queue_records"], message, help);
    }
    if store.write_buffer > store.write_buffers {
        let message = "`store.write_buffer` is larger than `store.write_buffers`".to_owned();
        let help = "one buffer must fit into the bytes for all of them";
        reader.conflict(&["store.write_buffer", "store.write_buffers"], message, help);
    }
}
