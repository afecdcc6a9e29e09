use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::format::Compression;
use crate::SourceError;

/// One read call of a disk or a decompressor.
const BUFFER_BYTES: usize = 1 << 18;

/// An open file, decompressed by its name's last extension, with a count of stored bytes for progress.
pub(crate) struct Counted {
    /// The decompressed bytes.
    pub(crate) reader: BufReader<Box<dyn Read + Send>>,
    /// Stored bytes read so far.
    pub(crate) bytes_read: Arc<AtomicU64>,
    /// Stored bytes in all.
    pub(crate) bytes_total: u64,
}

impl Counted {
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }
}

/// Opens a plain, `.gz` or `.zst` file.
pub(crate) fn open(path: &Path) -> Result<Counted, SourceError> {
    open_stored(path).map_err(SourceError::reading(path))
}

fn open_stored(path: &Path) -> io::Result<Counted> {
    let file = File::open(path)?;
    let bytes_total = file.metadata()?.len();
    let bytes_read = Arc::new(AtomicU64::new(0));
    let stored = Counter { file, bytes_read: bytes_read.clone() };
    let reader: Box<dyn Read + Send> = match Compression::of(path).0 {
        Compression::Plain => Box::new(stored),
        Compression::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, stored))),
        Compression::Zstd => Box::new(zstd::Decoder::new(stored)?),
    };
    Ok(Counted { reader: BufReader::with_capacity(BUFFER_BYTES, reader), bytes_read, bytes_total })
}

struct Counter {
    file: File,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counter {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.bytes_read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}
