//! `headroom snapshot list`: what there is, newest first.

use anyhow::Result;
use clap::Args;
use headroom_node::snapshot::Snapshot;
use headroom_node::view::Item;
use jiff::Timestamp;

use super::place::Place;
use crate::failure::{Status, of_snapshot};
use crate::output::Output;

/// Of where.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    place: Place,
    /// Of this shard only
    #[arg(long, value_name = "N")]
    shard: Option<u32>,
}

impl Command {
    /// Does it. Findings are snapshots that cannot be read.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let opened = self.place.for_old(output)?;
        let shards = match self.shard {
            Some(shard) => vec![shard],
            None => opened.snapshots.shards().map_err(of_snapshot)?,
        };
        let mut found = Vec::new();
        for shard in shards {
            found.extend(opened.snapshots.list(shard).map_err(of_snapshot)?);
        }
        opened.bar.finish_and_clear();
        output.print(&Item::fields([("snapshots", Item::List(found.iter().map(row).collect()))]))?;
        let unreadable: Vec<_> = found.iter().filter_map(|each| each.manifest.as_ref().err()).collect();
        unreadable.iter().for_each(|error| eprintln!("{}: {error}", error.code()));
        Ok(if unreadable.is_empty() { Status::Done } else { Status::Findings })
    }
}

fn row(snapshot: &Snapshot) -> Item {
    let manifest = snapshot.manifest.as_ref().ok();
    Item::fields([
        ("shard", snapshot.shard.into()),
        ("journal_seq", snapshot.journal_seq.into()),
        ("taken_at", manifest.and_then(|each| time(each.created_at)).into()),
        ("clock", manifest.and_then(|each| time(each.now)).into()),
        ("files", manifest.map(|each| each.files.len()).into()),
        ("bytes", manifest.map(|each| each.bytes()).into()),
        ("ruleset", manifest.map(|each| each.ruleset_hash.chars().take(12).collect::<String>()).into()),
    ])
}

fn time(ms: i64) -> Option<String> {
    Timestamp::from_millisecond(ms).ok().map(|time| time.to_string())
}
