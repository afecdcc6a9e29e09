//! The journal as topics hold it.

use anyhow::Result;
use headroom_node::kafka::{Audit, Finding, JournalAudit};
use headroom_node::view::Item;
use headroom_node::{ErrorCode, KafkaConfig};
use headroom_wire::Journal;

use crate::failure::Coded;
use crate::kafka::coded;
use crate::output::Output;
use crate::progress;

use super::hex;

/// The records of a shard from a sequence on, so many at most.
pub fn records(config: &KafkaConfig, shard: u32, from: u64, limit: usize) -> Result<Vec<Journal>> {
    let mut audit = Audit::open(config).map_err(coded)?;
    super::shard_in_range(shard, audit.shards())?;
    let mut records = Vec::new();
    let take = &mut |journal: Journal| {
        if journal.seq >= from && records.len() < limit {
            records.push(journal);
        }
        records.len() < limit
    };
    audit.journal(shard, from, take).map_err(coded)?;
    Ok(records)
}

/// Checks every shard. Errors: HR0521, HR0522, what the broker says.
pub fn verify(config: &KafkaConfig, output: &Output) -> Result<Item> {
    let mut audit = Audit::open(config).map_err(coded)?;
    let bar = progress::count(output).with_message("records");
    let mut shards = Vec::new();
    for shard in 0..audit.shards() {
        let found = audit.verify(shard, &mut || bar.inc(1)).map_err(coded)?;
        if let Some(finding) = found.finding {
            bar.finish_and_clear();
            return Err(refused(shard, &finding).into());
        }
        shards.push(item(shard, &found));
    }
    bar.finish_and_clear();
    Ok(Item::List(shards))
}

fn refused(shard: u32, Finding { seq, in_journal, detail }: &Finding) -> Coded {
    let code = if *in_journal { ErrorCode::JournalChainBroken } else { ErrorCode::JournalDisagrees };
    Coded { code: code.code(), message: format!("journal record {seq} of shard {shard}: {detail}") }
}

fn item(shard: u32, found: &JournalAudit) -> Item {
    Item::fields([
        ("shard", shard.into()),
        ("records", found.records.into()),
        ("first", found.range.map(|(first, _)| first).into()),
        ("last", found.range.map(|(_, last)| last).into()),
        ("outputs", found.outputs.into()),
        ("outputs_in_topics", found.outputs_in_topics.into()),
        ("digest", found.range.map(|_| hex(&found.digest)).into()),
    ])
}
