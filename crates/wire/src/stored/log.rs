//! A record of the embedded log. Written and read by hand: every event passes here twice.

use std::sync::Arc;

use headroom_engine::Timestamp;

use super::put::Put;
use super::take::{Content, Damage, Fields, Taken};
use super::{StoredError, VERSION, versioned};

const TIMESTAMP: u32 = 1;
const PROTOBUF: u32 = 2;
const REPLAYED: u32 = 3;
const BYTES: u32 = 4;

/// One record of the log that an embedded shard reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogRecord {
    /// When it was appended.
    pub timestamp: Timestamp,
    /// Of `bytes`: "json" or "protobuf".
    pub encoding: &'static str,
    /// An operator sent it again: it is never too old.
    pub replayed: bool,
    /// The event as it came.
    pub bytes: Arc<[u8]>,
}

/// Appends the stored form of a log record: a version byte, then a `StoredLogRecord`.
///
/// # Panics
/// If its encoding is neither "json" nor "protobuf".
pub fn encode_log_record(record: &LogRecord, out: &mut Vec<u8>) {
    assert!(matches!(record.encoding, "json" | "protobuf"), "`{}` is no encoding", record.encoding);
    out.reserve(record.bytes.len() + 24);
    out.push(VERSION);
    let mut put = Put::new(out);
    put.signed(TIMESTAMP, record.timestamp.0);
    put.unsigned(PROTOBUF, u64::from(record.encoding == "protobuf"));
    put.unsigned(REPLAYED, u64::from(record.replayed));
    put.bytes(BYTES, &record.bytes);
}

/// Reads the stored form of a log record.
///
/// # Errors
/// [`StoredError::Newer`] if a later build wrote it, [`StoredError::Damaged`] if it is no such value.
pub fn decode_log_record(stored: &[u8]) -> Result<LogRecord, StoredError> {
    let message = versioned(stored)?;
    read(message).map_err(|damage| StoredError::damaged(format!("log record: {damage}")))
}

fn read(message: &[u8]) -> Taken<LogRecord> {
    let mut record = LogRecord { timestamp: Timestamp(0), encoding: "json", replayed: false, bytes: Arc::default() };
    let mut fields = Fields::new(message);
    let mut last = 0;
    while let Some((field, content)) = fields.next()? {
        if field == last {
            return Err(Damage::Order);
        }
        last = field;
        set(&mut record, u32::try_from(field).map_err(|_| Damage::Field)?, content)?;
    }
    Ok(record)
}

fn set(record: &mut LogRecord, field: u32, content: Content<'_>) -> Taken<()> {
    match field {
        TIMESTAMP => record.timestamp = Timestamp(content.signed()?),
        PROTOBUF => record.encoding = if content.flag()? { "protobuf" } else { "json" },
        REPLAYED => record.replayed = content.flag()?,
        BYTES => record.bytes = content.bytes()?.into(),
        _ => return Err(Damage::Field),
    }
    Ok(())
}
