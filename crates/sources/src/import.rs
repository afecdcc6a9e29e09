//! Imports: a CSV set becomes an event file, by a mapping file and nothing else.

mod kind;
mod opening;
mod report;
mod row;
mod run;
mod table;

pub use report::{FirstRefusal, ImportReport, ImportSettings, Progress, Stage};
pub use run::import;
