use std::path::Path;

use expect_test::expect;
use headroom_engine::{
    Account, Block, Boost, Cap, CapName, Cause, Commit, Fact, Hold, HoldOf, HoldUntil, Scope, Segment, ShardState,
    Timer, TimerKind, Timestamp, Uncleared, fact_key,
};
use headroom_policy::Currency;
use headroom_store::{CommitExtra, Durability, SharedMemory, Store, StoreOptions};
use serde_json::Value;

use crate::command::{Ran, checkout, folder, headroom};

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
    store(dir, frozen());
}

fn store(dir: &Path, account: Account) {
    let options = StoreOptions {
        durability: Durability::Process,
        memory: SharedMemory::new(4 << 20, 8 << 20),
        write_buffer_bytes: 1 << 20,
        ..StoreOptions::default()
    };
    let accounts = vec![Account::provisional("C2".into(), NOW, 0).into(), account.into()];
    let state = ShardState { now: NOW, accounts: 2, ..ShardState::default() };
    let commit = Commit { accounts, state, ..Commit::default() };
    Store::open(dir, options).unwrap().commit(commit, CommitExtra::default()).unwrap();
}

/// Two boosts, of which one counts, a cap, a watch, a hold; half of it used, some of it not cleared.
fn crowded() -> Account {
    let mut account = frozen();
    let boost = |amount, rule| Boost {
        amount,
        granted: amount,
        from: NOW,
        until: NOW.plus(86_400_000),
        rule,
        promotion: 0,
        expired: false,
        used_peak: 0,
        steps: None,
    };
    let stack = &mut account.stack;
    stack.boosts = vec![boost(30_000_000, 13), boost(20_000_000, 11)];
    stack.caps.push(Cap { name: CapName::Customer, amount: 125_000_000, until: None });
    let watch = Block {
        cause: Cause::Verification,
        scope: Scope::Watch,
        ceiling: None,
        rule: 0,
        by: "desk".into(),
        ..stack.blocks[0].clone()
    };
    stack.blocks.push(watch);
    stack.holds.push(Hold { of: HoldOf::Increase, until: HoldUntil::Cured { days_after: 30 }, rule: 21 });
    account.opened_at = NOW;
    account.money.uncleared = vec![Uncleared { payment: 1, amount: 5_000_000, clears_at: NOW.plus(1) }];
    account
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
    assert_eq!(json["history"], Value::Array(Vec::new()));
    let table = account(&["show", "M1", "--all"], dir.path());
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
    let mut shown = account(&["show", "M1", "--format", "json"], dir.path()).json();
    shown.as_object_mut().unwrap().remove("history");
    assert_eq!(lines[1], shown);
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

#[test]
fn the_limit_is_a_waterfall() {
    let dir = folder(&[]);
    store(dir.path(), crowded());
    let page = account(&["show", "M1", "--width", "120", "--zone", "Asia/Shanghai"], dir.path());
    expect![[r#"
        M1  merchant_key · provisional · CNY
        as of 2025-11-10 20:05 (Asia/Shanghai), after change 0

        LIMIT
          base                       1_000_000.00  ████████████████████████████
        + boost                        300_000.00                              ▒▒▒▒▒▒▒▒   rule-13, until 2025-11-11 20:05
        · boost                        200_000.00                              ░░░░░      only the largest counts; rule-11, unti…
          cap customer               1_250_000.00  ███████████████████████████████████  ◀ until lifted
        = granted                    1_250_000.00  ███████████████████████████████████    bound by cap customer
          block volatility (spend)     800_000.00  ██████████████████████               ◀ rule-12, since 2025-11-10 20:05, until…
        = effective                    800_000.00  ██████████████████████                 bound by block volatility
        − used                         300_000.00                ▓▓▓▓▓▓▓▓
        = available                    500_000.00  ██████████████
          block verification (watch)                                                      by desk, since 2025-11-10 20:05, until…
        − uncleared                     50_000.00              ▓▓
        = spendable                    450_000.00  ████████████                           bound by uncleared
        · hold increase                                                                   rule-21, until 30 days after the cure

        MONEY
          balance 300_000.00   pending 0.00   not cleared 50_000.00   last moved never

        REPAYMENT
          cycles 0   in a row on time 0   early 0   in full 0   minimum only 0   direct debit unknown

        DELINQUENCY
          days past due 0   unpaid minimum dues 0.00   worst of 13 months 0

        ORDERS
          none
          of 35 days: above 80 % used 0   orders declined 0

        HISTORY
          nothing yet
    "#]].assert_eq(&page.stdout);
}

/// The Double-11 example until the surge was explained.
fn story(dir: &Path) {
    let path = |name: &str| dir.join(name).display().to_string();
    let in_checkout = |name: &str| checkout(name).display().to_string();
    let (rules, events) = (in_checkout("rules"), in_checkout("examples/double11.ndjson"));
    let fixed = ["run", "--rules", &rules, "--events", &events, "--data-dir", &path("data"), "--out", &path("o.pb")];
    let ran = headroom(fixed);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn the_history_says_why() {
    let dir = folder(&[]);
    story(dir.path());
    let data = dir.path().join("data");
    let page = account(&["show", "M1", "--width", "160", "--zone", "Asia/Shanghai"], &data).stdout;
    expect![[r#"
        M1  merchant_key · active · CNY
        as of 2025-11-14 12:00 (Asia/Shanghai), after change 3

        LIMIT
          base      1_000_000.00  ████████████████████████████████████ ◀
        = granted   1_000_000.00  ████████████████████████████████████   bound by base
        = effective 1_000_000.00  ████████████████████████████████████   bound by base
        − used        500_000.00                    ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓
        = available   500_000.00  ██████████████████
        = spendable   500_000.00  ██████████████████                     bound by used

        MONEY
          balance 0.00   pending 500_000.00   not cleared 0.00   last moved 2025-11-11 11:00

        REPAYMENT
          cycles 0   in a row on time 0   early 0   in full 0   minimum only 0   direct debit unknown

        DELINQUENCY
          days past due 0   unpaid minimum dues 0.00   worst of 13 months 0

        ORDERS
          buyer  2025-11-11 █ 2025-11-11   placed 500_000.00, at most 500_000.00 a day
          seller 2025-10-11 ▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂█▅▂▂ 2025-11-13   placed 17_300_000.00, at most 2_700_000.00 a day
          of 35 days: above 80 % used 0   orders declined 0

        HISTORY
        ▲ 2025-11-13 00:00  block_changed volatility  800_000.00 → 1_000_000.00  WAIVER_ENDED               order_volatility    timer:waiver_end
        • 2025-11-10 20:05  review order                                         ORDER_VOLATILITY           order_volatility    order_placed M1-surge-1
        ▲ 2025-11-10 20:05  block_changed volatility  0.00 → 800_000.00          PROMOTION_SURGE_EXPLAINED  promo_compensation  order_placed M1-surge-1
        ▼ 2025-11-10 20:05  block_changed volatility  1_000_000.00 → 0.00        ORDER_VOLATILITY           order_volatility    order_placed M1-surge-1
    "#]].assert_eq(&page);
    let last = account(&["show", "M1", "--width", "80", "--history", "1"], &data).stdout;
    assert!(last.lines().all(|line| line.chars().count() <= 80), "{last}");
    assert_eq!(last.lines().skip_while(|line| *line != "HISTORY").count(), 2);
    let json = account(&["show", "M1", "--format", "json"], &data).json();
    let kinds: Vec<&str> =
        json["history"].as_array().unwrap().iter().map(|each| each["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["block_changed volatility", "review order", "block_changed volatility", "block_changed volatility"]
    );
    assert_eq!(json["history"][3]["event_id"], "M1-surge-1");
    account(&["show", "M1", "--zone", "Mars/Base"], &data).refused(2, &["Mars/Base"]);
}

#[test]
fn several_shards_are_looked_into() {
    let dir = folder(&[("SHARDS", "2\n")]);
    let left = Account::provisional("L".into(), NOW, 0);
    store(&dir.path().join("shard-000"), left);
    store(&dir.path().join("shard-001"), frozen());
    assert_eq!(account(&["show", "M1", "--format", "json"], dir.path()).json()["id"], "M1");
    let dump = account(&["dump"], dir.path()).stdout;
    assert!(dump.contains(r#""id":"L""#) && dump.contains(r#""id":"M1""#), "{dump}");
    account(&["show", "M9"], dir.path()).refused(1, &["there is no account `M9`"]);
}
