//! `headroom journal verify`: the chain of digests, and the outputs against it. It stops at the first thing that is
//! wrong: what follows proves nothing any more.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use headroom_node::view::Item;
use headroom_node::{DataDir, ErrorCode, ReplayProgress, outputs_digest, replay_journal};
use headroom_store::Reader;
use headroom_wire::Journal;
use indicatif::ProgressBar;

use crate::failure::{Coded, Status, of_run};
use crate::output::Output;
use crate::settings::Settings;
use crate::{data_dir, progress};

use super::{PAGE, hex, kafka, page};

/// Which journal.
#[derive(Args)]
pub struct Command {
    /// The data directory
    #[arg(long, value_name = "DIR", required_unless_present = "kafka", conflicts_with = "kafka")]
    data_dir: Option<PathBuf>,
    /// The journal topic of the settings instead, and the output topics as far as they are kept
    #[arg(long, conflicts_with = "replay")]
    kafka: bool,
    #[command(flatten)]
    settings: Settings,
    /// Also do again everything that it says, from the first record on, and compare outputs and the state at the end
    #[arg(long)]
    replay: bool,
    /// All event files of all runs, where records came from files
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "replay")]
    events: Vec<PathBuf>,
}

impl Command {
    /// Does it. Errors: HR0521 if the chain is broken, HR0522 if outputs are not those of the journal.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let Some(dir) = &self.data_dir else {
            let shards = kafka::verify(&self.settings.load()?.kafka, output)?;
            output.print(&Item::fields([("shards", shards)]))?;
            return Ok(Status::Done);
        };
        let bar = progress::count(output).with_message("records");
        let mut shards = Vec::new();
        for (shard, reader) in &data_dir::open(dir)? {
            let mut check = Check::new(*shard, reader)?;
            check.all(&bar)?;
            shards.push(check.item());
        }
        bar.finish_and_clear();
        let replayed = if self.replay { self.again(dir, output)? } else { Item::Null };
        output.print(&Item::fields([("shards", Item::List(shards)), ("replay", replayed)]))?;
        Ok(Status::Done)
    }

    /// Decides everything again in a store that goes away.
    fn again(&self, dir: &Path, output: &Output) -> Result<Item> {
        let scratch = tempfile::tempdir()?;
        let bar = progress::count(output).with_message("records decided again");
        let mut at = ReplayProgress::default();
        let dir = DataDir::find(dir)?;
        let differences = replay_journal(&dir, &self.events, scratch.path(), &mut |progress| {
            at = progress;
            bar.set_position(progress.records);
        });
        bar.finish_and_clear();
        let differences = differences.map_err(of_run)?;
        let Some(first) = differences.first() else {
            return Ok(Item::fields([
                ("journal_records", at.journal_records.into()),
                ("records", at.records.into()),
                ("outputs", at.outputs.into()),
                ("differences", 0_u64.into()),
            ]));
        };
        for each in &differences {
            eprintln!("shard {}, journal record {}: {}", each.shard, each.seq, each.what);
        }
        let message = format!("shard {}, journal record {}: {}", first.shard, first.seq, first.what);
        Err(Coded { code: ErrorCode::ReplayDiffers.code(), message }.into())
    }
}

struct Check<'a> {
    shard: u32,
    reader: &'a Reader,
    /// Outputs below it are no longer kept.
    outputs_start: u64,
    /// The digest of the record before, and its sequence; none before the first that is kept.
    last: Option<([u8; 32], u64)>,
    /// Sequence of the next output.
    next_output: Option<u64>,
    first: u64,
    records: u64,
    outputs: u64,
    outputs_trimmed: u64,
}

impl<'a> Check<'a> {
    fn new(shard: u32, reader: &'a Reader) -> Result<Self> {
        Ok(Self {
            shard,
            reader,
            outputs_start: reader.outputs_start()?,
            last: None,
            next_output: None,
            // Sequences begin with 1.
            first: reader.journal_start()?.max(1),
            records: 0,
            outputs: 0,
            outputs_trimmed: 0,
        })
    }

    fn all(&mut self, bar: &ProgressBar) -> Result<()> {
        let mut next = 0;
        loop {
            let page = page(self.reader, next, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            next = last + 1;
            for (seq, journal) in &page {
                self.chain(*seq, journal)?;
                self.outputs(journal)?;
                self.records += 1;
                bar.inc(1);
            }
        }
        self.end()
    }

    fn chain(&mut self, seq: u64, journal: &Journal) -> Result<()> {
        let expected = self.last.map_or(self.first, |(_, last)| last + 1);
        if seq != expected || journal.seq != expected {
            return Err(self.broken(expected, &format!("record {} stands there", journal.seq.max(seq))));
        }
        if !journal.is_sealed() {
            return Err(self.broken(seq, "its digest does not fit its bytes"));
        }
        // Of the first that is kept after a trim nobody knows the predecessor any more.
        let before = self.last.map(|(digest, _)| digest).or_else(|| (seq == 1).then_some([0; 32]));
        if before.is_some_and(|before| before != journal.prev_digest) {
            let (has, comes) = (hex(&journal.prev_digest), hex(&before.unwrap_or_default()));
            return Err(self.broken(seq, &format!("it follows {has}, the record before is {comes}")));
        }
        self.last = Some((journal.digest, seq));
        Ok(())
    }

    fn outputs(&mut self, journal: &Journal) -> Result<()> {
        let written = &journal.outputs;
        if written.count == 0 {
            return Ok(());
        }
        if let Some(next) = self.next_output.filter(|next| *next != written.first) {
            let detail = format!("its outputs begin with {}, {next} comes next", written.first);
            return Err(self.disagrees(journal.seq, &detail));
        }
        self.next_output = Some(written.first + written.count);
        if written.first < self.outputs_start {
            self.outputs_trimmed += written.count;
            return Ok(());
        }
        let stored = self.reader.outputs_from(written.first, usize::try_from(written.count)?)?;
        let continuous = stored.iter().zip(written.first..).all(|((seq, _), expected)| *seq == expected);
        if stored.len() as u64 != written.count || !continuous {
            let detail = format!("{} of its {} outputs are stored", stored.len(), written.count);
            return Err(self.disagrees(journal.seq, &detail));
        }
        let bytes: Vec<_> = stored.iter().map(|(_, bytes)| bytes).collect();
        if outputs_digest(&bytes) != written.digest {
            return Err(self.disagrees(journal.seq, "the stored outputs have another digest"));
        }
        self.outputs += written.count;
        Ok(())
    }

    /// Outputs that no record tells of. A store without any record was written without a journal.
    fn end(&self) -> Result<()> {
        let count = self.reader.outputs_count()?;
        match (self.last, self.next_output) {
            (Some((_, seq)), Some(next)) if next != count => {
                Err(self.disagrees(seq, &format!("the journal ends with output {next}, {count} are stored")))
            }
            _ => Ok(()),
        }
    }

    fn broken(&self, seq: u64, detail: &str) -> anyhow::Error {
        self.coded(ErrorCode::JournalChainBroken, seq, detail)
    }

    fn disagrees(&self, seq: u64, detail: &str) -> anyhow::Error {
        self.coded(ErrorCode::JournalDisagrees, seq, detail)
    }

    fn coded(&self, code: ErrorCode, seq: u64, detail: &str) -> anyhow::Error {
        let message = format!("journal record {seq} of shard {}: {detail}", self.shard);
        Coded { code: code.code(), message }.into()
    }

    fn item(&self) -> Item {
        let digest = self.last.map(|(digest, _)| hex(&digest));
        Item::fields([
            ("shard", self.shard.into()),
            ("records", self.records.into()),
            ("first", (self.records > 0).then_some(self.first).into()),
            ("last", self.last.map(|(_, seq)| seq).into()),
            ("outputs", self.outputs.into()),
            ("outputs_trimmed", self.outputs_trimmed.into()),
            ("digest", digest.into()),
        ])
    }
}
