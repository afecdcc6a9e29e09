//! A real Kafka broker for tests: Kafka 4.1.0 from its published jars, one process that is its own controller.
//!
//! No Kafka client is here, only the life of the process: started, paused, killed and started again on the same folder
//! and port. It never outlives the test process, however that ends. `scripts/kafka-jars.sh` fetches what it needs.

mod broker;
mod kafka;
mod keeper;
mod options;
mod ports;
mod process;
mod settings;

pub use broker::Broker;
pub use kafka::{available, require};
pub use options::{Jvm, Options};
