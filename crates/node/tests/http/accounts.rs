//! `/v1/accounts/{id}` and what hangs below it.

use std::collections::BTreeSet;

use serde_json::json;

use super::server::{JSON, LINES, Server, list_hit, opened, order};

fn frozen() -> Server {
    let server = Server::start(&["node.shards=2"]);
    server.take(&[opened("A"), order("A", "o1", 1, "CNY"), list_hit("A")]);
    server
}

#[test]
fn an_account_is_shown_as_the_document_says() {
    let server = frozen();
    let account = server.get("/v1/accounts/A").json();
    assert_eq!((&account["id"], &account["limits"]["effective"]), (&json!("A"), &json!(0)));
    let document = headroom_node::openapi();
    let told = document["components"]["schemas"]["AccountAnswer"]["properties"].as_object().unwrap();
    let (told, shown): (BTreeSet<_>, BTreeSet<_>) =
        (told.keys().collect(), account.as_object().unwrap().keys().collect());
    assert_eq!(told, shown);
}

#[test]
fn a_limit_is_explained_with_its_newest_change() {
    let server = frozen();
    let told = server.get("/v1/accounts/A/explain").json();
    let limits = &told["limits"];
    assert_eq!((&limits["base"], &limits["granted"]["amount"]), (&json!(1_000_000), &json!(1_000_000)));
    assert_eq!(limits["effective"]["bound_by"], "block:fraud");
    let why = limits["effective"]["why"].as_str().unwrap();
    assert!(
        why.starts_with("the `fraud` block holds it at 0.00 CNY of 10_000.00 CNY granted since 2025-11-02"),
        "{why}"
    );
    let block = told["terms"].as_array().unwrap().iter().find(|each| each["kind"] == "block").unwrap();
    assert_eq!((&block["name"], &block["in_force"], &block["amount"]), (&json!("fraud"), &json!(true), &json!(0)));
    assert_eq!(block["rule"]["reason"], "FRAUD_LIST_HIT");
    assert!(block["ends"].as_str().unwrap().contains("a person can lift it"), "{block}");
    let change = &told["newest_change"]["limit_change"];
    assert_eq!(change["reasons"][0], "FRAUD_LIST_HIT");
    assert!(!change["trace"]["conditions"].as_array().unwrap().is_empty());
}

#[test]
fn a_history_goes_back_page_by_page() {
    let server = frozen();
    server.take(&[order("A", "o2", 3, "USD")]);
    let whole = server.get("/v1/accounts/A/history").json();
    let all = whole["items"].as_array().unwrap();
    assert_eq!((all.len(), &whole["before"]), (4, &json!(null)));
    assert!(all[0].get("dead_letter").is_some(), "the newest first");
    let mut walked = Vec::new();
    let mut query = "limit=1".to_owned();
    loop {
        let page = server.get(&format!("/v1/accounts/A/history?{query}")).json();
        walked.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["before"].as_str() {
            Some(before) => query = format!("limit=1&before={before}"),
            None => break,
        }
    }
    assert_eq!(&walked, all);
}

#[test]
fn a_question_is_answered_and_nothing_of_it_kept() {
    let server = Server::start(&[]);
    server.take(&[opened("A")]);
    let before = server.get("/v1/accounts/A").json();
    for body in [list_hit("A"), format!("[{},{}]", order("A", "o", 2, "CNY"), list_hit("A"))] {
        let answer = server.post("/v1/accounts/A/what-if", JSON, body).json();
        assert_eq!(
            (&answer["before"]["effective"]["amount"], &answer["after"]["effective"]["amount"]),
            (&json!(1_000_000), &json!(0))
        );
        assert_eq!(answer["after"]["effective"]["bound_by"], "block:fraud");
        assert!(answer["outputs"][0].get("limit_change").is_some(), "{answer}");
        assert_eq!(answer["kept"], false);
    }
    let refused = server.post("/v1/accounts/A/what-if", JSON, "{}").json();
    assert_eq!(refused["rejected"].as_array().unwrap().len(), 1, "{refused}");
    assert_eq!(server.get("/v1/accounts/A").json(), before);
    assert_eq!(server.get("/v1/limit-changes").json()["items"], json!([]));
}

#[test]
fn questions_that_are_none_are_refused() {
    let server = frozen();
    let post = |content_type, body: String| server.post("/v1/accounts/A/what-if", content_type, body).refusal();
    assert_eq!(post(JSON, list_hit("B")), (400, "HR0526".to_owned()), "of another account");
    assert_eq!(post(JSON, "[1,".to_owned()), (400, "HR0526".to_owned()));
    assert_eq!(post(LINES, list_hit("A")), (415, "HR0515".to_owned()));
    assert_eq!(post(JSON, " ".repeat((1 << 20) + 1)), (413, "HR0514".to_owned()));
    assert_eq!(post(JSON, format!("[{}]", ["1"; 1_001].join(","))), (413, "HR0514".to_owned()));
}

#[test]
fn nobody_has_heard_of_it() {
    let server = frozen();
    for path in ["", "/explain", "/history"] {
        let reply = server.get(&format!("/v1/accounts/nobody{path}"));
        assert_eq!(reply.refusal(), (404, "HR0518".to_owned()), "{path}");
    }
    let answer = server.post("/v1/accounts/N/what-if", JSON, opened("N")).json();
    assert_eq!((&answer["before"], &answer["after"]["base"]), (&json!(null), &json!(1_000_000)));
    assert_eq!(server.get("/v1/accounts/A%2FB").refusal(), (404, "HR0518".to_owned()));
    assert_eq!(server.get("/v1/accounts/%ff").refusal(), (400, "HR0519".to_owned()));
    assert_eq!(server.get("/v1/accounts/A/history?limit=0").refusal(), (400, "HR0519".to_owned()));
}
