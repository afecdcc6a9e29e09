//! Bytes to engine types and back: protobuf, its JSON mapping, and the stored forms. Pure.
//!
//! The contract is `proto/headroom/v1`; [`proto`] is generated from it.

mod delimited;
mod error;
mod json;
mod timestamp;

pub mod proto;

pub use delimited::{
    MESSAGE_BYTES_MAX, event_from_protobuf, event_to_delimited, output_from_protobuf, output_to_delimited,
    split_delimited,
};
pub use error::{DecodeError, EncodeError};
pub use json::{event_from_json, event_to_json, output_from_json, output_to_json};
pub use timestamp::Timestamp;
