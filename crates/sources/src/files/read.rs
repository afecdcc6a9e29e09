use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use headroom_wire::MESSAGE_BYTES_MAX;
use sha2::{Digest, Sha256};

use super::format::{Encoding, FileFormat};
use super::hash::hex;
use super::stream::{Counted, open};
use crate::SourceError;

/// A varint of 64 bits has at most ten bytes.
const PREFIX_BYTES_MAX: u32 = 10;

/// One record of an event file, not yet decoded: what is wrong with it is for the reader of `bytes` to say.
#[derive(Debug, PartialEq, Eq)]
pub struct RawRecord<'a> {
    /// Line of an NDJSON file, with empty lines counted, or record of a `.pb` file; from 0.
    pub index: u64,
    /// The line without its end, or the message without its length.
    pub bytes: &'a [u8],
    /// How `bytes` are to be read.
    pub encoding: Encoding,
    /// Set if the line was too long to keep: then `bytes` are only its beginning.
    pub cut: Option<Cut>,
}

/// A line above [`MESSAGE_BYTES_MAX`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Bytes of the whole line, without its line feed.
    pub length: u64,
    /// SHA-256 of the whole line without its line feed, lower-case hex.
    pub sha256: String,
}

/// Reads an event file record by record, in constant memory.
pub struct EventReader {
    path: PathBuf,
    input: Counted,
    encoding: Encoding,
    /// Index of the next record.
    index: u64,
    record: Vec<u8>,
}

impl EventReader {
    /// Opens an event file; its name says how it is encoded and compressed.
    ///
    /// # Errors
    /// [`SourceError::UnknownFormat`], or the file cannot be opened.
    pub fn open(path: &Path) -> Result<EventReader, SourceError> {
        let encoding = FileFormat::of(path)?.encoding;
        let input = open(path)?;
        Ok(EventReader { path: path.to_owned(), input, encoding, index: 0, record: Vec::new() })
    }

    /// The next record; `None` at the end. A last line needs no line end; `\r\n` ends a line too; empty lines are
    /// passed over but counted in [`RawRecord::index`].
    ///
    /// # Errors
    /// The file cannot be read, a compressed stream or a last `.pb` record is cut short, or a `.pb` length is no varint
    /// or above [`MESSAGE_BYTES_MAX`]. After an error nothing more can be read.
    pub fn read(&mut self) -> Result<Option<RawRecord<'_>>, SourceError> {
        match self.encoding {
            Encoding::Json => self.read_line(),
            Encoding::Protobuf => self.read_frame(),
        }
    }

    /// Stored (compressed) bytes read so far, ahead of the records by what is buffered.
    pub fn bytes_read(&self) -> u64 {
        self.input.bytes_read()
    }

    /// Stored bytes of the file.
    pub fn bytes_total(&self) -> u64 {
        self.input.bytes_total
    }

    fn read_line(&mut self) -> Result<Option<RawRecord<'_>>, SourceError> {
        loop {
            let line = next_line(&mut self.input.reader, &mut self.record).map_err(SourceError::reading(&self.path))?;
            let Some(cut) = line else { return Ok(None) };
            let index = self.index;
            self.index += 1;
            if cut.is_none() && self.record.last() == Some(&b'\r') {
                self.record.pop();
            }
            if !self.record.is_empty() {
                return Ok(Some(RawRecord { index, bytes: &self.record, encoding: Encoding::Json, cut }));
            }
        }
    }

    fn read_frame(&mut self) -> Result<Option<RawRecord<'_>>, SourceError> {
        let Some(length) = self.frame_length()? else { return Ok(None) };
        self.record.resize(length, 0);
        if let Err(error) = self.input.reader.read_exact(&mut self.record) {
            return Err(self.broken(error));
        }
        let index = self.index;
        self.index += 1;
        Ok(Some(RawRecord { index, bytes: &self.record, encoding: Encoding::Protobuf, cut: None }))
    }

    /// The next record's length; `None` at the end of the file.
    fn frame_length(&mut self) -> Result<Option<usize>, SourceError> {
        let mut length = 0_u64;
        for place in 0..PREFIX_BYTES_MAX {
            let byte = match next_byte(&mut self.input.reader) {
                Ok(Some(byte)) => byte,
                Ok(None) if place == 0 => return Ok(None),
                Ok(None) => return Err(self.broken(io::ErrorKind::UnexpectedEof.into())),
                Err(error) => return Err(self.broken(error)),
            };
            length |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return self.bounded(length).map(Some);
            }
        }
        Err(self.frame_error("its length is no varint".into()))
    }

    fn bounded(&self, length: u64) -> Result<usize, SourceError> {
        let bounded = usize::try_from(length).ok().filter(|length| *length <= MESSAGE_BYTES_MAX);
        bounded.ok_or_else(|| self.frame_error(format!("{length} bytes, at most {MESSAGE_BYTES_MAX} are taken")))
    }

    fn broken(&self, error: io::Error) -> SourceError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.frame_error("the file ends within it".into()),
            _ => SourceError::reading(&self.path)(error),
        }
    }

    fn frame_error(&self, detail: String) -> SourceError {
        SourceError::Frame { path: self.path.display().to_string(), index: self.index, detail }
    }
}

fn next_byte(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    let byte = reader.fill_buf()?.first().copied();
    reader.consume(usize::from(byte.is_some()));
    Ok(byte)
}

/// Fills `line` with the next line, without its line feed and at most [`MESSAGE_BYTES_MAX`] of it.
/// `None` at the end of the input, else whether the line was cut.
fn next_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<Option<Cut>>> {
    line.clear();
    let with_line_feed = MESSAGE_BYTES_MAX as u64 + 1;
    if reader.take(with_line_feed).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    if line.len() <= MESSAGE_BYTES_MAX {
        return Ok(Some(None));
    }
    let cut = rest_of_line(reader, LongLine::starting(line))?;
    line.truncate(MESSAGE_BYTES_MAX);
    Ok(Some(Some(cut)))
}

/// Passes over a line from where it is too long, up to and with its line feed.
fn rest_of_line(reader: &mut impl BufRead, mut long: LongLine) -> io::Result<Cut> {
    loop {
        let buffered = reader.fill_buf()?;
        let end = buffered.iter().position(|byte| *byte == b'\n');
        let part = &buffered[..end.unwrap_or(buffered.len())];
        long.add(part);
        let used = part.len() + usize::from(end.is_some());
        let ended = end.is_some() || used == 0;
        reader.consume(used);
        if ended {
            return Ok(long.cut());
        }
    }
}

/// Of a line that is not kept: its length and hash so far.
struct LongLine {
    length: u64,
    hasher: Sha256,
}

impl LongLine {
    fn starting(line: &[u8]) -> LongLine {
        let mut long = LongLine { length: 0, hasher: Sha256::new() };
        long.add(line);
        long
    }

    fn add(&mut self, part: &[u8]) {
        self.length += part.len() as u64;
        self.hasher.update(part);
    }

    fn cut(self) -> Cut {
        Cut { length: self.length, sha256: hex(self.hasher) }
    }
}
