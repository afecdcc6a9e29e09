use std::path::Path;

use headroom_engine::{
    Account, Block, Cause, Commit, Fact, Scope, Segment, ShardState, Timer, TimerKind, Timestamp, fact_key,
};
use headroom_policy::Currency;
use headroom_store::{CommitExtra, Durability, SharedMemory, Store, StoreOptions};
use serde_json::Value;

use crate::command::{Ran, folder, headroom};

const NOW: Timestamp = Timestamp(1_762_776_300_000);

fn frozen() -> Account {
    let mut account = Account::provisional("M1".into(), NOW, 3);
    account.segment = Segment::MerchantKey;
    account.currency = Some(Currency(*b"CNY"));
    account.stack.base = 100_000_000;
    account.money.balance = 30_000_000;
    account.stack.blocks.push(Block {
        cause: Cause::Volatility,
        scope: Scope::Spend,
        ceiling: Some(80_000_000),
        since: NOW,
        until: None,
        granted_before: 100_000_000,
        rule: 12,
        proposed: NOW,
        by: String::new(),
    });
    let value =
        Fact { key: fact_key("fraud.list_hit"), value: 1, at: NOW, until: None, last_true: Some(NOW), earlier: None };
    account.facts.push(value);
    account.timers.push(Timer { due: NOW.plus(900_000), kind: TimerKind::Recheck, rule: 12 });
    account
}

fn write(dir: &Path) {
    let options = StoreOptions {
        durability: Durability::Process,
        memory: SharedMemory::new(4 << 20, 8 << 20),
        write_buffer_bytes: 1 << 20,
        ..StoreOptions::default()
    };
    let accounts = vec![Account::provisional("C2".into(), NOW, 0).into(), frozen().into()];
    let state = ShardState { now: NOW, accounts: 2, ..ShardState::default() };
    let commit = Commit { accounts, state, ..Commit::default() };
    Store::open(dir, options).unwrap().commit(commit, CommitExtra::default()).unwrap();
}

fn account(words: &[&str], dir: &Path) -> Ran {
    headroom(["account"].iter().chain(words).chain(&["--data-dir", dir.to_str().unwrap()]))
}

#[test]
fn an_account_is_taken_apart() {
    let dir = folder(&[]);
    write(dir.path());
    let ran = account(&["show", "M1", "--format", "json"], dir.path());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let json = ran.json();
    let limits = &json["limits"];
    assert_eq!((&limits["granted"], &limits["granted_bound_by"]), (&100_000_000.into(), &"base".into()));
    assert_eq!((&limits["effective"], &limits["effective_bound_by"]), (&80_000_000.into(), &"block volatility".into()));
    assert_eq!((&limits["spendable"], &limits["spendable_bound_by"]), (&50_000_000.into(), &"used".into()));
    let block = &json["stack"]["blocks"][0];
    assert_eq!((&block["since"], &block["until"]), (&"2025-11-10T12:05:00Z".into(), &Value::Null));
    assert_eq!((&json["facts"][0]["name"], &json["facts"][0]["value"]), (&"fraud.list_hit".into(), &true.into()));
    assert_eq!(json["timers"][0]["kind"], "recheck");
    assert_eq!((&json["currency"], &json["segment"]), (&"CNY".into(), &"merchant_key".into()));
    let table = account(&["show", "M1"], dir.path());
    assert!(table.stdout.starts_with("id             M1\n"), "{}", table.stdout);
    assert!(table.stdout.contains("  effective           80_000_000\n"), "{}", table.stdout);
}

#[test]
fn a_dump_has_a_line_for_each_account_in_order() {
    let dir = folder(&[]);
    write(dir.path());
    let ran = account(&["dump"], dir.path());
    let lines: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["id"].as_str().unwrap()).collect::<Vec<_>>(), ["C2", "M1"]);
    assert_eq!(lines[1], account(&["show", "M1", "--format", "json"], dir.path()).json());
    assert_eq!(ran.code, 0);
}

#[test]
fn what_is_not_there_is_named() {
    let dir = folder(&[]);
    account(&["show", "M1"], &dir.path().join("none")).refused(3, &["error[HR0305]", "see: headroom explain HR0305"]);
    account(&["dump"], dir.path()).refused(3, &["error[HR0305]"]);
    write(dir.path());
    account(&["show", "M9"], dir.path()).refused(1, &["there is no account `M9` in"]);
    std::fs::write(dir.path().join("FORMAT"), "headroom store\nformat 99\nstage ready\n").unwrap();
    account(&["show", "M1"], dir.path()).refused(3, &["error[HR0302]", "format 99"]);
}
