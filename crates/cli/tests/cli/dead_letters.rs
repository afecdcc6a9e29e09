//! `dead-letters`: listed from a data directory and from a service, replayed to a service.

use headroom_node::{AppendError, Config};
use serde_json::{Value, json};

use crate::command::{Ran, checkout, folder, headroom};
use crate::service::{Request, Service};

fn list(words: &[&str]) -> Ran {
    headroom(["dead-letters", "list", "--format", "json"].iter().chain(words))
}

fn replay(service: &Service, words: &[&str]) -> Ran {
    headroom(["dead-letters", "replay", "--format", "json", "--server", &service.url].iter().chain(words))
}

#[test]
fn a_data_directory_tells_what_could_not_be_taken() {
    let order = r#"{"event_id":"e","account_id":"A","occurred_at":"2025-11-10T20:05:00Z","order":{"kind":"KIND_PLACED","order_id":"o","currency":"cny","amount":"5"}}"#;
    let dir = folder(&[("e.ndjson", &format!("nonsense\n{order}\n"))]);
    let path = |name: &str| dir.path().join(name).display().to_string();
    let rules = checkout("rules").display().to_string();
    let (events, data, out) = (path("e.ndjson"), path("data"), path("o.pb"));
    let ran = headroom(["run", "--rules", &rules, "--events", &events, "--data-dir", &data, "--out", &out]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let json = list(&["--data-dir", &data]).json();
    let codes: Vec<&str> =
        json["dead_letters"].as_array().unwrap().iter().map(|each| each["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["UNPARSEABLE", "WRONG_CURRENCY"]);
    let second = &json["dead_letters"][1];
    assert_eq!((&second["original"], &second["replayable"]), (&order.into(), &true.into()));
    assert!(second["id"].as_str().unwrap().ends_with(":0:1"), "{second}");
    assert_eq!(
        list(&["--data-dir", &data, "--code", "UNPARSEABLE"]).json()["dead_letters"].as_array().unwrap().len(),
        1
    );
    let limited = list(&["--data-dir", &data, "--limit", "1"]).json();
    assert_eq!((&limited["more"], limited["dead_letters"].as_array().unwrap().len()), (&true.into(), 1));
    let by_id = list(&["--data-dir", &data, "--id", second["id"].as_str().unwrap()]).json();
    assert_eq!(by_id["dead_letters"], json!([second]));
    list(&[]).refused(2, &["--data-dir"]);
    list(&["--data-dir", &path("none")]).refused(3, &["HR0305"]);
}

/// Three letters on two pages; the second is cut.
fn letters(request: &Request) -> String {
    let letter = |offset: u32, code: &str, more: Value| {
        let mut letter = json!({"code": code, "account_id": format!("A{offset}"), "input": "http", "offset": offset.to_string(),
            "encoding": "json", "original": "e30=", "at": "2025-11-10T20:05:00Z"});
        letter.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"dead_letter": letter})
    };
    let page = match request.target.split_once("cursor=") {
        None => {
            json!({"items": [letter(1, "TOO_LARGE", json!({"original_sha256": "ab"})), letter(2, "REUSED", json!({}))],
            "cursor": "a+b", "more": true})
        }
        Some((_, "a%2Bb")) => json!({"items": [letter(3, "REUSED", json!({}))], "cursor": "c", "more": false}),
        Some(_) => panic!("{}", request.target),
    };
    page.to_string()
}

fn service() -> Service {
    Service::start(|before, request| {
        if request.target.starts_with("/v1/dead-letters?") {
            return Some((200, "", letters(request)));
        }
        assert_eq!((request.target.as_str(), &request.body[..]), ("/v1/events?wait=decided&replayed=true", &b"{}"[..]));
        let rejected = r#"{"status":"rejected","index":0,"code":"REUSED","detail":"still"}"#;
        Some(match before {
            // Both pages come first, then the letters one by one.
            2 => (429, "retry-after: 0\r\n", r#"{"code":"HR0512","message":"wait","help":""}"#.to_owned()),
            3 => (200, "", r#"{"accepted":1,"rejected":0,"records":[{"status":"accepted"}]}"#.to_owned()),
            _ => (422, "", format!(r#"{{"accepted":0,"rejected":1,"records":[{rejected}]}}"#)),
        })
    })
}

#[test]
fn a_service_tells_page_by_page() {
    let service = service();
    let json = list(&["--server", &service.url]).json();
    let ids: Vec<&str> =
        json["dead_letters"].as_array().unwrap().iter().map(|each| each["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["http:0:1", "http:0:2", "http:0:3"]);
    assert_eq!(json["dead_letters"][0]["replayable"], false);
}

#[test]
fn a_replay_tells_each_verdict() {
    let service = service();
    let ran = replay(&service, &["--all"]);
    let json = ran.json();
    let told: Vec<(&str, &str)> = json["replayed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| (each["id"].as_str().unwrap(), each["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("http:0:1", "not replayable"), ("http:0:2", "accepted"), ("http:0:3", "rejected")]);
    assert_eq!((ran.code, &json["replayed"][2]["detail"]), (1, &"still".into()));
    let posts = service.seen().iter().filter(|each| each.content_type == "application/json").count();
    assert_eq!(posts, 3, "one of them twice, because it was told to wait");
}

#[test]
fn a_replay_of_nothing_in_particular_is_not_asked_for() {
    let service = service();
    replay(&service, &[]).refused(2, &["say which", "--all"]);
    assert!(service.seen().is_empty());
    let ran = replay(&service, &["--id", "http:0:2"]);
    assert_eq!((ran.code, ran.json()["replayed"].as_array().unwrap().len()), (0, 1));
}

/// Of an account that a rule of its own blocks by a fact of its own.
const FACTS: &str = "- {name: partner.alarm, type: bool, meaning: a partner reports trouble}\n";
const RULE: &str = "id: partner_alarm
number: 9001
title: {en: Partner alarm, zh: 伙伴警报}
why: A partner saw what we cannot see.
family: fraud
class: freeze
cause: fraud
on: [fact partner.alarm]
when: partner.alarm
then:
  freeze: {scope: all}
reason: FRAUD_LIST_HIT
notice: {template: account_restricted, can_do: [wait, verify, appeal]}
on_unknown: skip
owner: risk
since: 2025-11-01
";

/// A data directory whose letters are of an undeclared fact, and one that was cut.
fn refused() -> (tempfile::TempDir, String) {
    let opened = r#"{"event_id":"1","source":"crm","account_id":"M1","occurred_at":"2025-11-01T00:00:00Z","account":{"opened":{"segment":"SEGMENT_MERCHANT_KEY","tier":"TIER_GOLD","currency":"CNY","base":"100000000"}}}"#;
    let alarm = r#"{"event_id":"2","source":"partner","account_id":"M1","occurred_at":"2025-11-01T01:00:00Z","signal":{"name":"partner.alarm","bool_value":true}}"#;
    let long = format!(r#"{{"event_id":"{}"}}"#, "9".repeat(100_000));
    let dir = folder(&[("e.ndjson", &format!("{opened}\n{alarm}\n{long}\n"))]);
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (rules, events, data, out) =
        (checkout("rules").display().to_string(), path("e.ndjson"), path("data"), path("o.pb"));
    let ran = headroom(["run", "--rules", &rules, "--events", &events, "--data-dir", &data, "--out", &out]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    (dir, data)
}

fn replay_into(data: &str, words: &[&str]) -> Ran {
    headroom(["dead-letters", "replay", "--format", "json", "--data-dir", data].iter().chain(words))
}

/// Verdict, code and outputs of each.
fn verdicts(ran: &Ran) -> Vec<[Value; 3]> {
    let json = ran.json();
    let replayed = json["replayed"].as_array().unwrap();
    replayed.iter().map(|each| ["verdict", "code", "outputs"].map(|name| each[name].clone())).collect()
}

/// Puts a ruleset with the fact in force, as a service does.
fn declare_the_fact(data: &str) {
    let mut files = headroom_sources::read_ruleset_dir(&checkout("rules")).unwrap();
    files.push(("facts.yaml".to_owned(), FACTS.to_owned()));
    files.push(("fraud/partner_alarm.rule.yaml".to_owned(), RULE.to_owned()));
    let hash = headroom_engine::Ruleset::load(&files).expect("a ruleset without errors").hash;
    let mut config = Config::load(None, &["log.time=recorded".to_owned()]).unwrap();
    config.node.data_dir = data.into();
    let service = headroom_node::Service::open(&config, &files).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    loop {
        match runtime.block_on(service.publish(&files)) {
            Ok(published) => break assert!(published, "the directory has the built-in rules"),
            Err(AppendError::Busy { .. }) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(service.ruleset(0).unwrap().hash, hash);
    service.stop();
}

#[test]
fn a_letter_of_a_directory_is_decided_again() {
    let (_dir, data) = refused();
    let before = replay_into(&data, &["--all"]);
    let dead = |code: &str| ["refused again".into(), code.into(), format!("dead letter {code}").into()];
    let cut = ["not replayable".into(), Value::Null, Value::Null];
    assert_eq!((before.code, verdicts(&before)), (1, vec![dead("UNKNOWN_FACT"), cut.clone()]));

    declare_the_fact(&data);
    let letters = list(&["--data-dir", &data]).json();
    let first = letters["dead_letters"][0]["id"].as_str().unwrap();
    let after = replay_into(&data, &["--id", first]);
    let changed = ["accepted".into(), Value::Null, "block_changed of M1, notice account_restricted to M1".into()];
    assert_eq!((after.code, verdicts(&after)), (0, vec![changed]), "{}", after.stderr);

    // The one of the first replay says the same again; nothing comes of it.
    let again = replay_into(&data, &["--all"]);
    let duplicate = ["accepted".into(), Value::Null, Value::Null];
    assert_eq!((again.code, verdicts(&again)), (1, vec![duplicate.clone(), cut, duplicate]));
}

#[test]
fn a_replay_into_a_directory_needs_one_that_is_free() {
    let (dir, data) = refused();
    replay_into(&data, &[]).refused(2, &["say which", "--all"]);
    replay_into(&data, &["--all", "--server", "http://127.0.0.1:1"]).refused(2, &["--server"]);
    let none = dir.path().join("none");
    replay_into(&none.display().to_string(), &["--all"]).refused(3, &["HR0305"]);
    assert!(!none.exists());
    let held = headroom_store::Store::open(data.as_ref(), headroom_store::StoreOptions::default()).unwrap();
    replay_into(&data, &["--all"]).refused(3, &["HR0301"]);
    drop(held);
    assert_eq!(replay_into(&data, &["--code", "UNKNOWN_FACT"]).code, 1);
}
