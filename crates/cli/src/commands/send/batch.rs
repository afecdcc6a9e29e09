//! The records of one request.

use std::time::Instant;

/// A request closes at so many bytes: well below what services take at a time.
pub const BYTES_MAX: usize = 1 << 20;

/// Where a record came from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The how manieth file.
    pub file: usize,
    /// Line or record within it, from 0.
    pub line: u64,
}

/// Records on their way, one after the other as the service reads them.
#[derive(Default)]
pub struct Batch {
    body: Vec<u8>,
    records: Vec<(usize, Origin)>,
    /// When its last record was due; `None`: as soon as the connection is free.
    pub due: Option<Instant>,
}

impl Batch {
    /// Adds a record, with its line end or length.
    pub fn add(&mut self, origin: Origin, bytes: &[u8]) {
        self.records.push((self.body.len(), origin));
        self.body.extend_from_slice(bytes);
    }

    /// How many records it has.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Nothing more should be added.
    pub fn is_full(&self, records_max: usize) -> bool {
        self.len() >= records_max || self.body.len() >= BYTES_MAX
    }

    /// From a record on.
    pub fn from(&self, record: usize) -> &[u8] {
        self.records.get(record).map_or(&[], |(start, _)| &self.body[*start..])
    }

    /// Where a record came from.
    pub fn origin(&self, record: usize) -> Option<Origin> {
        self.records.get(record).map(|(_, origin)| *origin)
    }
}
