//! What bad input gets (`docs/ARCHITECTURE.md`), through real files and a real store. Nothing of it stops the shard.

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::{Place, dead_letters, store_options};
use headroom_engine::{Account, RefusalCode, Status, content_hash};
use headroom_node::{RunError, RunSummary};
use headroom_store::Reader;
use headroom_wire::proto::{limit_change, output::Body};

/// An event as a line of JSON; `body` is the one part that differs, `at` is both times.
fn line(id: &str, account: &str, at: &str, body: &str) -> String {
    format!(r#"{{"event_id":"{id}","source":"test","account_id":"{account}","occurred_at":"{at}",{body}}}"#)
}

/// As [`line`], known later than it happened.
fn late(id: &str, account: &str, at: &str, known: &str, body: &str) -> String {
    line(id, account, at, &format!(r#""recorded_at":"{known}",{body}"#))
}

fn opened(account: &str, at: &str) -> String {
    let body = r#""account":{"opened":{"segment":"SEGMENT_MERCHANT_STANDARD","currency":"CNY","base":"100000000"}}"#;
    line(&format!("opened-{account}"), account, at, body)
}

/// A seller's order; 500,000.00 yuan and five times the best day before are what freezes.
fn order(amount: i64) -> String {
    order_in("CNY", amount)
}

fn order_in(currency: &str, amount: i64) -> String {
    format!(
        r#""order":{{"kind":"KIND_PLACED","order_id":"o","side":"SIDE_SELLER","currency":"{currency}","amount":"{amount}"}}"#
    )
}

fn signal(name: &str, value: &str) -> String {
    format!(r#""signal":{{"name":"{name}",{value}}}"#)
}

fn lines(lines: &[String]) -> Vec<u8> {
    let mut text = lines.join("\n");
    text.push('\n');
    text.into_bytes()
}

fn run(place: &Place, name: &str, events: &[String]) -> RunSummary {
    place.run(name, &lines(events)).unwrap_or_else(|error| panic!("{error}"))
}

fn reader(place: &Place) -> Reader {
    Reader::open(&place.data_dir(), &store_options()).expect("the store")
}

fn account(place: &Place, id: &str) -> Account {
    reader(place).account(id).expect("the store").expect("the account")
}

const DAY_1: &str = "2025-03-01T10:00:00Z";
const DAY_2: &str = "2025-03-02T10:00:00Z";
const DAY_12: &str = "2025-03-12T10:00:00Z";

/// One record for each code; some need others before them.
fn refused() -> Vec<(RefusalCode, Vec<String>)> {
    use RefusalCode as Code;
    let now = |id: &str, body: &str| line(id, "A", DAY_12, body);
    let one = |code, record: String| (code, vec![record]);
    let promotion = r#""promotion":{"kind":"KIND_ANNOUNCED","promotion_id":"p","start":"2025-05-02T00:00:00Z","end":"2025-05-01T00:00:00Z"}"#;
    let snapshot = r#""account":{"ledger_snapshot":{"as_of":"2025-03-12T10:00:00Z","last_applied_sequence":"9","currency":"CNY"}}"#;
    let ruleset = r#""control":{"ruleset_published":{"content_hash":"none"}}"#;
    let huge = format!(r#""order":{{"kind":"KIND_PLACED","order_id":"{}"}}"#, "o".repeat(1 << 20));
    vec![
        one(Code::Unparseable, r#"{"event_id": "half an"#.to_owned()),
        one(Code::TooLarge, now("large", &huge)),
        one(Code::NoKey, line("no-key", "", DAY_12, &order(1))),
        one(Code::BadId, now(r"bell\u0007", &order(1))),
        one(Code::NoBody, now("no-body", r#""provenance":"PROVENANCE_FACT""#)),
        one(Code::NoTime, format!(r#"{{"event_id":"no-time","account_id":"A",{}}}"#, order(1))),
        one(Code::UnknownWord, now("word", r#""order":{"order_id":"o","currency":"CNY","amount":"1"}"#)),
        one(Code::WrongCurrency, now("currency", &order_in("USD", 1))),
        one(Code::AmountOutOfRange, now("amount", &order(-1))),
        (Code::MoneyOverflow, overflow()),
        one(Code::TimeInFuture, late("future", "A", "2025-03-12T10:06:00Z", DAY_12, &order(1))),
        one(Code::TooOldToDedup, late("old", "A", DAY_1, DAY_12, &order(1))),
        (Code::IdReused, vec![now("twice", &order(1)), now("twice", &order(2))]),
        one(Code::UnknownFact, now("fact", &signal("weather.storm", r#""bool_value":true"#))),
        one(Code::FactOutOfRange, now("range", &signal("model.score", r#""int_value":"1001""#))),
        one(Code::FactSourceNotAllowed, now("source", &signal("fraud.list_hit", r#""bool_value":true"#))),
        one(Code::SequenceAhead, now("ahead", snapshot)),
        one(Code::AlreadyOpened, line("again", "A", DAY_12, &opened_again())),
        (Code::TooManyProvisional, vec![line("p1", "P1", DAY_12, &order(1)), line("p2", "P2", DAY_12, &order(1))]),
        one(Code::BadPromotion, line("promotion", "", DAY_12, promotion)),
        one(Code::BadRuleset, line("ruleset", "", DAY_12, ruleset)),
    ]
}

fn opened_again() -> String {
    r#""account":{"opened":{"segment":"SEGMENT_CONSUMER","currency":"CNY","base":"1"}}"#.to_owned()
}

/// The largest amounts until no more fits; only the last is refused.
fn overflow() -> Vec<String> {
    const FULL: i64 = i64::MAX / 4;
    const MOST: i64 = 1_000_000_000_000_000;
    let fitting = (FULL - 200_000_000) / MOST;
    (0..=fitting).map(|at| line(&format!("much-{at}"), "A", DAY_12, &order(MOST))).collect()
}

/// A place whose ruleset has few provisional accounts, and a source of its own for list hits.
fn strict() -> Place {
    let mut place = Place::new();
    let settings = place.rules.iter_mut().find(|(path, _)| path == "ruleset.yaml").expect("settings");
    settings.1 = settings.1.replace("provisional_max: 100_000", "provisional_max: 1");
    place.rules.push(("facts.yaml".to_owned(), "- {name: fraud.list_hit, sources: [lists]}\n".to_owned()));
    place
}

#[test]
fn every_refusal_is_a_dead_letter_and_the_shard_goes_on() {
    let mut seen = BTreeSet::new();
    for (code, records) in refused() {
        let place = strict();
        let mut events = vec![opened("A", DAY_1)];
        events.extend(records);
        events.push(line("after", "A", "2025-03-12T11:00:00Z", &signal("model.score", r#""int_value":"700""#)));
        let summary = run(&place, "events.ndjson", &events);
        let outputs = place.outputs();
        let letters = dead_letters(&outputs);
        let [letter] = letters[..] else { panic!("{} dead letters for {code:?}", letters.len()) };
        assert_eq!(letter.code, code.code(), "{}", letter.detail);
        assert!(!letter.detail.is_empty(), "{code:?} says nothing");
        // The last record but one, as it came.
        let at = events.len() - 2;
        assert_eq!((letter.offset, &*letter.encoding), (at as u64, "json"), "{code:?}");
        let original = events[at].as_bytes();
        assert_eq!(letter.original, original[..original.len().min(64 * 1024)], "{code:?}");
        assert_eq!(letter.original_sha256.is_empty(), original.len() <= 64 * 1024, "{code:?}");
        assert_eq!(summary.totals.events, events.len() as u64);
        assert_eq!(summary.totals.dead_letters.values().sum::<u64>(), 1);
        let known = account(&place, "A");
        assert_eq!(known.facts.len(), 1, "the record after {code:?} is booked");
        seen.insert(code);
    }
    // What a record that fails is called is the lane's to say, whatever it holds.
    seen.insert(RefusalCode::Poisoned);
    // Files have neither partitions by key nor topics (`node/src/kafka/value.rs`).
    seen.extend([RefusalCode::WrongPartition, RefusalCode::WrongTopic]);
    let all: BTreeSet<RefusalCode> = RefusalCode::ALL.iter().copied().collect();
    assert_eq!(seen, all, "every code has its record");
}

#[test]
fn a_record_of_next_century_does_not_move_the_clock() {
    let place = Place::new();
    let events =
        [opened("A", DAY_1), line("lost", "A", "2125-03-01T10:00:00Z", &order(1)), line("next", "A", DAY_2, &order(1))];
    let summary = run(&place, "events.ndjson", &events);
    assert_eq!(summary.totals.dead_letters.get("TIME_IN_FUTURE"), Some(&1), "{:?}", summary.totals.dead_letters);
    assert_eq!(summary.totals.dead_letters.len(), 1, "the record after it is taken");
}

#[test]
fn a_second_delivery_changes_nothing() {
    let once =
        [opened("A", DAY_1), line("o1", "A", DAY_1, &order(10_000_000)), line("o2", "A", DAY_12, &order(90_000_000))];
    let twice: Vec<String> = once.iter().flat_map(|each| [each.clone(), each.clone()]).collect();
    let (left, right) = (Place::new(), Place::new());
    let (one, two) = (run(&left, "once.ndjson", &once), run(&right, "twice.ndjson", &twice));
    assert_eq!(one.state_digest, two.state_digest);
    assert_eq!((one.totals.duplicates, two.totals.duplicates), (0, 3));
    assert_eq!(one.totals.changes, two.totals.changes);
    assert_eq!(left.outputs().len(), right.outputs().len());
    // And in a file of its own, days later: the horizon is seven days.
    let again = run(&right, "again.ndjson", &[once[2].clone()]);
    assert_eq!((again.totals.duplicates, again.totals.changes), (4, one.totals.changes));
}

#[test]
fn a_late_order_is_booked_where_it_belongs_and_decided_as_of_now() {
    let history = [opened("A", DAY_1), line("o1", "A", DAY_1, &order(10_000_000))];
    let surge = |occurred: &str| {
        let place = Place::new();
        let mut events = history.to_vec();
        events.push(late("surge", "A", occurred, DAY_12, &order(90_000_000)));
        run(&place, "events.ndjson", &events);
        let known = account(&place, "A");
        let frozen = place.outputs().iter().any(|each| matches!(each, Body::LimitChange(_)));
        let days: Vec<i64> = known.windows().days.iter().map(|each| each.placed).collect();
        (frozen, days, known.windows().hours.iter().map(|each| each.amount).sum::<i64>())
    };
    assert_eq!(surge(DAY_12), (true, vec![10_000_000], 90_000_000), "in time: the last 24 hours hold it");
    // Four days before its record: in its own day, and no surge of today.
    assert_eq!(surge("2025-03-08T10:00:00Z"), (false, vec![10_000_000, 90_000_000], 0));
}

#[test]
fn order_of_delivery_decides_nothing_about_windows() {
    let orders: Vec<String> = (2..8)
        .map(|day| {
            late(&format!("o{day}"), "A", &format!("2025-03-0{day}T10:00:00Z"), DAY_1_LATER, &order(day * 1_000))
        })
        .collect();
    let windows = |orders: Vec<String>| {
        let place = Place::new();
        run(&place, "events.ndjson", &[vec![opened("A", DAY_1)], orders].concat());
        account(&place, "A").orders.clone()
    };
    let reversed = orders.iter().rev().cloned().collect();
    assert_eq!(windows(orders), windows(reversed));
}
const DAY_1_LATER: &str = "2025-03-08T12:00:00Z";

#[test]
fn wrong_rule_files_are_told_all_at_once_and_the_running_ruleset_stays() {
    let mut place = Place::new();
    let before = run(&place, "first.ndjson", &[opened("A", DAY_1)]);
    let broken = |path: &str, from: &str, to: &str, rules: &mut Vec<(String, String)>| {
        let file = rules.iter_mut().find(|(each, _)| each.ends_with(path)).expect("a rule");
        assert!(file.1.contains(from), "`{path}` has no `{from}`");
        file.1 = file.1.replace(from, to);
    };
    let kept = place.rules.clone();
    broken("list_hit.rule.yaml", "fraud.list_hit\n", "fraud.list_hot\n", &mut place.rules);
    broken("boost_end.rule.yaml", "class: decrease", "class: decreese", &mut place.rules);
    let Err(RunError::Ruleset(reports)) = place.run("second.ndjson", &lines(&[opened("B", DAY_2)])) else {
        panic!("a broken ruleset was taken")
    };
    assert_eq!(reports.len(), 2, "one report for each file");
    for report in &reports {
        let shown = report.render(false);
        assert!(shown.contains("help: ") && shown.contains(&format!("{}:", report.path)), "{shown}");
    }
    assert_eq!(reader(&place).ruleset_hash().expect("the store").as_deref(), Some(&*before.ruleset.hash));
    place.rules = kept;
    let after = run(&place, "second.ndjson", &[opened("B", DAY_2)]);
    assert_eq!((after.ruleset.hash.clone(), after.accounts), (before.ruleset.hash.clone(), 2));
}

/// A ruleset in a control record.
fn published(id: &str, at: &str, hash: &str, files: &[(String, String)]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
    let file = |(path, text): &(String, String)| format!(r#"{{"path":{},"content":{}}}"#, quoted(path), quoted(text));
    let files: Vec<String> = files.iter().map(file).collect();
    let body =
        format!(r#""control":{{"ruleset_published":{{"content_hash":"{hash}","files":[{}]}}}}"#, files.join(","));
    line(id, "", at, &body)
}

#[test]
fn a_published_ruleset_comes_into_force_and_a_broken_one_does_not() {
    let place = Place::new();
    let quiet: Vec<(String, String)> =
        place.rules.iter().filter(|(path, _)| !path.starts_with("fraud/")).cloned().collect();
    let mut broken = quiet.clone();
    broken[0].1.push_str("\nnonsense: [\n");
    let surges = |days: [u32; 3]| days.map(|day| format!("2025-03-{day:02}T10:00:00Z"));
    let [first, second, third] = surges([5, 6, 20]);
    let events = [
        opened("A", DAY_1),
        opened("B", DAY_1),
        line("o1", "A", DAY_1, &order(10_000_000)),
        line("o2", "B", DAY_1, &order(10_000_000)),
        published("broken", DAY_2, &content_hash(&broken), &broken),
        published("false", DAY_2, &content_hash(&broken), &quiet),
        line("surge-1", "A", &first, &order(90_000_000)),
        published("quiet", &second, &content_hash(&quiet), &quiet),
        line("surge-2", "B", &third, &order(90_000_000)),
    ];
    let summary = run(&place, "events.ndjson", &events);
    assert_eq!(summary.totals.dead_letters.iter().collect::<Vec<_>>(), [(&"BAD_RULESET".to_owned(), &2)]);
    assert_eq!(&*summary.ruleset.hash, content_hash(&quiet));
    let mut frozen = place.outputs();
    frozen.retain(|each| matches!(each, Body::LimitChange(change) if change.reasons == ["ORDER_VOLATILITY"]));
    let [Body::LimitChange(change)] = &frozen[..] else { panic!("{} freezes", frozen.len()) };
    assert_eq!(change.account_id, "A", "the rules that freeze were in force before the switch, not after it");
    assert_eq!(change.ruleset_hash, content_hash(&place.rules));
    assert_eq!(reader(&place).ruleset_hash().expect("the store"), Some(content_hash(&quiet)));
}

#[test]
fn an_account_nobody_opened_is_booked_silently_and_reviewed_after_a_day() {
    let place = Place::new();
    let events = [
        line("o1", "U", DAY_1, &order(10_000_000)),
        line("o2", "U", "2025-03-01T11:00:00Z", &order(90_000_000)),
        line("hit", "U", "2025-03-01T11:00:00Z", &signal("fraud.list_hit", r#""bool_value":true"#)),
    ];
    run(&place, "first.ndjson", &events);
    assert_eq!(place.outputs().len(), 0, "no rule fires on it");
    let known = account(&place, "U");
    assert_eq!(known.status, Status::Provisional);
    // A day after its first event the clock passes with a record of another account.
    run(&place, "second.ndjson", &[opened("A", "2025-03-02T10:00:01Z")]);
    let outputs = place.outputs();
    let [Body::Review(review)] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!((&*review.account_id, &*review.kind), ("U", "unopened"));
    // Opened after all: what was booked counts.
    let events = [opened("U", "2025-03-03T10:00:00Z"), line("o3", "U", "2025-03-03T11:00:00Z", &order(10_000_000))];
    let summary = run(&place, "third.ndjson", &events);
    let known = account(&place, "U");
    assert_eq!((known.status, summary.accounts), (Status::Active, 2));
    assert_eq!(known.volume, 210_000_000, "base and all three orders");
}

#[test]
fn data_of_a_newer_build_is_left_alone() {
    let place = Place::new();
    run(&place, "first.ndjson", &[opened("A", DAY_1)]);
    let format = place.data_dir().join("FORMAT");
    let written = fs::read_to_string(&format).expect("the format");
    fs::write(&format, written.replace("format 3", "format 4")).expect("the format is written");
    let error = place.run("second.ndjson", &lines(&[opened("B", DAY_2)])).expect_err("a newer format was opened");
    assert_eq!(error.code(), Some("HR0302"), "{error}");
    fs::write(&format, written).expect("the format is written");
    assert_eq!(run(&place, "second.ndjson", &[opened("B", DAY_2)]).accounts, 2, "nothing of it was touched");
}

#[test]
fn a_freeze_in_the_output_is_the_one_that_the_record_made() {
    let place = Place::new();
    let events =
        [opened("A", DAY_1), line("o1", "A", DAY_1, &order(10_000_000)), line("o2", "A", DAY_12, &order(90_000_000))];
    run(&place, "events.ndjson", &events);
    let outputs = place.outputs();
    let Some(Body::LimitChange(change)) = outputs.first() else { panic!("{outputs:?}") };
    assert_eq!(change.kind(), limit_change::Kind::BlockChanged);
    let trigger = change.trigger.as_ref().expect("a trigger");
    assert_eq!((&*trigger.event_id, trigger.offset), ("o2", 2));
}
