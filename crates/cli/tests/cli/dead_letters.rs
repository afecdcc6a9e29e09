//! `dead-letters`: listed from a data directory and from a service, replayed to a service.

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
        assert_eq!((request.target.as_str(), &request.body[..]), ("/v1/events?wait=durable&replayed=true", &b"{}"[..]));
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
