//! Merging event files by record time (PROTOCOL P1): each file is one partition in its own order; ties go by kind rank,
//! then content hash, then line.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use headroom_engine::{Position, Record, Timestamp};
use headroom_sources::{EventReader, SourceError, content_hash};

use crate::decode::{decode, latest_record_time};

/// One file being read.
struct Input {
    reader: EventReader,
    hash: Arc<str>,
    /// Which of several files with equal content.
    copy: u32,
    /// The timestamp of the record before: an unreadable one takes it.
    last: Timestamp,
    latest: Timestamp,
    head: Option<(Record, u8)>,
}

/// Several files as one stream in merged order.
pub struct Merge {
    inputs: Vec<Input>,
    bytes_total: u64,
}

impl Merge {
    /// Opens files; `from` says how many records of a file (by content hash and copy) were consumed before.
    pub fn open(paths: &[PathBuf], from: impl Fn(&str, u32) -> u64) -> Result<Self, SourceError> {
        let mut hashed = Vec::new();
        for path in paths {
            hashed.push((content_hash(path)?, path));
        }
        hashed.sort();
        let latest = latest_record_time();
        let mut merge = Self { inputs: Vec::new(), bytes_total: 0 };
        for (at, (hash, path)) in hashed.iter().enumerate() {
            let copy = hashed[..at].iter().filter(|(each, _)| each == hash).count();
            let copy = u32::try_from(copy).unwrap_or(u32::MAX);
            merge.add(path, hash, (copy, from(hash, copy)), latest)?;
        }
        Ok(merge)
    }

    fn add(&mut self, path: &Path, hash: &str, (copy, from): (u32, u64), latest: Timestamp) -> Result<(), SourceError> {
        let reader = EventReader::open(path)?;
        self.bytes_total += reader.bytes_total();
        let mut input = Input { reader, hash: Arc::from(hash), copy, last: Timestamp::default(), latest, head: None };
        input.advance(from)?;
        self.inputs.push(input);
        Ok(())
    }

    /// Bytes of all files.
    pub fn bytes_total(&self) -> u64 {
        self.bytes_total
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.inputs.iter().map(|each| each.reader.bytes_read()).sum()
    }

    /// The next record in merged order.
    pub fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        let first = match self.inputs.as_slice() {
            [_] => Some(0),
            inputs => {
                let heads = inputs.iter().enumerate().filter(|(_, each)| each.head.is_some());
                heads.min_by(|(_, left), (_, right)| left.order().cmp(&right.order())).map(|(at, _)| at)
            }
        };
        let Some(input) = first.map(|at| &mut self.inputs[at]) else { return Ok(None) };
        let head = input.head.take();
        input.advance(0)?;
        Ok(head.map(|(record, _)| record))
    }
}

impl Input {
    fn order(&self) -> (Timestamp, u8, &str, u32) {
        let (at, rank) = self.head.as_ref().map_or((self.last, 0), |(record, rank)| (record.timestamp, *rank));
        (at, rank, &self.hash, self.copy)
    }

    /// Reads the next head, passing over records that were consumed before (indices below `from`).
    fn advance(&mut self, from: u64) -> Result<(), SourceError> {
        loop {
            let Some(raw) = self.reader.read()? else {
                self.head = None;
                return Ok(());
            };
            let skipped = raw.index < from;
            let position = Position { input: Arc::clone(&self.hash), partition: self.copy, offset: raw.index };
            let record = decode(&raw, position, self.last, self.latest);
            self.last = record.timestamp;
            if !skipped {
                let rank = record.event.as_ref().map_or(0, |event| event.body.rank());
                self.head = Some((record, rank));
                return Ok(());
            }
        }
    }
}
