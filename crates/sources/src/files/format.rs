use std::path::Path;

use crate::SourceError;

/// How a record is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// One line of protobuf JSON: `.ndjson`, `.jsonl`, `.json`.
    Json,
    /// A protobuf message after its length as a varint: `.pb`.
    Protobuf,
}

impl Encoding {
    /// `json` or `protobuf`, as a dead letter names it.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Json => "json",
            Encoding::Protobuf => "protobuf",
        }
    }
}

/// How a whole file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    Plain,
    /// `.gz`; several members are read as one.
    Gzip,
    /// `.zst`; several frames are read as one.
    Zstd,
}

impl Compression {
    /// By the last extension; the rest of the name goes back with it.
    pub(crate) fn of(path: &Path) -> (Compression, &Path) {
        let stem = || path.file_stem().map_or(path, Path::new);
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => (Compression::Gzip, stem()),
            Some("zst") => (Compression::Zstd, stem()),
            _ => (Compression::Plain, path),
        }
    }
}

/// What the name of an event file says about its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFormat {
    /// How each record is encoded.
    pub encoding: Encoding,
    /// How the file is compressed.
    pub compression: Compression,
}

impl FileFormat {
    /// Reads the format off a name such as `events.ndjson.gz`.
    ///
    /// # Errors
    /// [`SourceError::UnknownFormat`] for any other ending.
    pub fn of(path: &Path) -> Result<FileFormat, SourceError> {
        let (compression, stem) = Compression::of(path);
        let encoding = match stem.extension().and_then(|extension| extension.to_str()) {
            Some("ndjson" | "jsonl" | "json") => Encoding::Json,
            Some("pb") => Encoding::Protobuf,
            _ => return Err(SourceError::UnknownFormat { path: path.display().to_string() }),
        };
        Ok(FileFormat { encoding, compression })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_encoding_and_compression() {
        let format = |name: &str| FileFormat::of(Path::new(name)).map(|format| (format.encoding, format.compression));
        assert_eq!(format("a.b.ndjson").unwrap(), (Encoding::Json, Compression::Plain));
        assert_eq!(format("dir.gz/a.pb.zst").unwrap(), (Encoding::Protobuf, Compression::Zstd));
        assert_eq!(format("a.jsonl.gz").unwrap(), (Encoding::Json, Compression::Gzip));
        for wrong in ["a.csv", "a.gz", "pb", "a.pb.gz.zst"] {
            assert!(format(wrong).unwrap_err().to_string().starts_with(&format!("`{wrong}` is no event file")));
        }
    }
}
