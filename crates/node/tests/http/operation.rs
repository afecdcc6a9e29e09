//! What whoever runs the service looks at.

use serde_json::json;

use super::server::{JSON, Server, opened};

#[test]
fn a_service_says_that_it_lives_and_is_ready() {
    let server = Server::start(&["node.shards=2"]);
    assert_eq!((server.get("/healthz").status, server.get("/healthz").text.as_str()), (200, "ok\n"));
    server.take(&[opened("A")]);
    let ready = server.get("/readyz");
    let body = ready.json();
    assert_eq!((ready.status, &body["ready"], &body["durability"]), (200, &json!(true), &json!("process")));
    let shards = body["shards"].as_array().unwrap();
    assert_eq!(shards.iter().map(|each| each["accounts"].as_u64().unwrap()).sum::<u64>(), 1);
    assert!(shards.iter().all(|each| each["state"] == "serving"), "{shards:?}");
}

#[test]
fn requests_are_counted_by_their_template() {
    let server = Server::start(&[]);
    server.get("/v1/accounts/somebody");
    let text = server.get("/metrics").text;
    assert!(text.contains(r#"route="/v1/accounts/{id}""#), "{text}");
    assert!(!text.contains("somebody"));
}

#[test]
fn the_index_lists_every_route_and_the_document_is_served() {
    let server = Server::start(&[]);
    let routes = server.get("/").json()["routes"].as_array().unwrap().clone();
    assert_eq!(routes.len(), 16);
    assert!(routes.iter().all(|each| !each["summary"].as_str().unwrap().is_empty()));
    assert_eq!(server.get("/openapi.json").json(), headroom_node::openapi());
    for route in routes.iter().filter(|each| each["method"] == "GET") {
        let path = route["path"].as_str().unwrap().replace("{id}", "nobody");
        let status = server.get(&path).status;
        assert!(status == 200 || status == 404 && path.contains("nobody"), "{path}: {status}");
    }
}

#[test]
fn the_rules_in_force_are_listed() {
    let server = Server::start(&[]);
    let answer = server.get("/v1/rules").json();
    let rules = answer["rules"].as_array().unwrap();
    let ruleset = server.service.ruleset(0).unwrap();
    assert_eq!(answer["hash"], *ruleset.hash);
    let numbers: Vec<u64> = rules.iter().map(|each| each["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, ruleset.rules.iter().map(|rule| u64::from(rule.number)).collect::<Vec<_>>());
    assert!(rules.iter().all(|each| each["title"]["zh"].as_str().is_some_and(|title| !title.is_empty())));
}

#[test]
fn other_paths_and_methods_are_refused() {
    let server = Server::start(&[]);
    assert_eq!(server.get("/v1/nothing").refusal(), (404, "HR0525".to_owned()));
    assert_eq!(server.get("/v1/events").refusal(), (405, "HR0525".to_owned()));
    assert_eq!(server.post("/v1/rules", JSON, "{}").refusal(), (405, "HR0525".to_owned()));
}
