//! Event files and output files: NDJSON or length-delimited protobuf, plain or compressed.

mod format;
mod hash;
mod output;
mod read;
mod stream;
mod write;

pub use format::{Compression, Encoding, FileFormat};
pub use hash::content_hash;
pub use output::OutputWriter;
pub use read::{Cut, EventReader, RawRecord};
pub(crate) use stream::open;
pub use write::{EventWriter, Written};
