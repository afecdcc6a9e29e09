//! `POST /v1/events`.

use headroom_wire::{event_from_json, event_to_delimited, split_delimited};
use serde_json::{Value, json};

use super::server::{JSON, LINES, Server, list_hit, opened, order, promotion};

fn offsets(answer: &Value) -> Vec<&str> {
    answer["records"].as_array().unwrap().iter().map(|each| each["offset"].as_str().unwrap_or("-")).collect()
}

fn delimited(events: &[String]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in events {
        event_to_delimited(&event_from_json(event.as_bytes()).unwrap(), &mut bytes);
    }
    bytes
}

#[test]
fn every_form_of_body_is_taken() {
    let server = Server::start(&[]);
    let events: Vec<String> = ["A", "B", "C", "D", "E", "F", "G", "H"].map(opened).into();
    let stream = delimited(&events[6..8]);
    let message = delimited(&events[5..6]);
    let (message, _) = split_delimited(&message).unwrap().unwrap();
    let bodies: [(&str, Vec<u8>, &[&str]); 5] = [
        (JSON, events[0].clone().into(), &["0"]),
        (JSON, format!("[{},\n{}]", events[1], events[2]).into(), &["1", "2"]),
        (LINES, format!("{}\n\n{}", events[3], events[4]).into(), &["3", "4"]),
        ("application/x-protobuf", message.to_vec(), &["5"]),
        ("application/x-protobuf; delimited=true", stream, &["6", "7"]),
    ];
    for (content_type, body, expected) in bodies {
        let reply = server.post("/v1/events?wait=decided", content_type, body);
        let answer = reply.json();
        assert_eq!((reply.status, offsets(&answer)), (200, expected.to_vec()), "{content_type}: {answer}");
        assert_eq!((&answer["durability"], &answer["rejected"]), (&json!("process"), &json!(0)));
    }
    for account in ["A", "B", "C", "D", "E", "F", "G", "H"] {
        assert_eq!(server.get(&format!("/v1/accounts/{account}")).status, 200, "{account}");
    }
}

#[test]
fn decisions_come_with_the_answer_when_they_are_waited_for() {
    let server = Server::start(&[]);
    let answer = server.take(&[opened("A"), list_hit("A")]);
    assert_eq!(answer["records"][0]["outputs"], json!([]));
    let outputs = answer["records"][1]["outputs"].as_array().unwrap();
    assert_eq!(outputs.len(), 3, "{outputs:?}");
    assert_eq!(outputs[0]["limit_change"]["sequence"], "1", "64 bits are text");
    let durable = server.post("/v1/events", JSON, order("A", "o", 3, "CNY")).json();
    assert_eq!(durable["records"][0].get("outputs"), None);
}

#[test]
fn a_broadcast_stands_in_every_shard() {
    let server = Server::start(&["node.shards=3"]);
    let answer = server.take(&[promotion()]);
    let places = answer["records"][0]["places"].as_array().unwrap();
    assert_eq!(places.iter().map(|each| each["shard"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(places.iter().all(|each| each["offset"] == "0"), "{places:?}");
}

#[test]
fn wrong_records_are_refused_by_themselves() {
    let server = Server::start(&[]);
    let body = format!("{}\nnonsense\n{}\n{{}}", opened("A"), opened("B"));
    let answer = server.post("/v1/events", LINES, &body).json();
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(2), &json!(2)));
    assert_eq!(offsets(&answer), ["0", "-", "1", "-"]);
    let refused = &answer["records"][1];
    assert_eq!(
        (&refused["status"], &refused["code"], &refused["index"]),
        (&json!("rejected"), &json!("UNPARSEABLE"), &json!(1))
    );
    let compact = server.post("/v1/events?verdicts=rejected", LINES, &body).json();
    assert_eq!((&compact["accepted"], compact["records"].as_array().unwrap().len()), (&json!(2), 2));
    assert_eq!(compact["records"][1]["index"], 3);
}

#[test]
fn all_refused_is_422_and_nothing_at_all_is_200() {
    let server = Server::start(&[]);
    let refused = server.post("/v1/events", LINES, "x\ny\n");
    assert_eq!((refused.status, &refused.json()["rejected"]), (422, &json!(2)));
    for body in ["", "\n\n", "  "] {
        let nothing = server.post("/v1/events", LINES, body);
        assert_eq!((nothing.status, &nothing.json()["records"]), (200, &json!([])), "{body:?}");
    }
    assert_eq!(server.post("/v1/events", JSON, "[]").status, 200);
}

#[test]
fn a_line_that_is_too_large_is_refused_and_the_rest_goes_on() {
    let server = Server::start(&[]);
    let body = format!("{}\n{}\n{}", opened("A"), "x".repeat((1 << 20) + 1), opened("B"));
    let answer = server.post("/v1/events", LINES, body).json();
    assert_eq!(offsets(&answer), ["0", "-", "1"]);
    assert_eq!(answer["records"][1]["code"], "TOO_LARGE");
}

#[test]
fn large_bodies_go_through_in_groups() {
    let server = Server::start(&["node.shards=2"]);
    let events: Vec<String> = (0..2_500).map(|number| opened(&format!("A{number}"))).collect();
    let answer = server.take(&events);
    assert_eq!(answer["records"].as_array().unwrap().len(), 2_500);
    let accounts: u64 = server.service.readiness().iter().map(|each| each.accounts).sum();
    assert_eq!(accounts, 2_500);
}

#[test]
fn too_many_bytes_or_records_end_the_request_with_what_was_taken() {
    let server = Server::start(&["http.records_per_request_max=2", "http.body_max=4KiB"]);
    let many = server.post("/v1/events", LINES, [opened("A"), opened("B"), opened("C")].join("\n"));
    assert_eq!(many.refusal(), (413, "HR0514".to_owned()));
    assert_eq!(many.json()["taken"]["accepted"], 2);
    let announced = server.post("/v1/events", LINES, " ".repeat(5_000));
    assert_eq!(announced.refusal(), (413, "HR0514".to_owned()));
    assert_eq!(announced.json().get("taken"), None);
    assert_eq!(server.get("/v1/accounts/C").status, 404);
}

#[test]
fn other_types_and_parameters_are_refused() {
    let server = Server::start(&[]);
    for wrong in ["text/csv", "application/octet-stream"] {
        assert_eq!(server.post("/v1/events", wrong, opened("A")).refusal(), (415, "HR0515".to_owned()), "{wrong}");
    }
    for wrong in ["wait=forever", "verdicts=none", "other=1", "replayed=maybe"] {
        let reply = server.post(&format!("/v1/events?{wrong}"), JSON, opened("A"));
        assert_eq!(reply.refusal(), (400, "HR0519".to_owned()), "{wrong}");
    }
    assert_eq!(server.get("/v1/accounts/A").status, 404, "nothing was taken");
}

#[test]
fn a_body_that_is_not_what_it_says_keeps_what_came_before() {
    let server = Server::start(&[]);
    let bodies: [(&str, Vec<u8>); 2] = [
        (JSON, format!("[{},", opened("A")).into()),
        ("application/x-protobuf; delimited=true", [&delimited(&[opened("B")])[..], &[0xff; 11]].concat()),
    ];
    for (content_type, body) in bodies {
        let reply = server.post("/v1/events", content_type, body);
        assert_eq!(reply.refusal(), (400, "HR0526".to_owned()), "{content_type}");
        assert_eq!(reply.json()["taken"]["accepted"], 1, "{content_type}");
    }
}

#[test]
fn the_same_events_again_change_nothing() {
    let server = Server::start(&[]);
    let events = [opened("A"), list_hit("A")];
    server.take(&events);
    let again = server.take(&events);
    assert_eq!(again["records"][1]["outputs"], json!([]));
    assert_eq!(server.get("/v1/limit-changes").json()["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_service_that_stops_takes_nothing_more() {
    let server = Server::start(&[]);
    server.service.stop();
    assert_eq!(server.post("/v1/events", JSON, opened("A")).refusal(), (503, "HR0513".to_owned()));
    let ready = server.get("/readyz");
    assert_eq!((ready.status, &ready.json()["stopping"]), (503, &json!(true)));
}
