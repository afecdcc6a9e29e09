//! `headroom journal show`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use headroom_node::DataDir;
use headroom_node::view::{Item, instant, maybe};
use headroom_wire::{Journal, JournalInput};

use crate::data_dir;
use crate::failure::Status;
use crate::output::{Format, Output};
use crate::settings::Settings;

use super::{hex, kafka, page, shard_in_range};

/// Digests and names of inputs are told apart by so many characters.
const PREFIX_CHARS: usize = 12;

/// Which records.
#[derive(Args)]
pub struct Command {
    /// The data directory
    #[arg(long, value_name = "DIR", required_unless_present = "kafka", conflicts_with = "kafka")]
    data_dir: Option<PathBuf>,
    /// The journal topic of the settings instead
    #[arg(long)]
    kafka: bool,
    #[command(flatten)]
    settings: Settings,
    /// Of this shard
    #[arg(long, value_name = "N", default_value_t = 0)]
    shard: u32,
    /// From this sequence on
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    from: u64,
    /// So many at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let (trimmed_below, records) = match &self.data_dir {
            Some(dir) => self.stored(dir)?,
            None => (Item::Null, kafka::records(&self.settings.load()?.kafka, self.shard, self.from, self.limit)?),
        };
        let shown = if output.format == Format::Json { item } else { row };
        output.print(&Item::fields([
            ("trimmed_below", trimmed_below),
            ("records", Item::list(records.iter().map(shown))),
        ]))?;
        Ok(Status::Done)
    }

    fn stored(&self, dir: &Path) -> Result<(Item, Vec<Journal>)> {
        shard_in_range(self.shard, DataDir::find(dir)?.shards())?;
        let readers = data_dir::open(dir)?;
        let Some((_, reader)) = readers.iter().find(|(shard, _)| *shard == self.shard) else {
            bail!("shard {} is not in `{}`", self.shard, dir.display());
        };
        let records = page(reader, self.from, self.limit)?;
        Ok((reader.journal_start()?.into(), records.into_iter().map(|(_, journal)| journal).collect()))
    }
}

fn row(journal: &Journal) -> Item {
    let inputs = journal.inputs.iter().map(stretch).collect::<Vec<_>>().join(", ");
    Item::fields([
        ("seq", journal.seq.into()),
        ("now", instant(journal.now)),
        ("inputs", some(&inputs)),
        ("tick", maybe(journal.tick)),
        ("swept", journal.swept.into()),
        ("poisoned", (journal.poisoned.len() + journal.cancelled.len()).into()),
        ("outputs", journal.outputs.count.into()),
        ("ruleset", prefix(&journal.ruleset_hash).into()),
        ("digest", prefix(&hex(&journal.digest)).into()),
    ])
}

fn stretch(input: &JournalInput) -> String {
    format!("{}:{} {}–{}", prefix(&input.input), input.partition, input.from, input.to.saturating_sub(1))
}

fn prefix(text: &str) -> &str {
    text.char_indices().nth(PREFIX_CHARS).map_or(text, |(at, _)| &text[..at])
}

fn item(journal: &Journal) -> Item {
    let inputs = journal.inputs.iter().map(|each| {
        Item::fields([
            ("input", each.input.as_str().into()),
            ("partition", each.partition.into()),
            ("from", each.from.into()),
            ("to", each.to.into()),
            ("count", each.count.into()),
        ])
    });
    let poisoned = journal.poisoned.iter().map(|each| format!("{}:{}:{}", each.input, each.partition, each.offset));
    let outputs = &journal.outputs;
    Item::fields([
        ("seq", journal.seq.into()),
        ("now", instant(journal.now)),
        ("instance", some(&journal.writer.instance)),
        ("incarnation", journal.writer.incarnation.into()),
        ("level", journal.level.into()),
        ("logic_version", journal.logic_version.into()),
        ("config_hash", some(&journal.config_hash)),
        ("ruleset_hash", some(&journal.ruleset_hash)),
        ("ruleset_seeded", journal.ruleset_seeded.into()),
        ("inputs", Item::list(inputs)),
        ("input_digest", hex(&journal.input_digest).into()),
        ("tick", maybe(journal.tick)),
        ("swept", journal.swept.into()),
        ("poisoned", Item::list(poisoned)),
        ("cancelled", Item::list(journal.cancelled.clone())),
        ("outputs_first", outputs.first.into()),
        ("outputs", outputs.count.into()),
        ("outputs_digest", hex(&outputs.digest).into()),
        ("prev_digest", hex(&journal.prev_digest).into()),
        ("digest", hex(&journal.digest).into()),
    ])
}

fn some(text: &str) -> Item {
    Some(text).filter(|text| !text.is_empty()).into()
}
