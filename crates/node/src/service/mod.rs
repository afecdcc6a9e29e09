//! The embedded service: shards in one process, without a broker. Requests append to a shard's log; its lane decides;
//! readers see what is durable.

mod admission;
mod bell;
mod data_dir;
mod embedded;
mod lane_loop;
mod lane_thread;
mod log;
mod partition;
mod replay;
mod round;
mod shard;
mod ticket;
mod what_if;

pub use admission::Admission;
pub use bell::Bell;
pub use data_dir::{DataDir, DataDirLock, Instance};
pub use embedded::{AppendError, Elsewhere, RawEvent, Service, Verdict, Wait};
pub use lane_loop::{Log, Ticker, run as run_lane};
pub use lane_thread::announce;
pub use log::LOG_INPUT;
pub use partition::shard_of;
pub use replay::{ReplayDifference, ReplayProgress, replay_journal};
pub use shard::{Shard, ShardReport, ShardStatus};
pub use what_if::{WhatIf, WhatIfError};
