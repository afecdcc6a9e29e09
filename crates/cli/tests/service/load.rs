//! Sixty-four clients at once, readers of every kind, and clients that behave badly: what was acknowledged is decided
//! exactly once, every reader sees the same, and nothing is left of them in the process.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::events::{delimited, opened, order, override_to};
use crate::process::{memory_now, memory_peak, sockets, threads};
use crate::server::{DELIMITED, JSON, LINES, Server, read_all, until};

const CLIENTS: usize = 64;
const EVENTS: usize = 500;
const ACCOUNTS: usize = 4;
/// Records of a request, where it has several.
const CHUNK: usize = 40;
/// Every so manieth event changes a limit.
const CHANGE_EVERY: usize = 10;

const MIB: u64 = 1 << 20;
const SHARDS: u64 = 2;

/// Small everywhere, so that what is too much is refused.
const SETTINGS: &[&str] = &[
    "log.time=recorded",
    "telemetry.log=error",
    "node.shards=2",
    "log.queue_records=300",
    "log.group_records=300",
    "log.queue_bytes=1MiB",
    "lane.batch_records=200",
    "http.body_max=256KiB",
    "http.page_max=500",
    "http.stream_buffer=64KiB",
    "http.blocking_reads_max=4",
    "store.block_cache=16MiB",
    "store.write_buffers=16MiB",
    "store.write_buffer=4MiB",
    "store.account_bytes_cached=8MiB",
    "store.seen_cached=50000",
];

/// What the settings allow beyond what a service has that does nothing.
///
/// The store: blocks and write buffers, of which one may be over while it is written. A shard: accounts, seen ids of 40
/// bytes, and what waits, up to four times (as it came, decoded, on its way into the log, in a commit). A connection:
/// its body once in the socket's buffers and once in groups. A reader: a page as rows and as JSON, of at most
/// `stream_buffer` for a stream and 500 rows of 4 KiB for a page; and a quarter for what the allocator holds back.
fn memory_bound() -> u64 {
    let store = 16 * MIB + 16 * MIB + 4 * MIB;
    let shard = 8 * MIB + 50_000 * 40 + 4 * MIB;
    let connections = (CLIENTS + 16) as u64 * 2 * 256 * 1024;
    let readers = 4 * 2 * 500 * 4096 + 8 * 4 * 64 * 1024;
    (store + SHARDS * shard + connections + readers) * 5 / 4
}

/// What a client sends, and what must come of it.
struct Client {
    number: usize,
    events: Vec<String>,
}

/// Of an account in the end.
#[derive(Debug, PartialEq)]
struct End {
    used: u64,
    base: u64,
    changes: u64,
}

fn account(client: usize, number: usize) -> String {
    format!("C{client}-{number}")
}

impl Client {
    fn new(number: usize) -> Self {
        let opens = (0..ACCOUNTS).map(|each| opened(&account(number, each)));
        let others = (ACCOUNTS..EVENTS).map(|at| {
            let (account, id) = (account(number, at % ACCOUNTS), format!("e{number}-{at}"));
            if Self::changes(at) { override_to(&account, &id, base(at)) } else { order(&account, &id) }
        });
        Self { number, events: opens.chain(others).collect() }
    }

    fn changes(at: usize) -> bool {
        at % CHANGE_EVERY == CHANGE_EVERY - 1
    }

    fn expected(&self, of: usize) -> End {
        let mut end = End { used: 0, base: 1_000_000, changes: 0 };
        for at in (ACCOUNTS..EVENTS).filter(|at| at % ACCOUNTS == of) {
            if Self::changes(at) {
                (end.base, end.changes) = (base(at), end.changes + 1);
            } else {
                end.used += 100;
            }
        }
        end
    }

    /// Its requests: type, body, records in it, and how many of them are wrong.
    fn requests(&self) -> Vec<(&'static str, Vec<u8>, u64, u64)> {
        match self.number % 3 {
            0 => self.events.chunks(CHUNK).map(|chunk| (LINES, lines(chunk), chunk.len() as u64, 2)).collect(),
            1 => self.events.chunks(CHUNK).map(|chunk| (DELIMITED, delimited(chunk), chunk.len() as u64, 0)).collect(),
            _ => self.events.iter().map(|each| (JSON, each.clone().into_bytes(), 1, 0)).collect(),
        }
    }

    /// Sends everything; what is refused for now comes again, and of what was taken some comes twice.
    fn run(&self, server: &Server, busy: &AtomicU64) {
        let wait = if self.number.is_multiple_of(2) { "wait=durable&verdicts=rejected" } else { "wait=decided" };
        for (at, (kind, body, good, bad)) in self.requests().into_iter().enumerate() {
            for _ in 0..1 + usize::from(at.is_multiple_of(5)) {
                let answer = self.send(server, wait, kind, &body, busy);
                assert_eq!(
                    (answer["accepted"].as_u64(), answer["rejected"].as_u64()),
                    (Some(good), Some(bad)),
                    "{answer}"
                );
            }
        }
    }

    fn send(&self, server: &Server, wait: &str, kind: &str, body: &[u8], busy: &AtomicU64) -> Value {
        loop {
            match server.try_post(wait, kind, body).unwrap() {
                (200, answer) => return answer,
                (429, answer) => {
                    assert_eq!(answer["code"], "HR0512", "{answer}");
                    busy.fetch_add(1, Ordering::Relaxed);
                    // Earlier than it was told to, so that it is refused often; not at once, so that others get on.
                    std::thread::sleep(Duration::from_millis(10));
                }
                other => panic!("client {}: {other:?}", self.number),
            }
        }
    }
}

fn base(at: usize) -> u64 {
    500_000 + 100 * at as u64
}

/// With two wrong lines among them: one is no event, one has an amount that is none.
fn lines(chunk: &[String]) -> Vec<u8> {
    let wrong = chunk.last().unwrap().replace(r#":"100""#, r#":"lots""#).replace("base", "basis");
    let mut text = chunk.join("\n");
    text = format!("nonsense\n{text}\n{wrong}");
    text.into_bytes()
}

/// A limit change as readers compare it.
type Seen = Vec<(String, u64)>;

fn seen(output: &Value) -> (String, u64) {
    let change = &output["limit_change"];
    (change["account_id"].as_str().unwrap().to_owned(), change["sequence"].as_str().unwrap().parse().unwrap())
}

/// Reads pages of a size until everything was sent and nothing is left.
fn poll(server: &Server, size: usize, sent: &AtomicBool) -> Seen {
    let mut found = Seen::new();
    let mut cursor = String::new();
    loop {
        let over = sent.load(Ordering::Acquire);
        let page = server.get(&format!("/v1/limit-changes?limit={size}&wait=1{cursor}"));
        let items = page["items"].as_array().unwrap();
        found.extend(items.iter().map(seen));
        cursor = format!("&cursor={}", page["cursor"].as_str().unwrap());
        if over && items.is_empty() && page["more"] == false {
            return found;
        }
    }
}

const STREAM: &str = "GET /v1/limit-changes HTTP/1.0\r\nhost: x\r\naccept: text/event-stream\r\n\r\n";

/// A stream's changes, as many as there must be, read by so many bytes at a time.
fn stream(server: &Server, bytes: usize, count: usize, begin: impl FnOnce()) -> Seen {
    let stream = server.connect(STREAM);
    begin();
    let lines = BufReader::with_capacity(bytes, stream).lines().map(|line| line.expect("the stream goes on"));
    let data = lines.filter_map(|line| Some(seen(&serde_json::from_str(line.strip_prefix("data: ")?).unwrap())));
    data.take(count).collect()
}

/// Asks for a page, reads some of it, and goes away.
fn leave_half_way(server: &Server, sent: &AtomicBool) {
    while !sent.load(Ordering::Acquire) {
        let mut stream = server.connect("GET /v1/limit-changes?limit=500&wait=1 HTTP/1.1\r\nhost: x\r\n\r\n");
        let mut some = [0; 7];
        stream.read_exact(&mut some).unwrap();
        assert_eq!(&some, b"HTTP/1.");
    }
}

/// Requests that are none, and bodies that break off. Whole lines count, the cut one never.
fn misbehave(server: &Server, round: usize) {
    let head = |length: usize| {
        format!("POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: {LINES}\r\ncontent-length: {length}\r\n\r\n")
    };
    let (whole, cut) = (opened(&format!("whole{round}")), opened(&format!("cut{round}")));
    let mut stream = server.connect(&format!("{}{whole}\n{cut}", head(100_000)));
    stream.shutdown(Shutdown::Write).unwrap();
    read_all(&mut stream);
    drop(server.connect(&format!("{}{whole}\n{}", head(100_000), &cut[..40])));
    drop(server.connect("POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-le"));
    drop(server.connect(&head(100)));
    drop(server.connect(""));
    let mut large = server.connect(&head(10_000_000));
    assert!(starts_with_status(&mut large, "413"));
    let mut garbage = server.connect("\u{1}\u{2} no http at all\r\n\r\n");
    assert!(starts_with_status(&mut garbage, "400"));
}

fn starts_with_status(stream: &mut std::net::TcpStream, status: &str) -> bool {
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    String::from_utf8_lossy(&start) == format!("HTTP/1.1 {status}")
}

#[test]
fn sixty_four_clients_at_once() {
    let dir = TempDir::new().unwrap();
    let server = Server::start(dir.path(), SETTINGS);
    let at_rest = (sockets(server.id()), threads(server.id()), memory_now(server.id()));
    let clients: Vec<Client> = (0..CLIENTS).map(Client::new).collect();
    let ends = |client: &Client| (0..ACCOUNTS).map(|of| client.expected(of).changes).sum::<u64>();
    let expected = usize::try_from(clients.iter().map(ends).sum::<u64>()).unwrap();
    let (busy, sent) = (AtomicU64::new(0), AtomicBool::new(false));
    let (busy, sent, server_ref) = (&busy, &sent, &server);
    let readers: Vec<Seen> = std::thread::scope(|scope| {
        let wait_for_the_end = || {
            while !sent.load(Ordering::Acquire) {
                std::thread::park_timeout(Duration::from_millis(20))
            }
        };
        let readers = vec![
            scope.spawn(move || poll(server_ref, 3, sent)),
            scope.spawn(move || poll(server_ref, 100, sent)),
            scope.spawn(move || poll(server_ref, 500, sent)),
            scope.spawn(move || stream(server_ref, 1 << 16, expected, || {})),
            scope.spawn(move || stream(server_ref, 1 << 10, expected, || {})),
            scope.spawn(move || stream(server_ref, 16, expected, || {})),
            scope.spawn(move || stream(server_ref, 1 << 16, expected, wait_for_the_end)),
        ];
        scope.spawn(move || leave_half_way(server_ref, sent));
        let broken = scope.spawn(move || (0..10).for_each(|round| misbehave(server_ref, round)));
        let running: Vec<_> = clients.iter().map(|client| scope.spawn(move || client.run(server_ref, busy))).collect();
        let results: Vec<_> = running.into_iter().map(|each| each.join()).collect();
        sent.store(true, Ordering::Release);
        broken.join().unwrap();
        assert!(results.iter().all(Result::is_ok), "a client failed");
        readers.into_iter().map(|each| each.join().unwrap()).collect()
    });
    until("decided", || backlog_is_empty(&server).then_some(()));
    accounts_are_right(&server, &clients);
    readers_agree(&readers, expected);
    // Where there is room, whole lines in front of a cut one are taken.
    misbehave(&server, 10);
    until("taken", || (server.try_get("/v1/accounts/whole10").unwrap().0 == 200).then_some(()));
    for round in 0..=10 {
        assert_eq!(server.try_get(&format!("/v1/accounts/cut{round}")).unwrap().0, 404);
    }
    let refused = busy.load(Ordering::Relaxed);
    let peak = memory_peak(server.id());
    println!("{} events, {expected} changes, {refused} times 429", CLIENTS * EVENTS);
    println!("VmHWM {} MiB: {} MiB at rest, {} MiB allowed on top", peak / MIB, at_rest.2 / MIB, memory_bound() / MIB);
    assert!(refused > 0, "the queues were never full");
    assert!(peak < at_rest.2 + memory_bound());
    nothing_is_left(server, at_rest.0, at_rest.1, dir);
}

fn backlog_is_empty(server: &Server) -> bool {
    let ready = server.get("/readyz");
    ready["shards"].as_array().unwrap().iter().all(|each| each["backlog_records"] == 0)
}

fn accounts_are_right(server: &Server, clients: &[Client]) {
    for client in clients {
        for of in 0..ACCOUNTS {
            let found = server.get(&format!("/v1/accounts/{}", account(client.number, of)));
            let limit = |name: &str| found["limits"][name].as_u64().unwrap();
            let changes = found["sequence"].as_u64().unwrap();
            let end = End { used: limit("used"), base: limit("base"), changes };
            assert_eq!(end, client.expected(of), "client {} account {of}", client.number);
        }
    }
    assert_eq!(server.all("/v1/dead-letters", 500), [] as [Value; 0]);
}

/// Each account's changes come one by one, and all readers have the same.
fn readers_agree(readers: &[Seen], expected: usize) {
    let sorted = |seen: &Seen| seen.iter().cloned().collect::<BTreeSet<_>>();
    let first = sorted(&readers[0]);
    for (number, reader) in readers.iter().enumerate() {
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        for (account, sequence) in reader {
            let last = last.entry(account).or_default();
            assert_eq!(*sequence, *last + 1, "reader {number}: `{account}`");
            *last = *sequence;
        }
        assert_eq!((reader.len(), sorted(reader) == first), (expected, true), "reader {number}");
    }
}

/// Once the clients are gone so is everything that was there for them; and nothing decided is lost by a restart.
fn nothing_is_left(server: Server, sockets_before: usize, threads_before: usize, dir: TempDir) {
    let changes = server.all("/v1/limit-changes", 500);
    let id = server.id();
    let server = server.without_connections();
    until("connections are closed", || (sockets(id) <= sockets_before).then_some(()));
    until("threads have ended", || (threads(id) <= threads_before).then_some(()));
    server.stop();
    let server = Server::start(dir.path(), SETTINGS);
    assert!(server.all("/v1/limit-changes", 500) == changes, "the same after a restart");
    server.stop();
}
