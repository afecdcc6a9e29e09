//! Clients that go away, stall, or hold connections.

use std::io::Write;
use std::net::Shutdown;

use super::server::{JSON, Server, opened, read_all, taken_apart};

fn head(length: usize) -> String {
    format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// Where the next record stands: how many were taken before it.
fn records_before(server: &Server) -> String {
    let answer = server.post("/v1/events", JSON, opened("last")).json();
    answer["records"][0]["offset"].as_str().unwrap().to_owned()
}

#[test]
fn of_a_body_that_breaks_off_whole_records_are_kept_and_nothing_of_the_cut_one() {
    let server = Server::start(&[]);
    let (whole, cut) = (opened("whole"), opened("cut"));
    // The cut record is an event by itself: only the missing line end says that more was to come.
    let mut stream = server.send(&format!("{}{whole}\n{cut}", head(100_000)));
    stream.shutdown(Shutdown::Write).unwrap();
    read_all(&mut stream);
    while server.get("/v1/accounts/whole").status == 404 {
        std::thread::yield_now();
    }
    assert_eq!(records_before(&server), "1");
    assert_eq!(server.get("/v1/accounts/cut").status, 404);
}

#[test]
fn a_body_that_stalls_is_given_up_with_what_was_taken() {
    let server = Server::start(&["http.body_timeout=100ms"]);
    let whole = opened("whole");
    let mut stream = server.send(&format!("{}{whole}\n{{\"event_id\":", head(100_000)));
    let (status, body) = taken_apart(&read_all(&mut stream));
    assert_eq!((status, body["code"].as_str().unwrap()), (408, "HR0520"));
    assert_eq!(body["taken"]["accepted"], 1);
    assert_eq!(records_before(&server), "1");
}

#[test]
fn chunks_beyond_the_bound_end_the_request_with_what_was_taken() {
    let server = Server::start(&["http.body_max=1KiB"]);
    let line = format!("{}\n", opened("A"));
    let head = "POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut stream = server.send(&format!("{head}{:x}\r\n{line}\r\n", line.len()));
    while server.get("/v1/accounts/A").status == 404 {
        std::thread::yield_now();
    }
    stream.write_all(format!("800\r\n{}", " ".repeat(0x800)).as_bytes()).unwrap();
    let answer = read_all(&mut stream);
    let (status, body) = taken_apart(&answer);
    assert_eq!((status, body["code"].as_str().unwrap()), (413, "HR0514"));
    assert_eq!(body["taken"]["accepted"], 1);
}

#[test]
fn a_head_that_does_not_come_loses_its_connection() {
    let server = Server::start(&["http.header_timeout=100ms"]);
    let mut stream = server.send("GET /healthz HTTP/1.1\r\nhost:");
    // Without the bound this would wait for ever.
    let answer = read_all(&mut stream);
    assert!(!answer.contains("200 OK"), "{answer}");
}

#[test]
fn connections_beyond_the_bound_wait_for_a_place() {
    let server = Server::start(&["http.connections_max=1"]);
    let mut first = server.send("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let mut second = server.send("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(read_all(&mut first).ends_with("ok\n"));
    assert!(read_all(&mut second).ends_with("ok\n"));
    let idle = server.connect();
    drop(idle);
    assert_eq!(server.get("/healthz").status, 200);
}
