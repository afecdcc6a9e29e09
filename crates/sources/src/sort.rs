//! Sorting more than fits in memory: sorted runs in temporary files, then a merge.

use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::SourceError;

/// Runs that one merge reads at a time: bounds open files, and their buffers to a few megabytes.
const FAN_IN_MAX: usize = 64;
const BUFFER_BYTES: usize = 1 << 16;

/// Collects records, each a key and a payload, and gives them back by key (compared as bytes; equal keys in the order
/// they came in). Beyond `bytes_max` of records it spills to a folder that is removed with the sorter or its result.
pub(crate) struct Sorter {
    bytes_max: usize,
    temporary: PathBuf,
    folder: Option<TempDir>,
    arena: Vec<u8>,
    entries: Vec<Entry>,
    runs: Vec<PathBuf>,
    runs_made: u64,
}

/// Where a record lies in the arena: key, then payload.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    start: usize,
    key: usize,
    payload: usize,
}

impl Entry {
    fn key(self, arena: &[u8]) -> &[u8] {
        &arena[self.start..self.start + self.key]
    }

    fn payload(self, arena: &[u8]) -> &[u8] {
        &arena[self.start + self.key..][..self.payload]
    }
}

impl Sorter {
    /// `temporary`: where a folder is made once it is needed.
    pub(crate) fn new(bytes_max: usize, temporary: &Path) -> Sorter {
        let temporary = temporary.to_owned();
        Sorter {
            bytes_max,
            temporary,
            folder: None,
            arena: Vec::new(),
            entries: Vec::new(),
            runs: Vec::new(),
            runs_made: 0,
        }
    }

    pub(crate) fn push(&mut self, key: &[u8], payload: &[u8]) -> Result<(), SourceError> {
        let start = self.arena.len();
        self.arena.extend_from_slice(key);
        self.arena.extend_from_slice(payload);
        self.entries.push(Entry { start, key: key.len(), payload: payload.len() });
        if self.arena.len() + self.entries.len() * size_of::<Entry>() > self.bytes_max {
            self.spill()?;
        }
        Ok(())
    }

    /// Runs spilled so far, merged ones included.
    #[cfg(test)]
    fn runs_made(&self) -> u64 {
        self.runs_made
    }

    pub(crate) fn finish(mut self) -> Result<Sorted, SourceError> {
        if self.runs.is_empty() {
            self.sort();
            return Ok(Sorted::Memory { arena: self.arena, entries: self.entries.into_iter() });
        }
        self.spill()?;
        self.arena = Vec::new();
        self.entries = Vec::new();
        let merge = Merge::open(&self.runs).map_err(SourceError::reading(&self.temporary))?;
        Ok(Sorted::Files { merge, folder: self.folder.expect("made for the first run") })
    }

    fn sort(&mut self) {
        let arena = &self.arena;
        self.entries.sort_by(|left, right| left.key(arena).cmp(right.key(arena)));
    }

    fn spill(&mut self) -> Result<(), SourceError> {
        self.sort();
        let path = self.next_run()?;
        self.write_run(&path).map_err(SourceError::writing(&path))?;
        self.runs.push(path);
        self.arena.clear();
        self.entries.clear();
        if self.runs.len() >= FAN_IN_MAX { self.merge_runs() } else { Ok(()) }
    }

    fn write_run(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
        for entry in &self.entries {
            write_record(&mut file, entry.key(&self.arena), entry.payload(&self.arena))?;
        }
        file.flush()
    }

    /// All runs become one, in the place of the oldest.
    fn merge_runs(&mut self) -> Result<(), SourceError> {
        let path = self.next_run()?;
        let merged = merge_into(&self.runs, &path);
        merged.map_err(SourceError::writing(&path))?;
        self.runs = vec![path];
        Ok(())
    }

    fn next_run(&mut self) -> Result<PathBuf, SourceError> {
        if self.folder.is_none() {
            let folder = tempfile::Builder::new().prefix("headroom-sort-").tempdir_in(&self.temporary);
            self.folder = Some(folder.map_err(SourceError::writing(&self.temporary))?);
        }
        let folder = self.folder.as_ref().expect("just made");
        self.runs_made += 1;
        Ok(folder.path().join(self.runs_made.to_string()))
    }
}

fn merge_into(runs: &[PathBuf], path: &Path) -> io::Result<()> {
    let mut merge = Merge::open(runs)?;
    let mut file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
    while let Some(record) = merge.next()? {
        write_record(&mut file, &record.key, &record.payload)?;
    }
    file.flush()?;
    runs.iter().try_for_each(std::fs::remove_file)
}

fn write_record(file: &mut impl Write, key: &[u8], payload: &[u8]) -> io::Result<()> {
    for part in [key, payload] {
        let length = u32::try_from(part.len()).map_err(io::Error::other)?;
        file.write_all(&length.to_le_bytes())?;
    }
    file.write_all(key)?;
    file.write_all(payload)
}

/// A key and a payload.
pub(crate) type Record<'a> = (&'a [u8], &'a [u8]);

/// Records in order of their keys.
pub(crate) enum Sorted {
    /// They fitted.
    Memory { arena: Vec<u8>, entries: std::vec::IntoIter<Entry> },
    /// They did not.
    Files { merge: Merge, folder: TempDir },
}

impl Sorted {
    /// The next record.
    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, SourceError> {
        match self {
            Sorted::Memory { arena, entries } => {
                Ok(entries.next().map(|entry| (entry.key(arena), entry.payload(arena))))
            }
            Sorted::Files { merge, folder } => {
                let record = merge.next().map_err(SourceError::reading(folder.path()))?;
                Ok(record.map(|record| (&record.key[..], &record.payload[..])))
            }
        }
    }
}

/// The heads of all runs, smallest on top.
pub(crate) struct Merge {
    runs: Vec<BufReader<File>>,
    heads: BinaryHeap<Head>,
    current: Option<Head>,
}

/// Ordered by key, then run; the other way round, because the heap gives its largest.
pub(crate) struct Head {
    key: Vec<u8>,
    payload: Vec<u8>,
    run: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Head) -> std::cmp::Ordering {
        (&other.key, other.run).cmp(&(&self.key, self.run))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

impl Merge {
    fn open(paths: &[PathBuf]) -> io::Result<Merge> {
        let open = |path: &PathBuf| File::open(path).map(|file| BufReader::with_capacity(BUFFER_BYTES, file));
        let runs = paths.iter().map(open).collect::<io::Result<Vec<_>>>()?;
        let mut merge = Merge { runs, heads: BinaryHeap::new(), current: None };
        for run in 0..merge.runs.len() {
            merge.refill(Head { key: Vec::new(), payload: Vec::new(), run })?;
        }
        Ok(merge)
    }

    fn next(&mut self) -> io::Result<Option<&Head>> {
        if let Some(used) = self.current.take() {
            self.refill(used)?;
        }
        self.current = self.heads.pop();
        Ok(self.current.as_ref())
    }

    /// Puts the next record of `head`'s run on the heap, in its memory.
    fn refill(&mut self, mut head: Head) -> io::Result<()> {
        let run = &mut self.runs[head.run];
        let mut lengths = [0; 8];
        match run.read_exact(&mut lengths) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            other => other?,
        }
        let length = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| lengths[at + byte])) as usize;
        head.key.resize(length(0), 0);
        head.payload.resize(length(4), 0);
        run.read_exact(&mut head.key)?;
        run.read_exact(&mut head.payload)?;
        self.heads.push(head);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A permutation of 0..len.
    fn shuffled(len: u32) -> impl Iterator<Item = u32> {
        (0..len).map(move |number| (number * 7919 + 13) % len)
    }

    type Records = Vec<(Vec<u8>, Vec<u8>)>;

    fn drain(mut sorted: Sorted) -> Records {
        let mut records = Vec::new();
        while let Some((key, payload)) = sorted.next().unwrap() {
            records.push((key.to_vec(), payload.to_vec()));
        }
        records
    }

    /// Sorts 5000 records with keys of which many are equal.
    fn sorted(bytes_max: usize, folder: &Path) -> (Records, u64) {
        let mut sorter = Sorter::new(bytes_max, folder);
        for number in shuffled(5000) {
            sorter.push(&(number / 3).to_be_bytes(), &number.to_be_bytes()).unwrap();
        }
        let runs = sorter.runs_made();
        (drain(sorter.finish().unwrap()), runs)
    }

    #[test]
    fn spilling_changes_nothing_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (in_memory, no_runs) = sorted(1 << 20, folder.path());
        assert_eq!((in_memory.len(), no_runs), (5000, 0));
        assert!(in_memory.is_sorted_by_key(|(key, _)| key.clone()));
        for bytes_max in [10_000, 1_000] {
            let (spilled, runs) = sorted(bytes_max, folder.path());
            assert!(runs > 10, "{runs} runs of {bytes_max} bytes");
            assert_eq!(spilled, in_memory);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn more_runs_than_one_merge_reads_are_merged_in_steps() {
        let folder = tempfile::tempdir().unwrap();
        let (_, runs) = sorted(100, folder.path());
        assert!(runs > FAN_IN_MAX as u64 * 2);
        assert_eq!(sorted(100, folder.path()).0, sorted(1 << 20, folder.path()).0);
    }

    #[test]
    fn nothing_sorts_to_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(drain(Sorter::new(0, folder.path()).finish().unwrap()).is_empty());
    }
}
