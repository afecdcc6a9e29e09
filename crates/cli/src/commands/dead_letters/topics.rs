//! Dead letters' originals into the topics that they came from.

use anyhow::Result;
use headroom_node::kafka::{Sender, letter_to_send};
use headroom_node::{KafkaConfig, KafkaProfile};
use headroom_wire::proto::DeadLetter;

use crate::kafka::{coded, sender};

use super::letter::is_replayable;
use super::replay::{Replayed, cut};

/// Topics that originals are sent to.
pub struct Topics<'a> {
    sender: Sender,
    config: &'a KafkaConfig,
    /// Records get the time that they had; else the time at which they are sent.
    own_time: bool,
}

impl<'a> Topics<'a> {
    /// Connects. In production the broker stamps, whatever is asked for.
    pub fn connect(config: &'a KafkaConfig, own_time: bool) -> Result<Self> {
        let own_time = own_time && config.profile == KafkaProfile::Development;
        Ok(Self { sender: sender(config)?, config, own_time })
    }

    /// Sends it on its way.
    pub fn replay(&self, letter: DeadLetter) -> Result<Replayed> {
        if !letter.original_sha256.is_empty() {
            return Ok(cut(letter));
        }
        let whole = is_replayable(&letter).then(|| letter_to_send(&letter, self.config)).flatten();
        let Some(outgoing) = whole else {
            let detail = "it has no value, or did not come through one of these topics in their format".to_owned();
            return Ok(Replayed { detail, ..Replayed::of(letter, "not replayable") });
        };
        let time = letter.at.and_then(headroom_wire::Timestamp::to_millis).filter(|_| self.own_time);
        self.sender.send(&outgoing, time).map_err(coded)?;
        Ok(Replayed::of(letter, "sent"))
    }

    /// Waits until all are delivered.
    pub fn finish(self) -> Result<()> {
        self.sender.finish().map_err(coded)?;
        Ok(())
    }
}
