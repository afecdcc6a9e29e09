//! A service that listens on a free port, and the requests that tests make.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::thread::JoinHandle;

use headroom_node::{Config, Service, ShardStatus, serve, telemetry};
use headroom_sources::read_ruleset_dir;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub const JSON: &str = "application/json";
pub const LINES: &str = "application/x-ndjson";

/// A running service with its interface.
pub struct Server {
    pub service: Service,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _dir: TempDir,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Status and code of a refusal; it has a message and help.
    pub fn refusal(&self) -> (u16, String) {
        let body = self.json();
        assert!(["message", "help"].iter().all(|part| !body[part].as_str().unwrap().is_empty()), "{body}");
        (self.status, body["code"].as_str().unwrap().to_owned())
    }
}

impl Server {
    /// With settings that differ from the defaults, each `section.key=value`.
    pub fn start(settings: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let mut all = vec![format!("node.data_dir={}", dir.path().join("data").display())];
        all.push("log.time=recorded".to_owned());
        all.push("log.durability=process".to_owned());
        all.push("telemetry.log=error".to_owned());
        all.extend(settings.iter().map(|each| (*each).to_owned()));
        let config = Config::load(None, &all).unwrap();
        let rules = read_ruleset_dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules")).unwrap();
        let service = Service::open(&config, &rules).unwrap();
        while service.readiness().iter().any(|each| each.status == ShardStatus::Opening) {
            std::thread::yield_now();
        }
        let (stop, stopped) = oneshot::channel();
        let (told, address) = std::sync::mpsc::channel();
        let telemetry = telemetry::init(&config.telemetry).unwrap();
        let serving = service.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap()).unwrap();
                let stop = async { drop(stopped.await) };
                serve(serving, config.http, telemetry, listener, stop).await.unwrap();
            });
        });
        let address = address.recv().unwrap();
        Self { service, address, stop: Some(stop), thread: Some(thread), _dir: dir }
    }

    pub fn get(&self, path: &str) -> Reply {
        self.get_as(path, &[])
    }

    pub fn get_as(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let request = agent().get(self.url(path));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        reply(request.call().unwrap())
    }

    pub fn post(&self, path: &str, content_type: &str, body: impl AsRef<[u8]>) -> Reply {
        reply(agent().post(self.url(path)).header("content-type", content_type).send(body.as_ref()).unwrap())
    }

    /// Posts one line per event and waits for the decisions; all must be taken.
    pub fn take(&self, events: &[String]) -> Value {
        let reply = self.post("/v1/events?wait=decided", LINES, events.join("\n"));
        let answer = reply.json();
        assert_eq!((reply.status, answer["accepted"].as_u64()), (200, Some(events.len() as u64)), "{answer}");
        answer
    }

    /// A connection of the test's own.
    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Sends what is no whole request.
    pub fn send(&self, text: &str) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    }

    /// Tells the interface to stop and waits until it has.
    pub fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        self.service.stop();
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into()
}

fn reply(response: ureq::http::Response<ureq::Body>) -> Reply {
    let (parts, body) = response.into_parts();
    let text = body.into_with_config().limit(1 << 30).read_to_string().unwrap();
    Reply { status: parts.status.as_u16(), headers: parts.headers, text }
}

/// Everything until the other side closes.
pub fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is reset has said all that it will.
    drop(stream.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Status and JSON body of a raw answer that is not chunked.
pub fn taken_apart(answer: &str) -> (u16, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: `{answer}`"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

fn event(account: &str, id: &str, day: u32, body: &str) -> String {
    format!(r#"{{"event_id":"{id}","account_id":"{account}","occurred_at":"2025-11-{day:02}T01:00:00Z",{body}}}"#)
}

/// The account is opened with a base of 10,000.00 CNY.
pub fn opened(account: &str) -> String {
    let body = r#""account":{"opened":{"segment":"SEGMENT_MERCHANT_KEY","tier":"TIER_GOLD","currency":"CNY","base":"1000000"}}"#;
    event(account, &format!("open-{account}"), 1, body)
}

/// Freezes it: a limit change, a review and a notice.
pub fn list_hit(account: &str) -> String {
    event(account, &format!("hit-{account}"), 2, r#""signal":{"name":"fraud.list_hit","bool_value":true}"#)
}

/// An order in a currency; in another than the account's it becomes a dead letter.
pub fn order(account: &str, id: &str, day: u32, currency: &str) -> String {
    let body = format!(
        r#""order":{{"kind":"KIND_PLACED","order_id":"{id}","side":"SIDE_BUYER","currency":"{currency}","amount":"100","hold":"100"}}"#
    );
    event(account, id, day, &body)
}

/// A promotion: of every account.
pub fn promotion() -> String {
    let body = r#""promotion":{"promotion_id":"p","kind":"KIND_ANNOUNCED","start":"2025-11-20T00:00:00Z","end":"2025-11-21T00:00:00Z"}"#;
    event("", "announce-p", 1, body)
}
