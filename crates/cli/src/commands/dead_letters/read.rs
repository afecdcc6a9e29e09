//! Dead letters from where they are kept, oldest first.

use std::path::Path;

use anyhow::{Context, Result};
use headroom_node::KafkaConfig;
use headroom_node::kafka::Audit;
use headroom_store::{OutputKind, Reader};
use headroom_wire::proto::output::Body;
use headroom_wire::proto::{DeadLetter, Output};
use headroom_wire::{output_from_json, output_from_protobuf};
use serde::Deserialize;
use serde_json::Value;

use crate::client::{Client, escaped};
use crate::data_dir;
use crate::kafka::coded;

/// Outputs, or dead letters of a service, that are read at a time.
const PAGE: usize = 1_000;

/// Hands over the dead letters of a data directory, shard by shard, until `take` has enough: then it gives false.
pub fn from_data_dir(dir: &Path, mut take: impl FnMut(DeadLetter) -> Result<bool>) -> Result<()> {
    for (_, reader) in data_dir::open(dir)? {
        if !from_reader(&reader, &mut take)? {
            break;
        }
    }
    Ok(())
}

/// Hands over those of one shard; false: `take` had enough.
pub fn from_reader(reader: &Reader, take: &mut impl FnMut(DeadLetter) -> Result<bool>) -> Result<bool> {
    let mut next = 0;
    loop {
        let page = reader.outputs_of_kind(OutputKind::DeadLetter, next, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(true) };
        next = last + 1;
        for (sequence, bytes) in &page {
            let output = output_from_protobuf(bytes).with_context(|| format!("output {sequence} cannot be read"))?;
            if let Some(Body::DeadLetter(letter)) = output.body
                && !take(letter)?
            {
                return Ok(false);
            }
        }
    }
}

/// Hands over those that the topic of dead letters holds, until `take` has enough: then it gives false.
pub fn from_topics(config: &KafkaConfig, mut take: impl FnMut(DeadLetter) -> Result<bool>) -> Result<()> {
    let mut audit = Audit::open(config).map_err(coded)?;
    let mut failure = None;
    let take = &mut |letter| {
        take(letter).unwrap_or_else(|error| {
            failure = Some(error);
            false
        })
    };
    audit.letters(take).map_err(coded)?;
    failure.map_or(Ok(()), Err)
}

/// One answer of a service.
#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    cursor: String,
    #[serde(default)]
    more: bool,
}

/// Hands over the dead letters of a running service until `take` has enough: then it gives false.
pub fn from_server(client: &Client, mut take: impl FnMut(DeadLetter) -> Result<bool>) -> Result<()> {
    let mut cursor = String::new();
    loop {
        let from = if cursor.is_empty() { String::new() } else { format!("&cursor={}", escaped(&cursor)) };
        let page: Page = client.get(&format!("/v1/dead-letters?limit={PAGE}{from}"))?;
        let more = page.more && page.cursor != cursor;
        for item in page.items {
            let output: Output = output_from_json(item.to_string().as_bytes()).context("the service's answer")?;
            if let Some(Body::DeadLetter(letter)) = output.body
                && !take(letter)?
            {
                return Ok(());
            }
        }
        if !more {
            return Ok(());
        }
        cursor = page.cursor;
    }
}
