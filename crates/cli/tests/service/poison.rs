//! A step that panics or kills is found and set aside; everything else is decided (PROTOCOL P19).

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::events::{event, opened, order, order_at};
use crate::server::{Ended, Server, done, headroom};

const SETTINGS: &[&str] = &["log.time=recorded", "lane.tick=20ms"];
/// Starts after which the culprit must be found, counted generously: two deaths make it careful, three condemn each
/// of the few things that could be it.
const STARTS_MAX: usize = 16;

fn poisoned(dir: &TempDir, poison: &str) -> Server {
    Server::poisoned(dir.path(), SETTINGS, poison).unwrap_or_else(|ended| panic!("{}", ended.stderr))
}

/// What was set aside, as the journal tells.
fn set_aside(dir: &Path, part: &str) -> Vec<String> {
    let shown =
        done(headroom().args(["journal", "show", "--limit", "100000", "--format", "json", "--data-dir"]).arg(dir));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let records = shown["records"].as_array().unwrap().iter();
    records.flat_map(|each| each[part].as_array().cloned().unwrap_or_default()).map(|each| each.to_string()).collect()
}

fn verify(dir: &Path) {
    done(headroom().args(["journal", "verify", "--quiet", "--replay", "--data-dir"]).arg(dir));
}

fn letters(server: &Server) -> Vec<Value> {
    let mut command = headroom();
    let listed = done(command.args(["dead-letters", "list", "--format", "json", "--server", &server.url()]));
    serde_json::from_str::<Value>(&listed).unwrap()["dead_letters"].as_array().unwrap().clone()
}

/// Accounts with a review that a cancelled step asked for.
fn reviewed(server: &Server) -> Vec<String> {
    let reviews = server.all("/v1/reviews", 100);
    let reviews = reviews.iter().map(|each| &each["review"]).filter(|each| each["kind"] == "poisoned");
    reviews.map(|each| each["account_id"].as_str().unwrap().to_owned()).collect()
}

/// What orders hold.
fn used(server: &Server, account: &str) -> u64 {
    server.get(&format!("/v1/accounts/{account}"))["limits"]["used"].as_u64().unwrap()
}

/// One letter with the event's own bytes, named by the journal; the others are decided, and the journal comes out the
/// same when it is done again. Once the cause is mended, the event is.
fn only_the_event_was_set_aside(dir: &TempDir, server: Server, bad: &str) {
    let found = letters(&server);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["code"], found[0]["original"].as_str()), (&"POISONED".into(), Some(bad)));
    assert_eq!((used(&server, "A"), used(&server, "B")), (200, 100));
    server.stop();
    let named = set_aside(dir.path(), "poisoned");
    assert_eq!(named.len(), 1, "{named:?}");
    verify(dir.path());
    let server = Server::start(dir.path(), SETTINGS);
    done(headroom().args(["dead-letters", "replay", "--all", "--server", &server.url()]));
    server.take(&[order("B", "last")]);
    assert_eq!((used(&server, "A"), used(&server, "B")), (300, 200));
    server.stop();
    verify(dir.path());
}

fn events(bad: &str) -> Vec<String> {
    vec![opened("A"), opened("B"), order("A", "o1"), bad.to_owned(), order("A", "o2"), order("B", "o3")]
}

#[test]
fn an_event_that_panics_becomes_a_dead_letter() {
    let dir = TempDir::new().unwrap();
    let server = poisoned(&dir, "event:bad");
    let bad = order("A", "bad");
    let answer = server.take(&events(&bad));
    assert!(answer["records"][3]["outputs"][0].get("dead_letter").is_some(), "{answer}");
    assert!(server.log().contains("becomes a dead letter"), "{}", server.log());
    only_the_event_was_set_aside(&dir, server, &bad);
}

/// Starts until it serves and goes on doing so; says how often it died.
fn survive(dir: &TempDir, poison: &str, mut lives: impl FnMut(&Server) -> bool) -> (Server, usize) {
    for deaths in 0..STARTS_MAX {
        match Server::poisoned(dir.path(), SETTINGS, poison) {
            Ok(server) if lives(&server) => return (server, deaths),
            Ok(server) => assert_killed(&server.wait()),
            Err(ended) => assert_killed(&ended),
        }
    }
    panic!("`{poison}` kills it again and again");
}

fn assert_killed(ended: &Ended) {
    assert_eq!(ended.status.code(), None, "a signal ends it: {}", ended.stderr);
}

#[test]
fn an_event_that_kills_becomes_a_dead_letter() {
    let dir = TempDir::new().unwrap();
    let bad = order("A", "bad");
    let server = poisoned(&dir, "event:bad=kill");
    // It may die before it answers: what was taken is in the log nevertheless, or comes again.
    server.take(&[opened("A"), opened("B")]);
    drop(server.try_post("wait=durable", crate::server::LINES, events(&bad).join("\n").as_bytes()));
    assert_killed(&server.wait());
    let (server, deaths) = survive(&dir, "event:bad=kill", |server| {
        server.try_post("wait=decided", crate::server::LINES, events("").join("\n").as_bytes()).is_ok()
    });
    println!("an event killed {} times", deaths + 1);
    assert!(deaths >= 3, "two deaths make it careful, two condemn");
    only_the_event_was_set_aside(&dir, server, &bad);
}

/// A freeze until an instant: a timer.
fn frozen_until(account: &str, until: &str) -> String {
    let body = format!(r#""account":{{"manual_block":{{"scope":"SCOPE_ALL","until":"{until}"}}}}"#);
    event(account, &format!("block-{account}"), "2025-11-02T01:00:00Z", &body)
}

fn timers() -> Vec<String> {
    let accounts = ["A", "B", "C"];
    accounts.map(opened).into_iter().chain(accounts.map(|each| frozen_until(each, "2025-11-02T05:00:00Z"))).collect()
}

/// All of A's timers were cancelled and none of the others'.
fn only_the_timers_of_a(dir: &TempDir, server: Server) {
    let effective = |account: &str| server.get(&format!("/v1/accounts/{account}"))["limits"]["effective"].as_u64();
    assert_eq!([effective("B"), effective("C")], [Some(1_000_000); 2]);
    let reviewed = reviewed(&server);
    assert_eq!(reviewed, ["A"], "further ones find it open");
    assert_eq!(letters(&server), [] as [Value; 0]);
    server.stop();
    let named = set_aside(dir.path(), "cancelled");
    assert!(!named.is_empty() && named.iter().all(|each| each.contains("timer") && each.contains('A')), "{named:?}");
    verify(dir.path());
}

#[test]
fn a_timer_that_panics_is_cancelled() {
    let dir = TempDir::new().unwrap();
    let server = poisoned(&dir, "timer:A");
    server.take(&timers());
    let later = order_at("C", "later", "2025-11-02T06:00:00Z");
    server.take(&[later, order_at("B", "later still", "2025-11-04T06:00:00Z")]);
    only_the_timers_of_a(&dir, server);
}

#[test]
fn a_timer_that_kills_is_cancelled() {
    let dir = TempDir::new().unwrap();
    let server = poisoned(&dir, "timer:A=kill");
    server.take(&timers());
    let later = order_at("C", "later", "2025-11-02T06:00:00Z");
    drop(server.try_post("wait=decided", crate::server::LINES, later.as_bytes()));
    assert_killed(&server.wait());
    let again = later.clone();
    let (server, deaths) = survive(&dir, "timer:A=kill", |server| {
        server.try_post("wait=decided", crate::server::LINES, again.as_bytes()).is_ok()
    });
    println!("a timer killed {} times", deaths + 1);
    only_the_timers_of_a(&dir, server);
}

/// Everybody takes part in a promotion that comes near.
fn sweep() -> Vec<String> {
    let enrolled = |account: &str| {
        let body = r#""account":{"promotion_enrolled":{"promotion_id":"p","forecast_daily":"100","currency":"CNY"}}"#;
        event(account, &format!("enrolled-{account}"), "2025-11-02T01:00:00Z", body)
    };
    let body = r#""promotion":{"promotion_id":"p","kind":"KIND_ANNOUNCED","start":"2025-11-20T00:00:00Z","end":"2025-11-21T00:00:00Z"}"#;
    let announced = event("", "announced", "2025-11-01T02:00:00Z", body);
    let accounts = ["A", "B", "C", "D"];
    accounts.map(opened).into_iter().chain([announced]).chain(accounts.map(enrolled)).collect()
}

/// The last broadcast that an account has applied.
fn broadcast(server: &Server, account: &str) -> u64 {
    server.get(&format!("/v1/accounts/{account}"))["broadcast"].as_u64().unwrap()
}

fn only_a_was_left_out(dir: &TempDir, server: Server) {
    let before = broadcast(&server, "D");
    assert_eq!(["A", "B", "C"].map(|each| broadcast(&server, each)), [before; 3]);
    assert!(before > 1, "the promotion has come near");
    assert_eq!(reviewed(&server), ["A"]);
    assert_eq!(letters(&server), [] as [Value; 0]);
    assert_eq!(used(&server, "D"), 100);
    server.stop();
    let named = set_aside(dir.path(), "cancelled");
    assert!(matches!(&named[..], [one] if one.contains("sweep A")), "{named:?}");
    verify(dir.path());
}

/// Three days before the start, and before any daily timer would touch the accounts.
fn near() -> String {
    order_at("D", "near", "2025-11-17T01:00:00Z")
}

/// The pass goes on while nothing comes.
fn until_swept(server: &Server) -> bool {
    crate::server::until("swept", || match server.try_get("/v1/accounts/C") {
        Ok((_, body)) => {
            (serde_json::from_str::<Value>(&body).unwrap()["broadcast"].as_u64() > Some(1)).then_some(true)
        }
        Err(_) => Some(false),
    })
}

#[test]
fn an_account_whose_sweep_panics_is_left_out() {
    let dir = TempDir::new().unwrap();
    let server = poisoned(&dir, "sweep:A");
    server.take(&sweep());
    server.take(&[near()]);
    assert!(until_swept(&server));
    only_a_was_left_out(&dir, server);
}

#[test]
fn an_account_whose_sweep_kills_is_left_out() {
    let dir = TempDir::new().unwrap();
    let server = poisoned(&dir, "sweep:A=kill");
    server.take(&sweep());
    drop(server.try_post("wait=decided", crate::server::LINES, near().as_bytes()));
    if until_swept(&server) {
        panic!("nothing killed it");
    }
    assert_killed(&server.wait());
    let (server, deaths) = survive(&dir, "sweep:A=kill", until_swept);
    println!("a sweep killed {} times", deaths + 1);
    only_a_was_left_out(&dir, server);
}
