//! No answer says "durable" before the sync that it speaks of: seen from the kernel, by `strace`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::events::{opened, order};
use crate::server::{Server, read_all, serve_command, until};

/// Events, one after the other over one connection.
const EVENTS: usize = 60;

/// A system call that has returned, with its arguments as `strace` shows them.
struct Call {
    name: String,
    text: String,
}

/// Calls in the order in which they returned; those of a thread that was interrupted are put together again.
fn calls(trace: &str) -> Vec<Call> {
    let mut begun: BTreeMap<&str, String> = BTreeMap::new();
    let mut done = Vec::new();
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(start) = rest.strip_suffix("<unfinished ...>") {
            begun.insert(thread, start.to_owned());
            continue;
        }
        let text = match rest.strip_prefix("<... ").and_then(|resumed| resumed.split_once(" resumed>")) {
            Some((_, end)) => begun.remove(thread).unwrap_or_default() + end,
            None => rest.to_owned(),
        };
        if let Some((name, _)) = text.split_once('(') {
            done.push(Call { name: name.to_owned(), text });
        }
    }
    done
}

/// What of all this counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Request,
    Synced,
    Answer,
}

fn step(call: &Call) -> Option<Step> {
    let of = |names: &[&str]| names.contains(&call.name.as_str());
    if of(&["read", "recvfrom", "readv"]) && call.text.contains("POST /v1/events") {
        Some(Step::Request)
    } else if of(&["fsync", "fdatasync"]) && call.text.contains(".log>") && call.text.ends_with("= 0") {
        Some(Step::Synced)
    } else if of(&["write", "writev", "sendto", "sendmsg"]) && call.text.contains("HTTP/1.1 200 OK") {
        Some(Step::Answer)
    } else {
        None
    }
}

/// The steps while single events are sent; `None`: nobody can be traced here.
fn traced(durability: &str) -> Option<Vec<Step>> {
    let probe = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
    if !probe.is_ok_and(|ran| ran.status.success()) {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "`strace` is missing, or may not trace");
        println!("SKIPPED: `strace` is missing, or may not trace");
        return None;
    }
    let dir = TempDir::new().unwrap();
    let trace = dir.path().join("trace");
    let path = trace.display().to_string();
    let syscalls = "trace=fsync,fdatasync,read,recvfrom,readv,write,writev,sendto,sendmsg";
    // `-D` leaves the service the child of the test, which so can stop it.
    let front = ["strace", "-D", "-f", "-y", "-s", "64", "-e", syscalls, "-o", &path];
    let settings = ["log.time=recorded", &format!("log.durability={durability}")];
    let server = Server::run(&mut serve_command(&front, &dir.path().join("data"), &settings));
    server.take(&[opened("A")]);
    until("decided", || (server.get("/readyz")["shards"][0]["backlog_records"] == 0).then_some(()));
    one_after_the_other(&server);
    server.stop();
    let text = whole_trace(&trace);
    let steps: Vec<Step> = calls(&text).iter().filter_map(step).collect();
    let requests = steps.iter().filter(|each| **each == Step::Request).count();
    assert_eq!(requests, EVENTS + 1, "every request is in the trace");
    Some(steps)
}

/// The tracer writes its last line when the service is gone already.
fn whole_trace(path: &Path) -> String {
    until("the trace ends", || {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        text.lines().last().is_some_and(|line| line.contains("+++ exited")).then_some(text)
    })
}

fn one_after_the_other(server: &Server) {
    let mut stream = server.connect("");
    for number in 0..EVENTS {
        let body = order("A", &format!("o{number}"));
        let last = if number + 1 == EVENTS { "connection: close\r\n" } else { "" };
        let head = format!(
            "POST /v1/events HTTP/1.1\r\nhost: x\r\n{last}content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        if number + 1 == EVENTS {
            assert!(read_all(&mut stream).contains(r#""accepted":1"#));
        } else {
            answer(&mut stream);
        }
        // The sync of its decision must not be taken for that of the next record.
        until("decided", || (server.get("/readyz")["shards"][0]["backlog_records"] == 0).then_some(()));
    }
}

/// Reads one answer, which has a length.
fn answer(stream: &mut std::net::TcpStream) {
    use std::io::Read;
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).unwrap();
        assert_ne!(count, 0, "the connection stays open");
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                assert!(body.contains(r#""accepted":1"#), "{body}");
                return;
            }
        }
    }
}

#[test]
fn every_answer_comes_after_its_sync() {
    let Some(steps) = traced("fsync") else { return };
    let mut synced = None;
    let mut answers = 0;
    for step in &steps {
        match step {
            Step::Request => synced = Some(false),
            Step::Synced => synced = synced.map(|_| true),
            Step::Answer => {
                // An answer to something else than events has no request here.
                if let Some(synced) = synced.take() {
                    assert!(synced, "answer {answers} was sent before its sync");
                    answers += 1;
                }
            }
        }
    }
    println!("{answers} answers, each after its sync; {} syncs of logs", count(&steps));
    assert_eq!(answers, EVENTS + 1);
}

fn count(steps: &[Step]) -> usize {
    steps.iter().filter(|each| **each == Step::Synced).count()
}

#[test]
fn without_syncs_none_is_made_for_an_answer() {
    let Some(steps) = traced("process") else { return };
    let syncs = count(&steps);
    println!("{syncs} syncs of logs for {} answers", EVENTS + 1);
    assert!(syncs < EVENTS / 4, "{syncs} syncs: the two settings differ in nothing");
}
