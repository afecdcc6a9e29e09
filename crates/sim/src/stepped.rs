//! The same records through `engine::step`, in batches, with accounts in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_engine::{Account, AccountId, Output, Record, Ruleset, ShardState};

use crate::bare::Run;
use crate::memory::MemoryShard;

/// What the shard's step gave.
#[derive(Clone, Debug)]
pub struct Stepped {
    /// The outputs in their order.
    pub outputs: Vec<Output>,
    /// The accounts at the end.
    pub accounts: BTreeMap<AccountId, Account>,
    /// The shard at the end.
    pub state: ShardState,
}

/// Steps over the records of a run, at most `batch_size` (at least 1) at a time.
pub fn run_step(run: &Run, ruleset: &Arc<Ruleset>, batch_size: usize) -> Stepped {
    let (mut shard, mut outputs) = (MemoryShard::new(ruleset, false), Vec::new());
    let mut from = 0;
    let ends = run.untils.iter().map(|(before, _, at)| (*before, Some(*at))).chain([(run.records.len(), None)]);
    for (to, until) in ends {
        for batch in run.records[from..to].chunks(batch_size.max(1)) {
            let records: Vec<Record> = batch.iter().map(|(_, record)| record.clone()).collect();
            shard.records(&records, &mut |commit| outputs.extend(commit.outputs.iter().cloned()));
            check(&shard);
        }
        if let Some(until) = until {
            shard.until(until, &mut |commit| outputs.extend(commit.outputs.iter().cloned()));
            check(&shard);
        }
        from = to;
    }
    let accounts = shard.accounts().map(|each| (Arc::clone(&each.id), each.clone())).collect();
    Stepped { outputs, accounts, state: shard.state().clone() }
}

fn check(shard: &MemoryShard) {
    let kept: usize = shard.accounts().map(|each| each.timers.len()).sum();
    assert_eq!(kept, shard.timers(), "the table of timers holds the accounts' timers");
}
