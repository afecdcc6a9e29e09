//! `GET /v1/limit-changes` and its like: pages, cursors, waiting.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::server::{LINES, Server, list_hit, opened, order};

/// As many frozen accounts, over three shards: each has a limit change, a review and a notice.
fn frozen(accounts: usize) -> Server {
    let server = Server::start(&["node.shards=3"]);
    let ids: Vec<String> = (0..accounts).map(|number| format!("A{number}")).collect();
    server.take(&ids.iter().map(|id| opened(id)).collect::<Vec<_>>());
    server.take(&ids.iter().map(|id| list_hit(id)).collect::<Vec<_>>());
    server
}

fn page(server: &Server, query: &str) -> (Vec<String>, String, bool) {
    let reply = server.get(&format!("/v1/limit-changes?{query}"));
    let page = reply.json();
    assert_eq!(reply.status, 200, "{page}");
    let ids = page["items"].as_array().unwrap().iter().map(id).collect();
    (ids, page["cursor"].as_str().unwrap().to_owned(), page["more"].as_bool().unwrap())
}

fn id(item: &Value) -> String {
    item["limit_change"]["id"].as_str().unwrap().to_owned()
}

/// From a cursor on until there is no more, page by page.
fn rest(server: &Server, cursor: &str, limit: usize) -> Vec<String> {
    let mut all = Vec::new();
    let mut cursor = cursor.to_owned();
    loop {
        let (ids, next, more) = page(server, &format!("cursor={cursor}&limit={limit}"));
        assert!(ids.len() <= limit);
        all.extend(ids);
        cursor = next;
        if !more {
            return all;
        }
    }
}

#[test]
fn every_size_of_page_gives_everything_once() {
    let server = frozen(20);
    let (all, ..) = page(&server, "");
    let everything: BTreeSet<&String> = all.iter().collect();
    assert_eq!((all.len(), everything.len()), (20, 20));
    for limit in [1, 2, 3, 7, 19, 20, 1_000] {
        let (first, cursor, _) = page(&server, &format!("limit={limit}"));
        let walked: Vec<String> = first.into_iter().chain(rest(&server, &cursor, limit)).collect();
        assert_eq!(walked.len(), 20, "limit {limit}");
        assert_eq!(walked.iter().collect::<BTreeSet<_>>(), everything, "limit {limit}");
    }
}

#[test]
fn from_every_position_comes_exactly_what_is_left() {
    let server = frozen(12);
    let (mut seen, mut cursor, _) = page(&server, "limit=1");
    loop {
        let left = rest(&server, &cursor, 5);
        let together: BTreeSet<&String> = seen.iter().chain(&left).collect();
        assert_eq!((seen.len() + left.len(), together.len()), (12, 12), "after {}", seen.len());
        if left.is_empty() {
            break;
        }
        let (next, moved, _) = page(&server, &format!("cursor={cursor}&limit=1"));
        seen.extend(next);
        cursor = moved;
    }
    assert_eq!(seen.len(), 12);
}

#[test]
fn each_kind_has_its_path() {
    let server = frozen(2);
    server.take(&[order("A0", "o", 3, "USD")]);
    let paths = [
        ("limit-changes", "limit_change", 2),
        ("reviews", "review", 2),
        ("notices", "notice", 2),
        ("dead-letters", "dead_letter", 1),
        ("offers", "offer", 0),
    ];
    for (path, field, count) in paths {
        let answer = server.get(&format!("/v1/{path}")).json();
        let items = answer["items"].as_array().unwrap();
        assert_eq!(items.len(), count, "{path}");
        assert!(items.iter().all(|item| item.get(field).is_some()), "{path}: {items:?}");
    }
    let letters = server.get("/v1/dead-letters").json();
    assert_eq!(letters["items"][0]["dead_letter"]["code"], "WRONG_CURRENCY");
}

#[test]
fn one_account_by_itself_and_page_by_page() {
    let server = frozen(5);
    let answer = server.get("/v1/limit-changes?account=A3").json();
    assert_eq!(answer["items"].as_array().unwrap().len(), 1);
    assert_eq!(answer["items"][0]["limit_change"]["account_id"], "A3");
    let orders: Vec<String> = (0..300).map(|number| order("A3", &format!("o{number}"), 3, "USD")).collect();
    server.take(&orders);
    let mut events = Vec::new();
    let mut query = "account=A3&limit=7".to_owned();
    loop {
        let page = server.get(&format!("/v1/dead-letters?{query}")).json();
        let items = page["items"].as_array().unwrap();
        events.extend(
            items.iter().map(|each| each["dead_letter"]["offset"].as_str().unwrap_or("0").parse::<u64>().unwrap()),
        );
        query = format!("account=A3&limit=7&cursor={}", page["cursor"].as_str().unwrap());
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(events.len(), 300);
    assert!(events.is_sorted(), "{events:?}");
    assert_eq!(server.get("/v1/limit-changes?account=nobody").json()["items"], json!([]));
}

#[test]
fn lines_have_the_cursor_in_their_headers() {
    let server = frozen(3);
    let reply = server.get_as("/v1/limit-changes?limit=2", &[("accept", LINES)]);
    assert_eq!((reply.text.lines().count(), &reply.headers["headroom-more"]), (2, &"true".parse().unwrap()));
    let cursor = reply.headers["headroom-cursor"].to_str().unwrap();
    assert_eq!(rest(&server, cursor, 10).len(), 1);
}

#[test]
fn who_waits_gets_what_comes() {
    let server = frozen(1);
    let (nothing, end, _) = page(&server, "cursor=end");
    assert!(nothing.is_empty());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| page(&server, &format!("cursor={end}&wait=30")));
        server.take(&[opened("B"), list_hit("B")]);
        let (ids, ..) = waiting.join().unwrap();
        assert_eq!(ids.len(), 1);
    });
}

#[test]
fn cursors_of_others_are_refused() {
    let server = frozen(1);
    let single = Server::start(&[]);
    let other = single.get("/v1/limit-changes").json()["cursor"].as_str().unwrap().to_owned();
    let empty = Server::start(&["node.shards=3"]);
    let ahead = server.get("/v1/limit-changes").json()["cursor"].as_str().unwrap().to_owned();
    for (server, cursor) in [(&server, "nonsense"), (&server, "%20"), (&server, &other), (&empty, &ahead)] {
        let reply = server.get(&format!("/v1/limit-changes?cursor={cursor}"));
        assert_eq!(reply.refusal(), (400, "HR0516".to_owned()), "{cursor}");
    }
    for query in ["limit=0", "limit=x", "wait=-1", "sort=up"] {
        let reply = server.get(&format!("/v1/limit-changes?{query}"));
        assert_eq!(reply.refusal(), (400, "HR0519".to_owned()), "{query}");
    }
}

#[test]
fn below_what_is_kept_is_410() {
    let server = Server::start(&["retention.keep=1m", "retention.trim_every=1s"]);
    let start = server.get("/v1/limit-changes").json()["cursor"].as_str().unwrap().to_owned();
    server.take(&[opened("A"), list_hit("A")]);
    let mut day = 10;
    let url = format!("/v1/limit-changes?cursor={start}");
    // The clock moves with the records; trimming follows when the service looks for what is too old.
    let gone = loop {
        server.take(&[order("A", &format!("o{day}"), day.min(28), "CNY")]);
        day += 1;
        let reply = server.get(&url);
        if reply.status != 200 {
            break reply;
        }
    };
    assert_eq!(gone.refusal(), (410, "HR0517".to_owned()));
    let stream = server.get_as(&url, &[("accept", "text/event-stream")]);
    assert_eq!(stream.refusal(), (410, "HR0517".to_owned()), "before anything is sent");
    assert_eq!(server.get("/v1/limit-changes").status, 200, "from the oldest kept on");
}
