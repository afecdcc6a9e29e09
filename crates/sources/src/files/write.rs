use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use headroom_wire::{event_to_delimited, event_to_json, proto};

use super::format::{Compression, Encoding, FileFormat};
use crate::SourceError;

const BUFFER_BYTES: usize = 1 << 18;
/// Between speed and size; level 3 is zstd's own default.
const ZSTD_LEVEL: i32 = 3;

/// What [`EventWriter::finish`] made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Events in the file.
    pub events: u64,
    /// Bytes of the file as stored.
    pub bytes: u64,
}

/// Writes an event file. It appears under its name when it is complete; until then it stands beside it with `.tmp`
/// added, and is removed if the writer is dropped unfinished. The same events give the same bytes.
pub struct EventWriter {
    path: PathBuf,
    temporary: PathBuf,
    sink: Option<Sink>,
    encoding: Encoding,
    events: u64,
    record: Vec<u8>,
}

impl EventWriter {
    /// Starts a file; its name says how it is encoded and compressed. A file of that name is replaced at the end.
    ///
    /// # Errors
    /// [`SourceError::UnknownFormat`], or the file cannot be created.
    pub fn create(path: &Path) -> Result<EventWriter, SourceError> {
        let format = FileFormat::of(path)?;
        let temporary = temporary_of(path);
        let sink = File::create(&temporary).and_then(|file| Sink::new(file, format.compression));
        let sink = Some(sink.map_err(SourceError::writing(&temporary))?);
        let (path, encoding) = (path.to_owned(), format.encoding);
        Ok(EventWriter { path, temporary, sink, encoding, events: 0, record: Vec::new() })
    }

    /// Adds one event.
    ///
    /// # Errors
    /// The event has no JSON form, or the file cannot be written.
    pub fn write(&mut self, event: &proto::Event) -> Result<(), SourceError> {
        self.record.clear();
        match self.encoding {
            Encoding::Protobuf => event_to_delimited(event, &mut self.record),
            Encoding::Json => {
                let path = &self.path;
                let no_form = |detail| SourceError::Encode { path: path.display().to_string(), detail };
                event_to_json(event, &mut self.record).map_err(|error| no_form(error.detail))?;
                self.record.push(b'\n');
            }
        }
        self.events += 1;
        let sink = self.sink.as_mut().expect("there until `finish`");
        sink.write_all(&self.record).map_err(SourceError::writing(&self.temporary))
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// The file cannot be written or renamed; then it does not appear.
    pub fn finish(mut self) -> Result<Written, SourceError> {
        let sink = self.sink.take().expect("there until `finish`");
        let bytes = sink.finish().map_err(SourceError::writing(&self.temporary))?;
        fs::rename(&self.temporary, &self.path).map_err(SourceError::writing(&self.path))?;
        self.temporary = PathBuf::new();
        Ok(Written { events: self.events, bytes })
    }
}

impl Drop for EventWriter {
    fn drop(&mut self) {
        if !self.temporary.as_os_str().is_empty() {
            drop(self.sink.take());
            // Nobody is left to hear of a file that cannot be removed; its name says what it is.
            drop(fs::remove_file(&self.temporary));
        }
    }
}

fn temporary_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".tmp");
    PathBuf::from(name)
}

enum Sink {
    Plain(BufWriter<File>),
    Gzip(GzEncoder<BufWriter<File>>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Sink {
    fn new(file: File, compression: Compression) -> io::Result<Sink> {
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(match compression {
            Compression::Plain => Sink::Plain(file),
            Compression::Gzip => Sink::Gzip(GzEncoder::new(file, flate2::Compression::default())),
            Compression::Zstd => Sink::Zstd(zstd::Encoder::new(file, ZSTD_LEVEL)?),
        })
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Sink::Plain(file) => file.write_all(bytes),
            Sink::Gzip(encoder) => encoder.write_all(bytes),
            Sink::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    fn finish(self) -> io::Result<u64> {
        let buffered = match self {
            Sink::Plain(file) => file,
            Sink::Gzip(encoder) => encoder.finish()?,
            Sink::Zstd(encoder) => encoder.finish()?,
        };
        let file = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(file.metadata()?.len())
    }
}
