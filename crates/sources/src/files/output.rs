use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use headroom_wire::{output_to_delimited, output_to_json, proto};

use super::format::{Compression, Encoding, FileFormat};
use crate::SourceError;

const BUFFER_BYTES: usize = 1 << 18;

/// Appends outputs to a plain NDJSON or `.pb` file that may be cut back to a known length, so that a run which was
/// stopped can go on without writing anything twice.
pub struct OutputWriter {
    path: PathBuf,
    file: BufWriter<File>,
    encoding: Encoding,
    length: u64,
    record: Vec<u8>,
}

impl OutputWriter {
    /// Opens the file, or makes it, and cuts it back to `length` bytes (0: starts it anew).
    ///
    /// # Errors
    /// [`SourceError::UnknownFormat`] (compressed names too: they cannot be cut back), [`SourceError::TooShort`] if less
    /// than `length` is there, or the file cannot be written.
    pub fn open_at(path: &Path, length: u64) -> Result<OutputWriter, SourceError> {
        let format = FileFormat::of(path)?;
        if format.compression != Compression::Plain {
            return Err(SourceError::UnknownFormat { path: path.display().to_string() });
        }
        let mut file = open_file(path, length)?;
        file.set_len(length).and_then(|()| file.seek(SeekFrom::Start(length))).map_err(SourceError::writing(path))?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(OutputWriter { path: path.to_owned(), file, encoding: format.encoding, length, record: Vec::new() })
    }

    /// Adds one output; it may stay in memory until [`OutputWriter::flush`].
    ///
    /// # Errors
    /// The output has no JSON form, or the file cannot be written.
    pub fn write(&mut self, output: &proto::Output) -> Result<(), SourceError> {
        self.record.clear();
        match self.encoding {
            Encoding::Protobuf => output_to_delimited(output, &mut self.record),
            Encoding::Json => {
                let path = self.path.display().to_string();
                let no_form = |detail| SourceError::Encode { path, detail };
                output_to_json(output, &mut self.record).map_err(|error| no_form(error.detail))?;
                self.record.push(b'\n');
            }
        }
        self.file.write_all(&self.record).map_err(SourceError::writing(&self.path))?;
        self.length += self.record.len() as u64;
        Ok(())
    }

    /// Hands everything to the operating system. Returns the file's length in bytes.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn flush(&mut self) -> Result<u64, SourceError> {
        self.file.flush().map_err(SourceError::writing(&self.path))?;
        Ok(self.length)
    }

    /// [`OutputWriter::flush`], and onto the disk.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn sync(&mut self) -> Result<u64, SourceError> {
        let length = self.flush()?;
        self.file.get_ref().sync_data().map_err(SourceError::writing(&self.path))?;
        Ok(length)
    }
}

fn open_file(path: &Path, length: u64) -> Result<File, SourceError> {
    let opened = OpenOptions::new().write(true).create(length == 0).truncate(false).open(path);
    let file = opened.map_err(SourceError::writing(path))?;
    let found = file.metadata().map_err(SourceError::reading(path))?.len();
    if found < length {
        return Err(SourceError::TooShort { path: path.display().to_string(), found, expected: length });
    }
    Ok(file)
}
