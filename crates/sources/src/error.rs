//! What goes wrong between a file and its events.

use std::io;
use std::path::Path;

/// A file that cannot be read or written, or a mapping that is wrong. Rows and records that are merely bad are no
/// errors: rows are refused with a reason, records are handed on as they are.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The operating system, or a compressed stream that is cut short or corrupt.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried: "read", "write".
        action: &'static str,
        /// The file.
        path: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The name of an event file says how it is encoded; this one does not.
    #[error("`{path}` is no event file: its name ends in .ndjson, .jsonl, .json or .pb, then perhaps .gz or .zst")]
    UnknownFormat {
        /// The file.
        path: String,
    },
    /// The frames of a `.pb` file cannot be told apart from here on.
    #[error("`{path}` record {index}: {detail}")]
    Frame {
        /// The file.
        path: String,
        /// Records before it.
        index: u64,
        /// What was found.
        detail: String,
    },
    /// An output file is shorter than the part of it that must be kept.
    #[error("`{path}` has {found} bytes, {expected} were written")]
    TooShort {
        /// The file.
        path: String,
        /// Its length in bytes.
        found: u64,
        /// The length in bytes to which it was to be cut back.
        expected: u64,
    },
    /// A message that has no form in the file's encoding.
    #[error("cannot write to `{path}`: {detail}")]
    Encode {
        /// The file.
        path: String,
        /// What is wrong with the message.
        detail: String,
    },
    /// A mapping file that is wrong.
    #[error("mapping `{path}`{}: {message}", at_line(*line))]
    Mapping {
        /// The file.
        path: String,
        /// Line from 1; 0 if it concerns the file as a whole.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// An input that is not what its mapping says: a missing column, a broken header.
    #[error("`{path}` does not fit its mapping: {message}")]
    Input {
        /// The file.
        path: String,
        /// What is wrong.
        message: String,
    },
}

fn at_line(line: u64) -> String {
    if line == 0 { String::new() } else { format!(" line {line}") }
}

impl SourceError {
    /// For `map_err`: reading `path` failed.
    pub(crate) fn reading(path: &Path) -> impl FnOnce(io::Error) -> SourceError {
        let path = path.display().to_string();
        move |source| SourceError::Io { action: "read", path, source }
    }

    /// For `map_err`: writing `path` failed.
    pub(crate) fn writing(path: &Path) -> impl FnOnce(io::Error) -> SourceError {
        let path = path.display().to_string();
        move |source| SourceError::Io { action: "write", path, source }
    }
}
