//! What the benchmarks share: a season in memory, and a shard without a store.

mod season;

pub use season::{Season, Shard};
