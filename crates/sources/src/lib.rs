//! sources

mod generate;

pub use generate::{GenerateSummary, SeasonPlan, generate};
