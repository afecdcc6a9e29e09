//! The service's settings: one TOML file over embedded defaults, read with all errors at once.

mod as_text;
mod effective;
mod kafka;
mod layer;
mod load;
mod names;
mod page;
mod reader;
mod snapshots;
mod source;
#[cfg(test)]
mod tests;
mod types;
mod units;

pub use effective::{Setting, SettingValue};
pub use kafka::{GroupProtocol, KafkaConfig, KafkaFormats, KafkaProfile, SaslMechanism, SecurityProtocol};
pub use load::{Config, ConfigError, DEFAULT_CONFIG};
pub use page::configuration_page;
pub use snapshots::SnapshotsConfig;
pub use source::Source;
pub use types::{
    HttpConfig, LaneConfig, LogConfig, LogFormat, LogTime, NodeConfig, RetentionConfig, RulesConfig, StoreConfig,
    TelemetryConfig,
};
