//! `headroom snapshot verify`: every file is fetched and compared with its hash.

use anyhow::Result;
use clap::Args;
use headroom_node::snapshot::{SnapshotError, Verified};
use headroom_node::view::Item;

use super::place::Place;
use crate::failure::{Coded, Status, of_snapshot};
use crate::output::Output;

/// Which, and how far.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    place: Place,
    /// Of this shard only
    #[arg(long, value_name = "N")]
    shard: Option<u32>,
    /// The snapshot with this journal sequence only
    #[arg(long, value_name = "SEQ")]
    journal_seq: Option<u64>,
    /// Restore each into a folder that goes away, open it, and print its state digest
    #[arg(long)]
    deep: bool,
}

impl Command {
    /// Does it. Errors: HR0704 if a snapshot is damaged, HR0703 if there is none.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let opened = self.place.for_old(output)?;
        let shards = match self.shard {
            Some(shard) => vec![shard],
            None => opened.snapshots.shards().map_err(of_snapshot)?,
        };
        let scratch = tempfile::tempdir()?;
        let folder = scratch.path().join("snapshot");
        let mut checked = Vec::new();
        for shard in shards {
            opened.bar.set_message(format!("shard {shard}"));
            let scratch = self.deep.then_some(&*folder);
            checked.extend(opened.snapshots.verify(shard, self.journal_seq, scratch).map_err(of_snapshot)?);
        }
        opened.bar.finish_and_clear();
        output.print(&Item::fields([("snapshots", Item::List(checked.iter().map(row).collect()))]))?;
        damage(&checked)
    }
}

fn row(checked: &Verified) -> Item {
    let manifest = checked.manifest.as_ref();
    Item::fields([
        ("shard", checked.shard.into()),
        ("journal_seq", checked.journal_seq.into()),
        ("bytes", manifest.ok().map(|each| each.bytes()).into()),
        ("whole", checked.manifest.is_ok().into()),
        ("problem", manifest.err().map(ToString::to_string).into()),
        ("state_digest", checked.state_digest.clone().into()),
    ])
}

fn damage(checked: &[Verified]) -> Result<Status> {
    let damaged: Vec<&SnapshotError> = checked.iter().filter_map(|each| each.manifest.as_ref().err()).collect();
    let Some(first) = damaged.first() else { return Ok(Status::Done) };
    let message = format!("{} of {} snapshots cannot be restored: {first}", damaged.len(), checked.len());
    Err(Coded { code: first.code(), message }.into())
}
