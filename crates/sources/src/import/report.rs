use std::collections::BTreeMap;
use std::path::PathBuf;

/// How an import may use the machine.
#[derive(Debug, Clone)]
pub struct ImportSettings {
    /// Bytes of records that sorting keeps in memory before it spills to files; the process takes up to about twice
    /// this. It changes nothing in the result.
    pub sort_bytes_max: usize,
    /// Where a temporary folder is made when sorting spills.
    pub temporary: PathBuf,
}

impl Default for ImportSettings {
    /// 64 MiB, in the system's temporary folder.
    fn default() -> ImportSettings {
        ImportSettings { sort_bytes_max: 64 << 20, temporary: std::env::temp_dir() }
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// Rows read.
    pub rows: u64,
    /// Events written.
    pub events: u64,
    /// Stored bytes of the input that were read.
    pub bytes_read: u64,
    /// Stored bytes of the input.
    pub bytes_total: u64,
}

/// The two halves of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Rows become events.
    Reading,
    /// Events are written in the order of time.
    Writing,
}

/// What an import did. `rows` = `rows_used` + the sum of `refused`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows of the set, without its header.
    pub rows: u64,
    /// Rows that are part of an event.
    pub rows_used: u64,
    /// Events by type, for example `order_placed`.
    pub events: BTreeMap<String, u64>,
    /// Rows by the reason why they are part of no event: the mapping's own, or `BAD_ROW` (no text, or not as many cells
    /// as the header), `BAD_VALUE` (a cell does not fit its column), `NOT_COMPUTABLE` (an expression failed), `BAD_EVENT`
    /// (an id or a field that the contract does not allow), `NO_EVENT` (no `emit` wanted it).
    pub refused: BTreeMap<String, u64>,
    /// For each reason the first row that it met.
    pub first_refused: BTreeMap<String, FirstRefusal>,
}

/// The first row that was refused for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstRefusal {
    /// The row, from 1, the header not counted.
    pub row: u64,
    /// What was found; empty where the reason says it all.
    pub detail: String,
}

impl ImportReport {
    /// Counts `rows` rows, of which `row` is the first.
    pub(super) fn refuse(&mut self, refusal: Refused, row: u64, rows: u64) {
        let Refused { reason, detail } = refusal;
        let first =
            self.first_refused.entry(reason.clone()).or_insert_with(|| FirstRefusal { row, detail: detail.clone() });
        if row < first.row {
            *first = FirstRefusal { row, detail };
        }
        *self.refused.entry(reason).or_default() += rows;
    }
}

/// Why a row is part of no event.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) reason: String,
    pub(super) detail: String,
}

impl Refused {
    pub(super) fn new(reason: &str, detail: impl Into<String>) -> Refused {
        Refused { reason: reason.to_owned(), detail: detail.into() }
    }

    /// For `map_err`: an expression failed.
    pub(super) fn not_computable(detail: String) -> Refused {
        Refused::new("NOT_COMPUTABLE", detail)
    }

    /// For `map_err`: the contract does not allow the event.
    pub(super) fn bad_event(detail: String) -> Refused {
        Refused::new("BAD_EVENT", detail)
    }
}
