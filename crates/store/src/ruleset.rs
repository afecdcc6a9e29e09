//! Rulesets, kept whole: every ruleset that ever was in force can be read again (PROTOCOL P24).

use std::collections::BTreeMap;

use headroom_wire::proto::{RulesetPublished, ruleset_published::File};
use prost::Message;

use crate::{StoreError, codec};

/// The files of a ruleset.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ruleset {
    /// Its content hash as outputs name it: SHA-256, hex.
    pub hash: String,
    /// Text by relative path with forward slashes.
    pub files: BTreeMap<String, String>,
}

impl Ruleset {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let file = |(path, content): (&String, &String)| File { path: path.clone(), content: content.clone() };
        let files = self.files.iter().map(file).collect();
        let message = RulesetPublished { content_hash: self.hash.clone(), files };
        codec::versioned(&message.encode_to_vec())
    }

    pub(crate) fn decode(value: &[u8]) -> Result<Self, StoreError> {
        let message = RulesetPublished::decode(codec::unversioned(value)?)
            .map_err(|error| StoreError::corrupt(format!("a ruleset cannot be read: {error}")))?;
        let files = message.files.into_iter().map(|file| (file.path, file.content)).collect();
        Ok(Self { hash: message.content_hash, files })
    }
}
