//! The running shard: inputs are merged, stepped, committed; the same loop for files now and for logs later.

mod decode;
mod error;
mod lane;
mod merge;
mod out;
mod run;
pub mod view;

pub use error::RunError;
pub use lane::{Lane, LaneTimes};
pub use merge::Merge;
pub use run::{RunOptions, RunProgress, RunSummary, run};
