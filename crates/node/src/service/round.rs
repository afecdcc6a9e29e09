//! What a round tells about itself once it is durable.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use headroom_engine::Output;

use crate::lane::Piece;
use crate::telemetry::{self, RoundCommitted};

/// The counts of a piece, taken before it is written.
pub struct Round {
    shard: u32,
    records: u64,
    outputs: Vec<(&'static str, u64)>,
    dead_letters: Vec<(&'static str, u64)>,
    swept: u64,
    sweeps: bool,
    poisoned: Vec<u64>,
    cancelled: usize,
    ruleset: Option<String>,
    step: Duration,
    stepped_at: Instant,
}

impl Round {
    /// Of a piece whose round began then.
    pub fn of(shard: u32, piece: &Piece<'_>, began: Instant) -> Self {
        let commit = piece.commit;
        let mut outputs = BTreeMap::new();
        let mut dead_letters = BTreeMap::new();
        for output in &commit.outputs {
            *outputs.entry(kind(output)).or_default() += 1;
            if let Output::DeadLetter(letter) = output {
                *dead_letters.entry(letter.refusal.code.code()).or_default() += 1;
            }
        }
        Self {
            shard,
            records: piece.records.len() as u64,
            outputs: outputs.into_iter().collect(),
            dead_letters: dead_letters.into_iter().collect(),
            swept: commit.swept,
            sweeps: commit.state.sweep.is_some(),
            poisoned: commit.poisoned.iter().map(|each| each.offset).collect(),
            cancelled: commit.cancelled.len(),
            ruleset: commit.ruleset.as_ref().map(|published| published.ruleset.hash.to_string()),
            step: began.elapsed(),
            stepped_at: Instant::now(),
        }
    }

    /// It is durable.
    pub fn committed(self, backlog: u64) {
        let Self { shard, records, step, .. } = self;
        let commit = self.stepped_at.elapsed();
        telemetry::round_committed(RoundCommitted { shard, records, outputs: &self.outputs, step, commit, backlog });
        for (code, count) in self.dead_letters {
            telemetry::dead_letters(shard, code, count);
        }
        if self.swept > 0 {
            telemetry::sweep_progress(shard, self.swept);
            if !self.sweeps {
                telemetry::sweep_finished(shard);
            }
        }
        for offset in self.poisoned {
            telemetry::record_poisoned(shard, offset);
        }
        for _ in 0..self.cancelled {
            telemetry::timer_cancelled(shard, "see the review of kind `poisoned`");
        }
        if let Some(hash) = self.ruleset {
            telemetry::ruleset_published(&hash, shard);
        }
    }
}

fn kind(output: &Output) -> &'static str {
    match output {
        Output::LimitChange(change) => change.kind.word(),
        Output::Offer(_) => "offer",
        Output::Notice(_) => "notice",
        Output::Review(_) => "review",
        Output::DeadLetter(_) => "dead_letter",
    }
}
