//! Values back into the form in which they are written.

use std::time::Duration;

use headroom_store::Durability;
use serde::Serializer;

use super::units;

pub fn duration<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&units::duration_text(*value))
}

pub fn size<S: Serializer>(bytes: &usize, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&units::size_text(u64::try_from(*bytes).unwrap_or(u64::MAX)))
}

pub fn durability<S: Serializer>(value: &Durability, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match value {
        Durability::Fsync => "fsync",
        Durability::Process => "process",
    })
}
