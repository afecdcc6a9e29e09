//! Outputs as server-sent events.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;

use serde_json::Value;

use super::server::{Server, list_hit, opened, read_all};

/// A stream that is read event by event.
struct Events(BufReader<TcpStream>);

#[derive(Debug, Default)]
struct Event {
    id: String,
    name: String,
    data: String,
}

impl Events {
    fn open(server: &Server, path: &str, last_id: Option<&str>) -> Self {
        let resumed = last_id.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let request = format!("GET {path} HTTP/1.0\r\nhost: x\r\naccept: text/event-stream\r\n{resumed}\r\n");
        let mut events = Self(BufReader::new(server.send(&request)));
        assert!(events.line().contains("200"));
        while !events.line().is_empty() {}
        events
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end_matches(['\r', '\n']).to_owned()
    }

    /// The next event; comments and ids by themselves are none.
    fn next(&mut self) -> Event {
        let mut event = Event::default();
        loop {
            let line = self.line();
            match line.split_once(": ") {
                Some(("id", id)) => event.id = id.to_owned(),
                Some(("event", name)) => event.name = name.to_owned(),
                Some(("data", data)) => event.data = data.to_owned(),
                _ if line.is_empty() && !event.data.is_empty() => return event,
                _ => {}
            }
        }
    }

    fn change(&mut self) -> (String, String) {
        let event = self.next();
        assert_eq!(event.name, "limit_change");
        let output: Value = serde_json::from_str(&event.data).unwrap();
        (event.id, output["limit_change"]["id"].as_str().unwrap().to_owned())
    }
}

fn frozen(accounts: usize) -> Server {
    let server = Server::start(&["node.shards=2", "http.stream_buffer=4KiB"]);
    let ids: Vec<String> = (0..accounts).map(|number| format!("A{number}")).collect();
    server.take(&ids.iter().map(|id| opened(id)).collect::<Vec<_>>());
    server.take(&ids.iter().map(|id| list_hit(id)).collect::<Vec<_>>());
    server
}

#[test]
fn a_stream_has_what_is_kept_and_then_what_comes() {
    let server = frozen(5);
    let mut events = Events::open(&server, "/v1/limit-changes", None);
    let mut seen: BTreeSet<String> = (0..5).map(|_| events.change().1).collect();
    server.take(&[opened("B"), list_hit("B")]);
    seen.insert(events.change().1);
    assert_eq!(seen.len(), 6);
}

#[test]
fn a_stream_goes_on_after_any_of_its_events() {
    let server = frozen(8);
    let mut events = Events::open(&server, "/v1/limit-changes", None);
    let all: Vec<(String, String)> = (0..8).map(|_| events.change()).collect();
    for at in 0..8 {
        let mut resumed = Events::open(&server, "/v1/limit-changes?cursor=end", Some(&all[at].0));
        let mut seen: BTreeSet<String> = all[..=at].iter().map(|(_, id)| id.clone()).collect();
        seen.extend((at + 1..8).map(|_| resumed.change().1));
        assert_eq!(seen.len(), 8, "after event {at}");
    }
}

#[test]
fn streams_end_as_they_should_when_the_service_stops() {
    let mut server = frozen(2);
    let open = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n");
        let mut stream = BufReader::new(server.send(&request));
        let mut line = String::new();
        while !line.starts_with(": open") {
            line.clear();
            assert_ne!(stream.read_line(&mut line).unwrap(), 0, "ended before it began");
        }
        stream
    };
    let mut streams = [open("/v1/limit-changes"), open("/v1/reviews?cursor=end")];
    server.stop();
    let ends = streams.each_mut().map(|stream| {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        rest
    });
    // The last chunk says that nothing was cut off.
    assert!(ends.iter().all(|end| end.ends_with("\r\n0\r\n\r\n")), "{ends:?}");
    assert_eq!(ends[0].matches("event: limit_change").count(), 2);
}

#[test]
fn who_waits_for_a_page_gets_an_empty_one_when_the_service_stops() {
    let answered = || {
        let mut server = Server::start(&[]);
        let mut stream = server.send("GET /v1/limit-changes?cursor=end&wait=30 HTTP/1.1\r\nhost: x\r\n\r\n");
        server.get("/healthz");
        server.stop();
        read_all(&mut stream).contains(r#""items":[]"#)
    };
    // A request that was not read yet when the service stopped gets no answer; mostly it has been.
    assert!((0..20).any(|_| answered()));
}

#[test]
fn a_slow_reader_misses_nothing() {
    let server = frozen(40);
    let mut slow = Events::open(&server, "/v1/notices", None);
    let mut quick = Events::open(&server, "/v1/notices", None);
    let ids = |events: &mut Events| -> Vec<String> { (0..40).map(|_| events.next().id).collect() };
    let expected = ids(&mut quick);
    assert_eq!(ids(&mut slow), expected);
}
