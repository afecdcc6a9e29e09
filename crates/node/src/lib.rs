//! The running shard: inputs are merged, stepped, committed; the same loop for files now and for logs later.

mod api_error;
mod config;
mod decode;
mod error;
mod host;
mod http;
pub mod kafka;
mod lane;
mod merge;
mod out;
mod report;
mod ruleset_event;
mod run;
mod service;
pub mod snapshot;
pub mod telemetry;
pub mod view;

pub use api_error::ErrorCode;
pub use config::{
    Config, ConfigError, DEFAULT_CONFIG, GroupProtocol, HttpConfig, KafkaConfig, KafkaFormats, KafkaProfile,
    LaneConfig, LogConfig, LogFormat, LogTime, NodeConfig, RetentionConfig, RulesConfig, SaslMechanism,
    SecurityProtocol, Setting, SettingValue, SnapshotsConfig, Source, StoreConfig, TelemetryConfig, configuration_page,
};
pub use error::RunError;
pub use host::{HostRules, host};
pub use http::{openapi, serve};
pub use lane::{
    Commits, Done, Lane, LaneOptions, LaneTimes, Piece, StagedPiece, Tell, decode_journal, input_digest, outputs_digest,
};
pub use merge::Merge;
pub use report::{Collector, Exposure, REPORT_FORMAT, ReportDay, ReportRound, ReportRule, RunReport};
pub use ruleset_event::ruleset_event;
pub use run::{RunOptions, RunProgress, RunSummary, run, run_reported};
pub use service::{
    AppendError, DataDir, Elsewhere, Instance, LOG_INPUT, RawEvent, ReplayDifference, ReplayProgress, Service,
    ShardReport, ShardStatus, Verdict, Wait, WhatIf, WhatIfError, replay_journal, shard_of,
};
