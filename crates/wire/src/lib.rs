//! Bytes to engine types and back: protobuf, its JSON mapping, and the stored forms. Pure.
//!
//! The contract is `proto/headroom/v1`; [`proto`] is generated from it.

mod account_event;
mod around;
mod broadcast_event;
mod check;
mod delimited;
mod error;
mod event;
mod journal;
mod journal_topic;
mod json;
mod output;
mod record;
mod schema;
mod stack;
mod stored;
mod timestamp;
mod topic_event;
mod topic_output;
mod value_format;

pub mod proto;
pub use timestamp::Timestamp;

pub use json::{event_from_json, event_to_json, output_from_json, output_to_json};

pub use delimited::{
    MESSAGE_BYTES_MAX, Split, event_from_protobuf, event_to_delimited, event_to_protobuf, output_from_protobuf,
    output_to_delimited, output_to_protobuf, split_delimited,
};
pub use error::{DecodeError, EncodeError};

pub use event::{event_from_proto, record_time};
pub use output::{Names, output_to_proto};
pub use record::{Decoded, decode_event, decode_json, decode_protobuf};

pub use around::letter_headers;
pub use schema::json_schemas;
pub use topic_event::{BodyKind, EventHeaders, TopicRecord, event_from_topic, event_to_topic};
pub use topic_output::{dead_letter_from_topic, output_to_topic};
pub use value_format::ValueFormat;

pub use stored::{
    LogRecord, StoredError, decode_account, decode_log_record, decode_ruleset, decode_state, encode_account,
    encode_log_record, encode_ruleset, encode_state,
};

pub use journal::{Journal, JournalInput, JournalOutputs, JournalWriter, decode_journal, encode_journal};
pub use journal_topic::{
    JournalGenesis, JournalPart, JournalTopicRecord, PART_BYTES_MAX, decode_journal_topic, encode_journal_topic,
    journal_parts,
};
