//! What a test may choose about its broker.

use std::time::Duration;

/// How a broker is to run. The default suits tests.
#[derive(Debug, Clone)]
pub struct Options {
    /// Server properties beside those of `deploy/kafka-local/server.properties`; they win over these.
    pub properties: Vec<(String, String)>,
    /// Largest heap, MiB.
    pub heap_mb: u32,
    /// What Java's compiler is to favour.
    pub jvm: Jvm,
    /// How long a start may take.
    pub start_timeout: Duration,
}

/// What Java's compiler is to favour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jvm {
    /// A quick start and little CPU at it: the first compiler only. Half as fast under load.
    QuickStart,
    /// Throughput once it is warm: both compilers. For measurements.
    Throughput,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            properties: Vec::new(),
            heap_mb: 768,
            jvm: Jvm::QuickStart,
            // Seconds on an idle machine; a loaded one must not fail a test.
            start_timeout: Duration::from_mins(2),
        }
    }
}

impl Options {
    /// The same with one server property more, for example `log.message.timestamp.type`.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.properties.push((name.to_string(), value.to_string()));
        self
    }
}
