//! What a run did, day by day, for people to look at: collected while it runs.

mod collect;
mod types;

pub use collect::{Collector, day_of};
pub use types::{Exposure, REPORT_FORMAT, ReportDay, ReportRound, ReportRule, RunReport};
