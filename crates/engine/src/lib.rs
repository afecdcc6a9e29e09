//! The credit-limit domain: events in, limit changes out. Pure: no clock, no randomness, no disk, no sockets.
#![deny(clippy::float_arithmetic)]

mod account;
mod around;
mod booking;
mod broadcast;
mod context;
mod decision;
mod event;
mod features;
mod ids;
mod output;
mod refusal;
mod ruleset;
mod shard;
mod stack;
mod step;
mod sweep;
mod time;
mod timer;
mod trigger;
mod vocabulary;
mod windows;

pub use account::*;
pub use around::{AROUND_BYTES_MAX, Around};
pub use broadcast::{Broadcast, Broadcasts, Moment, NEAR, Promotion};
pub use context::Context;
pub use decision::{
    Asked, GUARD_NAMES, NOTICE_TEXTS, Outcome, Tally, Trigger, decide, decide_watched, feature_now, notice_texts,
};
pub use event::*;
pub use features::{
    BUILT_IN_FACTS, EventFacts, FactDef, FactType, Feature, FeatureType, GROUPS, Suspect, View, catalogue,
};
pub use headroom_policy::Verdict;
pub use ids::{CauseKey, event_key, fact_key, name_key, output_id};
pub use output::*;
pub use refusal::{Refusal, RefusalCode};
pub use ruleset::*;
pub use shard::{Cancelled, Commit, Published, Record, SeenKey, ShardState, Totals};
pub use stack::*;
pub use step::{Batch, step, timers_step};
pub use sweep::{Rows, SWEEP_ROWS_PER_RECORD, SWEEP_ROWS_PER_TICK, Sweep, calls_for_sweep, concerned};
pub use time::{DAY, HOUR, MINUTE, Timestamp, Zone, month_of_day};
pub use timer::{Timer, TimerKind};
pub use trigger::{On, TriggerKind};
pub use vocabulary::*;
pub use windows::{DayBucket, HourBucket, MonthBucket, Windows};
