//! The credit-limit domain: events in, limit changes out. Pure: no clock, no randomness, no disk, no sockets.
#![deny(clippy::float_arithmetic)]

mod account;
mod broadcast;
mod event;
mod ids;
mod output;
mod refusal;
mod shard;
mod stack;
mod time;
mod timer;
mod vocabulary;
mod windows;

pub use account::*;
pub use broadcast::{Broadcast, Broadcasts, Moment, NEAR, Promotion};
pub use event::*;
pub use ids::{CauseKey, event_key, fact_key, name_key, output_id};
pub use output::*;
pub use refusal::{Refusal, RefusalCode};
pub use shard::{Commit, Record, SeenKey, ShardState, Totals};
pub use stack::*;
pub use time::{DAY, HOUR, MINUTE, Timestamp, Zone, month_of_day};
pub use timer::{Timer, TimerKind};
pub use vocabulary::*;
pub use windows::{DayBucket, HourBucket, MonthBucket, Windows};
