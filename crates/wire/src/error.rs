//! What goes wrong between bytes and messages.

use headroom_engine::{Refusal, RefusalCode};

/// Bytes that are not the message they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", code.code())]
pub struct DecodeError {
    /// `UNPARSEABLE` or `TOO_LARGE`.
    pub code: RefusalCode,
    /// What is wrong and where, for a person: the path of the field, what was found, what is expected.
    pub detail: String,
}

impl DecodeError {
    /// The bytes do not parse.
    pub(crate) fn unparseable(detail: impl Into<String>) -> DecodeError {
        DecodeError { code: RefusalCode::Unparseable, detail: detail.into() }
    }

    /// The message is larger than [`crate::MESSAGE_BYTES_MAX`].
    pub(crate) fn too_large(length: u64) -> DecodeError {
        let detail = format!("message of {length} bytes, at most {} are taken", crate::MESSAGE_BYTES_MAX);
        DecodeError { code: RefusalCode::TooLarge, detail }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Refusal {
        Refusal { code: error.code, detail: error.detail }
    }
}

/// A message that has no JSON form: an enum number that this build does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no JSON form: {detail}")]
pub struct EncodeError {
    /// What is wrong, for a person.
    pub detail: String,
}
