//! The settings. What each is for stands in `default.toml`; its range stands here.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use headroom_store::{Durability, SharedMemory, StoreOptions};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::layer::Raw;
use super::reader::{Flaw, Reader};
use super::{as_text, names};

/// `[node]`: what this process is, and where its data lies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NodeConfig {
    /// The data directory.
    pub data_dir: PathBuf,
    /// Shards, at least one; fixed when the directory is made.
    pub shards: u32,
    /// Threads that decide; 0: as many as cores ([`NodeConfig::lane_count`]).
    pub lanes: usize,
    /// The node's name; empty: made at the first start.
    pub instance: String,
}

/// `[rules]`: which rules decide.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RulesConfig {
    /// A ruleset's directory; empty: the ruleset in the store, else the built-in one.
    pub dir: PathBuf,
}

/// `[http]`: the HTTP interface.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HttpConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether `listen` may lie beyond loopback.
    pub allow_unauthenticated_remote: bool,
    /// Bytes of a request's body, at most.
    #[serde(serialize_with = "as_text::size")]
    pub body_max: usize,
    /// Records in a request, at most.
    pub records_per_request_max: usize,
    /// Connections open at once, at most.
    pub connections_max: usize,
    /// Time for a request's head to arrive.
    #[serde(serialize_with = "as_text::duration")]
    pub header_timeout: Duration,
    /// Time for a request's body to arrive.
    #[serde(serialize_with = "as_text::duration")]
    pub body_timeout: Duration,
    /// Longest time that a request may wait for decisions or news; may be zero.
    #[serde(serialize_with = "as_text::duration")]
    pub wait_max: Duration,
    /// Entries on a page, at most.
    pub page_max: usize,
    /// Bytes read ahead for one reader of a stream.
    #[serde(serialize_with = "as_text::size")]
    pub stream_buffer: usize,
    /// Reads of the store at once, at most.
    pub blocking_reads_max: usize,
}

/// `[log]`: the log of accepted records.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LogConfig {
    /// When a commit is durable (PROTOCOL P27).
    #[serde(serialize_with = "as_text::durability")]
    pub durability: Durability,
    /// Whose time a record has.
    pub time: LogTime,
    /// Records that wait to be decided, in each shard, at most.
    pub queue_records: usize,
    /// Their bytes, in each shard, at most.
    #[serde(serialize_with = "as_text::size")]
    pub queue_bytes: usize,
    /// What a refused append is told to wait; at least a second.
    #[serde(serialize_with = "as_text::duration")]
    pub retry_after: Duration,
    /// Records that one sync may cover, at most.
    pub group_records: usize,
}

/// Whose time a record has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogTime {
    /// The server's, when it takes the record.
    Append,
    /// The record's own `recorded_at`; the clock never ticks.
    Recorded,
}

/// `[lane]`: the loop that decides.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LaneConfig {
    /// Records decided in a round, at most.
    pub batch_records: usize,
    /// How often an idle shard looks at the clock.
    #[serde(serialize_with = "as_text::duration")]
    pub tick: Duration,
    /// Timers fired in a round, at most.
    pub timers_max: usize,
}

/// `[retention]`: how long the past can be read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RetentionConfig {
    /// Age by the shard's clock beyond which journal, log and outputs are trimmed.
    #[serde(serialize_with = "as_text::duration")]
    pub keep: Duration,
    /// How often to look for what to trim.
    #[serde(serialize_with = "as_text::duration")]
    pub trim_every: Duration,
}

/// `[store]`: memory and files of the store.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StoreConfig {
    /// Bytes of blocks read from disk, for all shards.
    #[serde(serialize_with = "as_text::size")]
    pub block_cache: usize,
    /// Bytes written but not yet in files, for all shards.
    #[serde(serialize_with = "as_text::size")]
    pub write_buffers: usize,
    /// Decoded accounts kept by each shard, at most.
    pub accounts_cached: usize,
    /// Their bytes, for each shard, at most.
    #[serde(serialize_with = "as_text::size")]
    pub account_bytes_cached: usize,
    /// Event ids kept in memory by each shard, at most.
    pub seen_cached: usize,
    /// Bytes of one write buffer.
    #[serde(serialize_with = "as_text::size")]
    pub write_buffer: usize,
    /// Open files of each shard, at most.
    pub files_max: i32,
}

/// `[telemetry]`: what the process tells about itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TelemetryConfig {
    /// Levels by module, in env-filter syntax.
    pub log: String,
    /// The form of log lines.
    pub format: LogFormat,
    /// Whether log lines name lane and round.
    pub spans: bool,
    /// Where spans go over OTLP/HTTP; empty: nowhere.
    pub otlp_endpoint: String,
    /// `service.name` of those spans.
    pub otlp_service_name: String,
    /// How many of a hundred rounds are sent.
    pub otlp_sample_percent: u8,
}

/// The form of log lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

impl NodeConfig {
    /// Threads to start: `lanes`, or as many as cores; at least one, at most one a shard.
    pub fn lane_count(&self) -> usize {
        self.lane_count_of(self.shards)
    }

    /// As [`Self::lane_count`], for so many shards.
    pub fn lane_count_of(&self, shards: u32) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
        let wanted = if self.lanes == 0 { cores() } else { self.lanes };
        wanted.clamp(1, usize::try_from(shards).unwrap_or(usize::MAX).max(1))
    }

    pub(super) fn read(from: &mut Reader) -> Self {
        Self {
            data_dir: from.get("node.data_dir", |raw| match raw {
                Raw::Text(path) if !path.is_empty() => Ok(path.into()),
                other => Err(Flaw::form("node.data_dir", "a path", other, "name a directory, in quotes")),
            }),
            shards: from.number("node.shards", 1..=1024),
            lanes: from.number("node.lanes", 0..=1024),
            instance: from.get("node.instance", names::instance),
        }
    }
}

impl RulesConfig {
    pub(super) fn read(from: &mut Reader) -> Self {
        Self { dir: from.text("rules.dir").into() }
    }
}

impl HttpConfig {
    pub(super) fn read(from: &mut Reader) -> Self {
        Self {
            listen: from.address("http.listen"),
            allow_unauthenticated_remote: from.flag("http.allow_unauthenticated_remote"),
            body_max: from.size("http.body_max", "1KiB", "1GiB"),
            records_per_request_max: from.number("http.records_per_request_max", 1..=1_000_000),
            connections_max: from.number("http.connections_max", 1..=65_536),
            header_timeout: from.duration("http.header_timeout", "100ms", "10m"),
            body_timeout: from.duration("http.body_timeout", "100ms", "1h"),
            wait_max: from.duration("http.wait_max", "0s", "10m"),
            page_max: from.number("http.page_max", 1..=100_000),
            stream_buffer: from.size("http.stream_buffer", "4KiB", "1GiB"),
            blocking_reads_max: from.number("http.blocking_reads_max", 1..=512),
        }
    }
}

impl LogConfig {
    pub(super) fn read(from: &mut Reader) -> Self {
        let durabilities = [("fsync", Durability::Fsync), ("process", Durability::Process)];
        Self {
            durability: from.word("log.durability", &durabilities),
            time: from.word("log.time", &[("append", LogTime::Append), ("recorded", LogTime::Recorded)]),
            queue_records: from.number("log.queue_records", 1..=10_000_000),
            queue_bytes: from.size("log.queue_bytes", "64KiB", "16GiB"),
            retry_after: from.duration("log.retry_after", "1s", "1h"),
            group_records: from.number("log.group_records", 1..=1_000_000),
        }
    }
}

impl LaneConfig {
    pub(super) fn read(from: &mut Reader) -> Self {
        Self {
            batch_records: from.number("lane.batch_records", 1..=1_000_000),
            tick: from.duration("lane.tick", "10ms", "1h"),
            timers_max: from.number("lane.timers_max", 1..=1_000_000),
        }
    }
}

impl RetentionConfig {
    pub(super) fn read(from: &mut Reader) -> Self {
        Self {
            keep: from.duration("retention.keep", "1m", "3650d"),
            trim_every: from.duration("retention.trim_every", "1s", "1d"),
        }
    }
}

impl StoreConfig {
    /// How a shard's store is opened. Every call makes memory of its own: call it once, and clone for each shard.
    pub(super) fn options(&self, durability: Durability) -> StoreOptions {
        StoreOptions {
            durability,
            memory: SharedMemory::new(self.block_cache, self.write_buffers),
            accounts_cached_max: self.accounts_cached,
            account_bytes_cached_max: self.account_bytes_cached,
            seen_cached_max: self.seen_cached,
            write_buffer_bytes: self.write_buffer,
            files_max: self.files_max,
        }
    }

    pub(super) fn read(from: &mut Reader) -> Self {
        Self {
            block_cache: from.size("store.block_cache", "1MiB", "1TiB"),
            write_buffers: from.size("store.write_buffers", "1MiB", "1TiB"),
            accounts_cached: from.number("store.accounts_cached", 1..=1_000_000_000),
            account_bytes_cached: from.size("store.account_bytes_cached", "1MiB", "1TiB"),
            seen_cached: from.number("store.seen_cached", 0..=1_000_000_000),
            write_buffer: from.size("store.write_buffer", "1MiB", "4GiB"),
            files_max: from.number("store.files_max", 16..=1_000_000),
        }
    }
}

impl TelemetryConfig {
    pub(super) fn read(from: &mut Reader) -> Self {
        Self {
            log: from.get("telemetry.log", |raw| match raw {
                Raw::Text(text) if EnvFilter::try_new(text).is_ok() => Ok(text.clone()),
                other => {
                    let help = "write levels by module, like `\"info,headroom_node=debug\"`";
                    Err(Flaw::form("telemetry.log", "a filter of log lines", other, help))
                }
            }),
            format: from.word("telemetry.format", &[("text", LogFormat::Text), ("json", LogFormat::Json)]),
            spans: from.flag("telemetry.spans"),
            otlp_endpoint: from
                .get("telemetry.otlp_endpoint", |raw| names::web_address("telemetry.otlp_endpoint", raw)),
            otlp_service_name: from.text("telemetry.otlp_service_name"),
            otlp_sample_percent: from.number("telemetry.otlp_sample_percent", 0..=100),
        }
    }
}
