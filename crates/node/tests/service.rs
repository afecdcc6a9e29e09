//! The embedded service over real stores: taken, decided, durable, and still there after a restart.

use std::path::Path;

use headroom_node::{AppendError, Config, DataDir, RawEvent, Service, ShardStatus, Verdict, Wait, replay_journal};
use headroom_sources::{Encoding, read_ruleset_dir};
use headroom_wire::proto::output::Body;
use tempfile::TempDir;

const DAY: &str = "2025-11-01";

fn rules() -> Vec<(String, String)> {
    read_ruleset_dir(Path::new("../../rules")).unwrap()
}

fn config(dir: &Path, sets: &[&str]) -> Config {
    let mut all = vec![format!("node.data_dir={}", dir.display()), "log.time=recorded".to_owned()];
    all.extend(sets.iter().map(|set| (*set).to_owned()));
    Config::load(None, &all).unwrap()
}

fn open(dir: &Path, sets: &[&str]) -> Service {
    let service = Service::open(&config(dir, sets), &rules()).unwrap();
    serving(&service);
    service
}

/// Waits until every shard serves.
fn serving(service: &Service) {
    while service.readiness().iter().any(|each| each.status == ShardStatus::Opening) {
        std::thread::yield_now();
    }
}

fn event(json: String) -> RawEvent {
    RawEvent { encoding: Encoding::Json, bytes: json.into(), replayed: false }
}

fn opened(account: &str) -> RawEvent {
    event(format!(
        r#"{{"event_id":"open-{account}","account_id":"{account}","occurred_at":"{DAY}T00:00:00Z","account":{{"opened":{{"segment":"SEGMENT_MERCHANT_KEY","tier":"TIER_GOLD","currency":"CNY","base":"1000000"}}}}}}"#
    ))
}

fn list_hit(account: &str) -> RawEvent {
    event(format!(
        r#"{{"event_id":"hit-{account}","account_id":"{account}","occurred_at":"{DAY}T01:00:00Z","signal":{{"name":"fraud.list_hit","bool_value":true}}}}"#
    ))
}

fn order(account: &str, id: u32) -> RawEvent {
    event(format!(
        r#"{{"event_id":"o{id}","account_id":"{account}","occurred_at":"{DAY}T02:00:00Z","order":{{"kind":"KIND_PLACED","order_id":"o{id}","side":"SIDE_BUYER","currency":"CNY","amount":"100","hold":"100"}}}}"#
    ))
}

fn append(service: &Service, events: Vec<RawEvent>, wait: Wait) -> Result<Vec<Verdict>, AppendError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(service.append(events, wait))
}

fn accepted(verdict: &Verdict) -> (&[(u32, u64)], &[headroom_wire::proto::Output]) {
    match verdict {
        Verdict::Accepted { places, outputs } => (places, outputs),
        Verdict::Rejected(refusal) => panic!("{refusal}"),
    }
}

#[test]
fn decisions_come_with_the_answer_and_survive_a_restart() {
    let dir = TempDir::new().unwrap();
    let service = open(dir.path(), &[]);
    let verdicts = append(&service, vec![opened("M1"), list_hit("M1"), order("M1", 1)], Wait::Decided).unwrap();
    assert!(accepted(&verdicts[0]).1.is_empty());
    let bodies: Vec<_> = accepted(&verdicts[1]).1.iter().map(|each| each.body.as_ref().unwrap()).collect();
    assert!(matches!(bodies[..], [Body::LimitChange(_), Body::Review(_), Body::Notice(_)]), "{bodies:?}");
    assert_eq!(accepted(&verdicts[2]).0, [(0, 2)]);
    let count = *service.committed(0).borrow();
    assert_eq!(service.reader(0).unwrap().outputs_count().unwrap(), count);
    let digest = service.reader(0).unwrap().digest().unwrap();
    service.stop();
    drop(service);
    let service = open(dir.path(), &[]);
    assert_eq!(service.reader(0).unwrap().digest().unwrap(), digest);
    assert_eq!(service.readiness()[0].accounts, 1);
    // The same again changes nothing.
    let again = append(&service, vec![list_hit("M1")], Wait::Decided).unwrap();
    assert!(accepted(&again[0]).1.is_empty());
    service.stop();
}

#[test]
fn what_was_acknowledged_and_not_decided_is_decided_at_the_next_start() {
    let dir = TempDir::new().unwrap();
    let service = open(dir.path(), &[]);
    append(&service, vec![opened("M1")], Wait::Decided).unwrap();
    service.stop();
    drop(service);
    // The log alone, as if the process had died between its sync and the decision.
    let data = DataDir::find(dir.path()).unwrap();
    let store = data.open(0, &config(dir.path(), &[]).store_options()).unwrap();
    let hit = list_hit("M1");
    let record = headroom_store::LogRecord {
        timestamp: headroom_engine::Timestamp(1_761_958_800_000),
        encoding: "json",
        replayed: false,
        bytes: std::sync::Arc::from(&*hit.bytes),
    };
    assert_eq!(store.log().append(&[record]).unwrap(), 1);
    drop(store);
    let service = open(dir.path(), &[]);
    assert_eq!(*service.committed(0).borrow(), 3);
    service.stop();
}

#[test]
fn accounts_are_spread_and_broadcasts_reach_every_shard() {
    let dir = TempDir::new().unwrap();
    let service = open(dir.path(), &["node.shards=4"]);
    let accounts: Vec<String> = (0..40).map(|at| format!("M{at}")).collect();
    append(&service, accounts.iter().map(|each| opened(each)).collect(), Wait::Durable).unwrap();
    let market = event(format!(
        r#"{{"event_id":"m","occurred_at":"{DAY}T00:30:00Z","market":{{"regime_changed":{{"regime":"REGIME_DOWNTURN"}}}}}}"#
    ));
    let verdicts = append(&service, vec![market], Wait::Decided).unwrap();
    let shards: Vec<u32> = accepted(&verdicts[0]).0.iter().map(|(shard, _)| *shard).collect();
    assert_eq!(shards, [0, 1, 2, 3]);
    for account in &accounts {
        let reader = service.reader(service.shard_of(account)).unwrap();
        assert!(reader.account(account).unwrap().is_some(), "{account}");
    }
    let per_shard: Vec<u64> = service.readiness().iter().map(|each| each.accounts).collect();
    assert_eq!((per_shard.iter().sum::<u64>(), per_shard.contains(&0)), (40, false));
    service.stop();
}

#[test]
fn bad_events_are_rejected_and_the_others_taken() {
    let dir = TempDir::new().unwrap();
    let service = open(dir.path(), &[]);
    let verdicts = append(&service, vec![event("{".to_owned()), opened("M1")], Wait::Durable).unwrap();
    assert!(matches!(&verdicts[0], Verdict::Rejected(refusal) if refusal.code.code() == "UNPARSEABLE"));
    assert_eq!(accepted(&verdicts[1]).0, [(0, 0)]);
    service.stop();
    assert_eq!(append(&service, vec![opened("M2")], Wait::Durable), Err(AppendError::Stopping));
}

#[test]
fn another_ruleset_comes_into_force_by_the_log() {
    let dir = TempDir::new().unwrap();
    let service = open(dir.path(), &["node.shards=2"]);
    let before = service.ruleset(0).unwrap().hash.clone();
    let mut changed = rules();
    let rule = changed.iter_mut().find(|(path, _)| path.ends_with("list_hit.rule.yaml")).unwrap();
    rule.1 = format!("# changed\n{}", rule.1);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(!runtime.block_on(service.publish(&rules())).unwrap(), "it is in force");
    assert!(runtime.block_on(service.publish(&changed)).unwrap());
    assert!((0..2).all(|shard| service.ruleset(shard).unwrap().hash != before));
    assert!(runtime.block_on(service.publish(&rules())).unwrap(), "and back");
    assert!((0..2).all(|shard| service.ruleset(shard).unwrap().hash == before));
    service.stop();
}

#[test]
fn what_if_answers_and_keeps_nothing() {
    let dir = TempDir::new().unwrap();
    let service = open(dir.path(), &[]);
    append(&service, vec![opened("M1")], Wait::Decided).unwrap();
    let digest = service.reader(0).unwrap().digest().unwrap();
    let answer = service.what_if("M1", vec![list_hit("M1"), event("[".to_owned())]).unwrap();
    let now = answer.now;
    let limit = |account: Option<headroom_engine::Account>| account.unwrap().limits(now).effective;
    assert_eq!((limit(answer.before), limit(answer.after)), (1_000_000, 0));
    assert_eq!((answer.outputs.len(), answer.rejected.len()), (3, 1));
    assert!(service.what_if("M2", vec![list_hit("M1")]).is_err(), "an event of another account");
    assert_eq!(service.reader(0).unwrap().digest().unwrap(), digest);
    service.stop();
}

#[test]
fn the_journal_can_be_done_again() {
    let dir = TempDir::new().unwrap();
    let service = open(dir.path(), &["node.shards=2", "lane.batch_records=3"]);
    let accounts = ["M1", "M2", "M3", "M4"];
    append(&service, accounts.map(opened).to_vec(), Wait::Durable).unwrap();
    let orders = (0..50).map(|id| order(accounts[id as usize % 4], id)).collect();
    append(&service, orders, Wait::Durable).unwrap();
    append(&service, accounts.map(list_hit).to_vec(), Wait::Decided).unwrap();
    service.stop();
    drop(service);
    let data = DataDir::find(dir.path()).unwrap();
    let scratch = TempDir::new().unwrap();
    let mut seen = Default::default();
    let differences = replay_journal(&data, &[], scratch.path(), &mut |at| seen = at).unwrap();
    assert_eq!(differences, []);
    let seen: headroom_node::ReplayProgress = seen;
    assert_eq!((seen.records, seen.outputs), (58, 12));
}
