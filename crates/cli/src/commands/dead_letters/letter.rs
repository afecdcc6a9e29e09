//! One dead letter, and which of them are meant.

use anyhow::{Result, anyhow};
use clap::Args;
use headroom_node::view::{Item, instant};
use headroom_sources::Encoding;
use headroom_wire::proto::DeadLetter;
use headroom_wire::{BodyKind, EventHeaders, ValueFormat, event_from_topic, event_to_protobuf, letter_headers};

/// Which dead letters; all conditions have to hold.
#[derive(Args)]
pub struct Selection {
    /// Only those with this code
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
    /// Only those of this account
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// Only the one that stood here, as `list` names it
    #[arg(long, value_name = "INPUT:PARTITION:OFFSET")]
    pub id: Option<String>,
}

impl Selection {
    /// Nothing was selected.
    pub fn is_empty(&self) -> bool {
        self.code.is_none() && self.account.is_none() && self.id.is_none()
    }

    /// Whether a letter is meant.
    pub fn takes(&self, letter: &DeadLetter) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        is(&self.code, &letter.code) && is(&self.account, &letter.account_id) && is(&self.id, &id(letter))
    }
}

/// Where it stood: its name among dead letters.
pub fn id(letter: &DeadLetter) -> String {
    format!("{}:{}:{}", letter.input, letter.partition, letter.offset)
}

/// Whether its original is whole.
pub fn is_replayable(letter: &DeadLetter) -> bool {
    letter.original_sha256.is_empty() && !letter.original.is_empty()
}

/// The event as an embedded service takes it, and how it is encoded. What came through a topic as a CloudEvent has its
/// envelope around it: it is put together again.
pub fn whole_event(letter: &DeadLetter) -> Result<(Encoding, Vec<u8>)> {
    let headers = letter_headers(letter);
    let headers = EventHeaders::of(headers.iter().map(|(name, value)| (name.as_str(), Some(value.as_slice()))));
    match (ValueFormat::of_name(&letter.encoding), headers.is_cloud_event()) {
        (Some(ValueFormat::Json), false) => Ok((Encoding::Json, letter.original.clone())),
        (Some(ValueFormat::Protobuf) | None, false) => Ok((Encoding::Protobuf, letter.original.clone())),
        (format, _) => {
            let format = format.unwrap_or(ValueFormat::Protobuf);
            let event = event_from_topic(format, &headers, &letter.original);
            let mut event = event.map_err(|refusal| anyhow!("`{}`: {}", id(letter), refusal.detail))?;
            let names_account = BodyKind::of(&event).is_some_and(|kind| !kind.is_broadcast());
            let key = letter.key.as_deref().filter(|_| names_account && headers.is_cloud_event());
            if let Some(key) = key {
                event.account_id = String::from_utf8_lossy(key).into_owned();
            }
            Ok((Encoding::Protobuf, event_to_protobuf(&event)))
        }
    }
}

/// As a line of a list.
pub fn row(letter: &DeadLetter) -> Item {
    Item::fields([
        ("time", time(letter)),
        ("code", letter.code.as_str().into()),
        ("account", some(&letter.account_id)),
        ("detail", letter.detail.as_str().into()),
        ("id", id(letter).into()),
        ("replayable", is_replayable(letter).into()),
    ])
}

/// With everything; the original as text where it is one.
pub fn item(letter: &DeadLetter) -> Item {
    let Item::Fields(mut parts) = row(letter) else { return Item::Null };
    let original = std::str::from_utf8(&letter.original).ok().filter(|_| letter.encoding == "json");
    let more = [
        ("encoding", letter.encoding.as_str().into()),
        ("original_bytes", letter.original.len().into()),
        ("original", original.into()),
        ("original_sha256", some(&letter.original_sha256)),
    ];
    parts.extend(more.map(|(name, item)| (name.to_owned(), item)));
    Item::Fields(parts)
}

fn time(letter: &DeadLetter) -> Item {
    let millis = letter.at.and_then(headroom_wire::Timestamp::to_millis);
    millis.map_or(Item::Null, |millis| instant(headroom_engine::Timestamp(millis)))
}

fn some(text: &str) -> Item {
    Some(text).filter(|text| !text.is_empty()).into()
}
