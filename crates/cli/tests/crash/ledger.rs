//! A reader as the credit ledger is one: keeps its cursor, applies each account's changes in sequence, stops on a gap.

use std::collections::BTreeMap;

use headroom_node::DataDir;
use headroom_store::{OutputKind, StoreOptions};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::Process;

/// What was applied so far.
#[derive(Default)]
pub struct Ledger {
    cursor: Option<String>,
    /// The last sequence of each account.
    applied: BTreeMap<String, u64>,
    changes: u64,
}

impl Ledger {
    /// Reads everything new. An error: the service is gone; nothing of a page that did not arrive is applied.
    pub fn read(&mut self, service: &Process) -> Result<(), String> {
        loop {
            let cursor = self.cursor.as_ref().map_or(String::new(), |cursor| format!("&cursor={cursor}"));
            let (status, body) = service.get(&format!("/v1/limit-changes?limit=100{cursor}"))?;
            assert_eq!(status, 200, "{body}");
            let page: Value = serde_json::from_str(&body).unwrap();
            for item in page["items"].as_array().unwrap() {
                self.apply(&item["limit_change"]);
            }
            self.cursor = Some(page["cursor"].as_str().unwrap().to_owned());
            if page["more"] != Value::Bool(true) {
                return Ok(());
            }
        }
    }

    fn apply(&mut self, change: &Value) {
        let account = change["account_id"].as_str().unwrap_or_else(|| panic!("no account in {change}"));
        let sequence: u64 = change["sequence"].as_str().unwrap().parse().unwrap();
        let last = self.applied.entry(account.to_owned()).or_default();
        assert_eq!(sequence, *last + 1, "`{account}`: nothing twice, no gap");
        *last = sequence;
        self.changes += 1;
    }

    /// Everything that is stored was applied.
    pub fn assert_complete(&self, dir: &TempDir) {
        let data = DataDir::find(dir.path()).unwrap();
        let stored = |shard| {
            let reader = data.read(shard, &StoreOptions::default()).unwrap();
            reader.outputs_of_kind(OutputKind::LimitChange, 0, usize::MAX).unwrap().len() as u64
        };
        assert_eq!(self.changes, (0..data.shards()).map(stored).sum::<u64>());
        assert!(self.changes > 0, "the season changes limits");
    }
}
