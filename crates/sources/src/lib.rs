//! Files in and out: event files, output files, and imports of other sets by a mapping file.
//! The only crate that knows file formats.

mod error;
mod files;
mod generate;
mod import;
mod mapping;
mod ruleset_dir;
mod sort;

pub use error::SourceError;
pub use files::{
    Compression, Cut, Encoding, EventReader, EventWriter, FileFormat, OutputWriter, RawRecord, Written, content_hash,
};
pub use generate::{GenerateSummary, SeasonPlan, generate};
pub use import::{FirstRefusal, ImportReport, ImportSettings, Progress, Stage, import};
pub use mapping::{Attribution, Mapping, Precision};
pub use ruleset_dir::{read_rule_tests_dir, read_ruleset_dir};
