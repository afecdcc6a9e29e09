//! A reader goes on behind any change that it saw, also after a restart: with a page, and with a stream.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;

use serde_json::Value;
use tempfile::TempDir;

use crate::events::{opened, override_to};
use crate::server::Server;

const SETTINGS: &[&str] = &["log.time=recorded", "node.shards=3", "telemetry.log=error"];
const ACCOUNTS: usize = 12;
const CHANGES: usize = 20;

/// Accounts with their changes: some hundreds.
fn seed(server: &Server) {
    let accounts: Vec<String> = (0..ACCOUNTS).map(|number| format!("A{number}")).collect();
    server.take(&accounts.iter().map(|each| opened(each)).collect::<Vec<_>>());
    for round in 0..CHANGES {
        let base = 500_000 + 1_000 * round as u64;
        let events = accounts.iter().map(|each| override_to(each, &format!("{each}-{round}"), base));
        server.take(&events.collect::<Vec<_>>());
    }
}

fn id(change: &Value) -> String {
    change["limit_change"]["id"].as_str().unwrap_or_else(|| panic!("no id in {change}")).to_owned()
}

/// Every change with the cursor behind it.
fn one_by_one(server: &Server) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut query = String::new();
    loop {
        let page = server.get(&format!("/v1/limit-changes?limit=1{query}"));
        let cursor = page["cursor"].as_str().unwrap().to_owned();
        query = format!("&cursor={cursor}");
        match page["items"].as_array().unwrap().as_slice() {
            [] => return found,
            [change] => found.push((id(change), cursor)),
            more => panic!("{} on a page of one", more.len()),
        }
    }
}

/// What a cursor leads to, page by page.
fn rest(server: &Server, cursor: &str) -> Vec<String> {
    let page = server.get(&format!("/v1/limit-changes?cursor={cursor}&limit=1000"));
    assert_eq!(page["more"], false);
    page["items"].as_array().unwrap().iter().map(id).collect()
}

/// The first so many events of a stream that is resumed.
pub fn resumed(server: &Server, last_id: &str, count: usize) -> Vec<String> {
    let request = format!(
        "GET /v1/limit-changes HTTP/1.0\r\nhost: x\r\naccept: text/event-stream\r\nlast-event-id: {last_id}\r\n\r\n"
    );
    data(BufReader::new(server.connect(&request))).take(count).map(|each| id(&each)).collect()
}

/// The data of a stream's events.
fn data(stream: BufReader<TcpStream>) -> impl Iterator<Item = Value> {
    let lines = stream.lines().map(|line| line.expect("the stream goes on"));
    lines.filter_map(|line| line.strip_prefix("data: ").map(|data| serde_json::from_str(data).unwrap()))
}

#[test]
fn a_reader_goes_on_behind_every_change_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let server = Server::start(dir.path(), SETTINGS);
    seed(&server);
    let all = one_by_one(&server);
    assert_eq!(all.len(), ACCOUNTS * CHANGES);
    let ids: Vec<String> = all.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "nothing twice");
    // Without a chance to put anything in order.
    server.kill();
    let server = Server::start(dir.path(), SETTINGS);
    for (at, (_, cursor)) in all.iter().enumerate() {
        assert_same(&rest(&server, cursor), &ids[at + 1..], at);
        // The stream has no end: one more than the rest would never come.
        assert_same(&resumed(&server, cursor, ids.len() - at - 1), &ids[at + 1..], at);
    }
    println!("{} cursors, each resumed by page and by stream", all.len());
    // Behind the last one nothing comes but what is new.
    let (_, last) = all.last().unwrap();
    server.take(&[override_to("A0", "new", 700_000)]);
    assert_eq!(rest(&server, last), resumed(&server, last, 1));
    server.stop();
}

/// Page size may change the order between shards, never what is there.
fn assert_same(found: &[String], expected: &[String], at: usize) {
    let sorted = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(found.len(), expected.len(), "behind change {at}");
    assert_eq!(sorted(found), sorted(expected), "behind change {at}");
}
