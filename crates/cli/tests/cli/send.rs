//! `send`: every record reaches the service, those of an account in their order, whatever the service answers.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::command::{Ran, checkout, folder, headroom};
use crate::service::{Request, Said, Service, accepted};

fn send(service: &Service, files: &[&str], more: &[&str]) -> Ran {
    let fixed = ["send", "--server", &service.url, "--format", "json"];
    headroom(fixed.iter().chain(files).chain(more))
}

fn story() -> String {
    checkout("examples/double11.ndjson").display().to_string()
}

fn season(dir: &Path, name: &str) -> String {
    let path = dir.join(name).display().to_string();
    let plan = ["--accounts", "40", "--days", "40", "--seed", "3"];
    assert_eq!(headroom(["generate", "--output", &path].iter().chain(&plan)).code, 0);
    path
}

fn lines(request: &Request) -> Vec<Value> {
    let text = std::str::from_utf8(&request.body).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn take_all(_: usize, request: &Request) -> Said {
    accepted(lines(request).len())
}

/// Event ids by account, in the order of the records.
fn by_account(records: impl Iterator<Item = Value>) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for each in records {
        let account = each["account_id"].as_str().unwrap_or("").to_owned();
        found.entry(account).or_default().push(each["event_id"].to_string());
    }
    found
}

fn in_file(path: &str) -> BTreeMap<String, Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap();
    by_account(text.lines().map(|line| serde_json::from_str(line).unwrap()))
}

#[test]
fn records_of_an_account_keep_their_order_and_their_connection() {
    let dir = folder(&[]);
    let file = season(dir.path(), "s.ndjson");
    let service = Service::start(take_all);
    let ran = send(&service, &[&file], &["--connections", "3", "--records-per-request", "20"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let seen = service.seen();
    assert_eq!(by_account(seen.iter().flat_map(lines)), in_file(&file));
    let mut connections = BTreeMap::new();
    for (request, record) in seen.iter().flat_map(|each| lines(each).into_iter().map(move |line| (each, line))) {
        if let Some(account) = record["account_id"].as_str() {
            let first = *connections.entry(account.to_owned()).or_insert(request.connection);
            assert_eq!(first, request.connection, "{account}");
        }
    }
    assert!(seen.iter().all(|each| lines(each).len() <= 20));
    assert_eq!(seen[0].target, "/v1/events?wait=durable&verdicts=rejected");
    let json = ran.json();
    assert_eq!((&json["accepted"], &json["requests"]), (&json["records"], &seen.len().into()));
    assert!(json["request_latency_us"]["max"].as_u64() >= json["request_latency_us"]["p50"].as_u64(), "{json}");
}

#[test]
fn a_broadcast_goes_alone_with_everything_before_it_answered() {
    let dir = folder(&[]);
    let file = season(dir.path(), "s.ndjson");
    let service = Service::start(take_all);
    assert_eq!(send(&service, &[&file], &["--connections", "4"]).code, 0);
    let sent: Vec<Vec<Value>> = service.seen().iter().map(lines).collect();
    let is_broadcast = |each: &Value| each["account_id"].is_null();
    let text = std::fs::read_to_string(&file).unwrap();
    let (mut before, mut at) = (0, 0);
    for line in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        if is_broadcast(&line) {
            let mut records = 0;
            while sent[at] != [line.clone()] {
                records += sent[at].len();
                at += 1;
            }
            assert_eq!(records, before, "everything before it came before it, and nothing else");
            (before, at) = (0, at + 1);
        } else {
            before += 1;
        }
    }
    assert!(at > 1, "there are broadcasts");
}

#[test]
fn what_a_busy_or_broken_service_did_not_take_is_sent_again() {
    let service = Service::start(|before, request| match before {
        0 => {
            let taken = r#""taken":{"durability":"fsync","accepted":3,"rejected":0,"records":[]}"#;
            let body = format!(r#"{{"code":"HR0512","message":"too many","help":"wait",{taken}}}"#);
            Some((429, "retry-after: 0\r\n", body))
        }
        1 => None,
        2 => Some((503, "", r#"{"code":"HR0513","message":"the service is stopping","help":""}"#.to_owned())),
        _ => take_all(before, request),
    });
    let ran = send(&service, &[&story()], &["--connections", "1", "--records-per-request", "1000"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let json = ran.json();
    let file = std::fs::read_to_string(story()).unwrap();
    let records = file.lines().count();
    assert_eq!((&json["records"], &json["accepted"]), (&records.into(), &records.into()));
    let seen = service.seen();
    assert_eq!(lines(&seen[1]), lines(&seen[0])[3..]);
    assert_eq!((&seen[2].body, &seen[3].body), (&seen[1].body, &seen[1].body));
    let again = 2 * (lines(&seen[0]).len() - 3);
    assert_eq!((&json["maybe_sent_twice"], &json["told_to_wait"]), (&again.into(), &1.into()));
    assert_eq!(json["retries"], 3);
}

#[test]
fn refused_records_are_named_and_counted() {
    let dir = folder(&[("bad.ndjson", "\n{\"event_id\":\"a\",\"account_id\":\"A\"}\nnonsense\n")]);
    let service = Service::start(|_, request| {
        let count = request.body.iter().filter(|byte| **byte == b'\n').count();
        let of = |index| format!(r#"{{"status":"rejected","index":{index},"code":"UNPARSEABLE","detail":"no"}}"#);
        let records: Vec<String> = (0..count).map(of).collect();
        let records = records.join(",");
        Some((422, "", format!(r#"{{"durability":"fsync","accepted":0,"rejected":{count},"records":[{records}]}}"#)))
    });
    let bad = dir.path().join("bad.ndjson").display().to_string();
    let ran = send(&service, &[&bad], &["--connections", "1"]);
    let json = ran.json();
    assert_eq!((ran.code, &json["rejected"]["UNPARSEABLE"]), (1, &2.into()), "{json}");
    let places: Vec<u64> =
        json["first_rejected"].as_array().unwrap().iter().map(|each| each["record"].as_u64().unwrap()).collect();
    assert_eq!(places, [1, 2]);
    let ran = send(&service, &[&bad], &["--connections", "1", "--encoding", "protobuf"]);
    assert_eq!(ran.json()["first_rejected"][0]["record"], 2, "what has no other form is refused here");
}

#[test]
fn both_encodings_hold_the_same_events() {
    let dir = folder(&[]);
    let (text, frames) = (season(dir.path(), "s.ndjson"), season(dir.path(), "s.pb.zst"));
    let service = Service::start(take_all);
    assert_eq!(send(&service, &[&frames], &["--connections", "2"]).code, 0);
    assert_eq!(by_account(service.seen().iter().flat_map(lines)), in_file(&text));
    let service = Service::start(|_, request| {
        let (mut rest, mut count) = (&request.body[..], 0);
        while !rest.is_empty() {
            let low = usize::from(rest[0] & 0x7f);
            let (length, head) = if rest[0] < 0x80 { (low, 1) } else { (low + (usize::from(rest[1]) << 7), 2) };
            rest = &rest[head + length..];
            count += 1;
        }
        accepted(count)
    });
    for file in [&text, &frames] {
        let ran = send(&service, &[file], &["--encoding", "protobuf", "--connections", "1"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
    let seen = service.seen();
    assert!(seen.iter().all(|each| each.content_type == "application/x-protobuf; delimited=true"));
    let half = seen.len() / 2;
    let bodies = |part: &[Request]| part.iter().flat_map(|each| each.body.clone()).collect::<Vec<u8>>();
    assert!(bodies(&seen[..half]) == bodies(&seen[half..]), "JSON and protobuf files are sent alike");
}

#[test]
fn a_service_that_is_gone_or_refuses_the_request_ends_it() {
    let silent = Service::start(|_, _| None);
    send(&silent, &[&story()], &["--retry-for", "0"]).refused(1, &["takes nothing any more"]);
    let strict = Service::start(|_, _| Some((415, "", r#"{"code":"HR0516","message":"not taken","help":""}"#.into())));
    send(&strict, &[&story()], &[]).refused(1, &["refused: HR0516: not taken"]);
    let forgetful = Service::start(|_, _| accepted(0));
    send(&forgetful, &[&story()], &[]).refused(1, &["gave 0 verdicts to"]);
    headroom(["send", "--server", "localhost:1", &story()]).refused(2, &["`localhost:1` is no address"]);
    send(&silent, &["none.pb"], &[]).refused(1, &["none.pb", "No such file"]);
}

#[test]
fn a_rate_is_kept_from_the_first_record_on() {
    let service = Service::start(take_all);
    let ran = send(&service, &[&story()], &["--rate", "900", "--records-per-request", "10"]);
    let json = ran.json();
    let records = json["records"].as_u64().unwrap();
    // Waits below a millisecond are not taken.
    assert!(json["millis"].as_u64().unwrap() + 1 >= records * 1_000 / 900, "{json}");
}
