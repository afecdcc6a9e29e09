//! The running shard: inputs are merged, stepped, committed; the same loop for files now and for logs later.

mod api_error;
mod config;
mod decode;
mod error;
mod lane;
mod merge;
mod out;
mod run;
pub mod telemetry;
pub mod view;

pub use api_error::ErrorCode;
pub use config::{
    Config, ConfigError, DEFAULT_CONFIG, HttpConfig, LaneConfig, LogConfig, LogFormat, LogTime, NodeConfig,
    RetentionConfig, RulesConfig, Setting, SettingValue, Source, StoreConfig, TelemetryConfig, configuration_page,
};
pub use error::RunError;
pub use lane::{Lane, LaneTimes};
pub use merge::Merge;
pub use run::{RunOptions, RunProgress, RunSummary, run};
