//! The `--out` file: cut back to what the data directory knows, and written anew from it where it is missing.

use std::fs;
use std::path::{Path, PathBuf};

use headroom_engine::Output;
use headroom_sources::OutputWriter;
use headroom_store::{Reader, fault};
use headroom_wire::{Names, proto};

use crate::error::RunError;

/// Outputs read from the store at a time.
const CHUNK: usize = 1_000;

/// Where outputs go beside the store.
pub struct Out {
    path: PathBuf,
    writer: OutputWriter,
}

impl Out {
    /// Opens the file at the length that the last commit recorded (PROTOCOL P28). A file that is shorter, or another
    /// one, is written anew from the stored outputs.
    pub fn open(path: &Path, reader: &Reader) -> Result<Self, RunError> {
        let length = reader.out_len()?;
        let present = fs::metadata(path).map(|each| each.len()).unwrap_or(0);
        let same = reader.out_path()?.as_deref() == Some(&*path.to_string_lossy());
        if same && present >= length {
            let writer = OutputWriter::open_at(path, length)?;
            fault::point("out.cut_back");
            return Ok(Self { path: path.to_owned(), writer });
        }
        let start = reader.outputs_start()?;
        if start > 0 {
            return Err(RunError::OutTrimmed { path: path.to_owned(), start });
        }
        let mut out = Self { path: path.to_owned(), writer: OutputWriter::open_at(path, 0)? };
        out.rewrite(reader)?;
        fault::point("out.rewritten");
        Ok(out)
    }

    fn rewrite(&mut self, reader: &Reader) -> Result<(), RunError> {
        let mut from = 0;
        loop {
            let chunk = reader.outputs_from(from, CHUNK)?;
            let Some((last, _)) = chunk.last() else { break };
            from = last + 1;
            for (_, bytes) in &chunk {
                let output = headroom_wire::output_from_protobuf(bytes)
                    .map_err(|error| RunError::StoredOutput(error.to_string()))?;
                self.writer.write(&output)?;
            }
        }
        self.writer.sync()?;
        Ok(())
    }

    /// Appends outputs; gives the file's length with them.
    pub fn write(&mut self, outputs: &[proto::Output]) -> Result<u64, RunError> {
        for output in outputs {
            self.writer.write(output)?;
        }
        let length = self.writer.flush()?;
        fault::point("out.written");
        Ok(length)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Outputs as published messages.
pub fn publish(outputs: &[Output], names: Names<'_>) -> Vec<proto::Output> {
    outputs.iter().map(|each| headroom_wire::output_to_proto(each, names)).collect()
}
