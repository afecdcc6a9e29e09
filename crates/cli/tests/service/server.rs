//! `headroom serve` as a process of its own, and what can be seen of it from outside.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

pub const JSON: &str = "application/json";
pub const LINES: &str = "application/x-ndjson";
pub const DELIMITED: &str = "application/x-protobuf; delimited=true";

/// Nothing here takes so long; a condition that does not come true by then never will.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running service.
pub struct Server {
    child: Child,
    pub address: String,
    agent: ureq::Agent,
    log: Arc<Mutex<Vec<String>>>,
}

/// How a service ended that did not come to serve.
pub struct Ended {
    pub status: ExitStatus,
    pub stderr: String,
}

/// The built binary.
pub fn headroom() -> Command {
    Command::new(env!("CARGO_BIN_EXE_headroom"))
}

/// A path from the checkout's root.
pub fn checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The binary's answer to a command that must succeed.
pub fn done(command: &mut Command) -> String {
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{}: {}", ran.status, text(&ran));
    String::from_utf8(ran.stdout).unwrap()
}

fn text(ran: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr))
}

/// Waits for a condition, for a bounded time.
pub fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// `serve` over a directory, on a free port; a program may stand in front.
pub fn serve_command(front: &[&str], dir: &Path, settings: &[&str]) -> Command {
    let binary = env!("CARGO_BIN_EXE_headroom");
    let mut command = match front.split_first() {
        Some((program, arguments)) => {
            let mut command = Command::new(program);
            command.args(arguments).arg(binary);
            command
        }
        None => Command::new(binary),
    };
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(dir);
    command.args(settings.iter().flat_map(|set| ["--set", set]));
    command
}

impl Server {
    /// Serves a directory.
    pub fn start(dir: &Path, settings: &[&str]) -> Self {
        Self::run(&mut serve_command(&[], dir, settings))
    }

    /// Serves, with poison in a step.
    pub fn poisoned(dir: &Path, settings: &[&str], poison: &str) -> Result<Self, Ended> {
        Self::try_run(serve_command(&[], dir, settings).env("HEADROOM_POISON", poison))
    }

    /// It must come to serve.
    pub fn run(command: &mut Command) -> Self {
        Self::try_run(command).unwrap_or_else(|ended| panic!("{}: {}", ended.status, ended.stderr))
    }

    /// Until it is ready, or has ended.
    pub fn try_run(command: &mut Command) -> Result<Self, Ended> {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut seen = Vec::new();
        let address = loop {
            let Some(Ok(line)) = lines.next() else {
                return Err(Ended { status: child.wait().unwrap(), stderr: seen.join("\n") });
            };
            let address = line.split_once("serving on http://").map(|(_, address)| address.trim().to_owned());
            seen.push(line);
            if let Some(address) = address {
                break address;
            }
        };
        let log = Arc::new(Mutex::new(seen));
        let copy = Arc::clone(&log);
        // Somebody has to read on, or the service would wait for its log to be read.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| copy.lock().unwrap().push(line)));
        let mut server = Self { child, address, agent: agent(), log };
        if server.is_ready() {
            return Ok(server);
        }
        let status = server.child.wait().unwrap();
        Err(Ended { status, stderr: server.log() })
    }

    /// Waits until it takes records. False: it died first.
    fn is_ready(&mut self) -> bool {
        until("ready", || match self.try_get("/readyz") {
            Ok((200, _)) => Some(true),
            Ok(_) => None,
            Err(_) => Some(false),
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Status and body; an error: it is gone.
    pub fn try_get(&self, path: &str) -> Result<(u16, String), ureq::Error> {
        let mut answer = self.agent.get(format!("{}{path}", self.url())).call()?;
        let body = answer.body_mut().with_config().limit(1 << 30).read_to_string()?;
        Ok((answer.status().as_u16(), body))
    }

    /// The JSON of a successful answer.
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.try_get(path).unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Status and JSON of an answer to a body; an error: it is gone.
    pub fn try_post(&self, query: &str, kind: &str, body: &[u8]) -> Result<(u16, Value), ureq::Error> {
        let url = format!("{}/v1/events?{query}", self.url());
        let mut answer = self.agent.post(url).header("content-type", kind).send(body)?;
        let body = answer.body_mut().with_config().limit(1 << 30).read_to_string()?;
        Ok((answer.status().as_u16(), serde_json::from_str(&body).unwrap_or(Value::String(body))))
    }

    /// Takes events and waits for their decisions; all must be taken.
    pub fn take(&self, events: &[String]) -> Value {
        let (status, answer) = self.try_post("wait=decided", LINES, events.join("\n").as_bytes()).unwrap();
        assert_eq!((status, answer["accepted"].as_u64()), (200, Some(events.len() as u64)), "{answer}");
        answer
    }

    /// Everything of a kind, page by page.
    pub fn all(&self, path: &str, page: usize) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}?limit={page}{cursor}"));
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            cursor = format!("&cursor={}", page["cursor"].as_str().unwrap());
            if page["more"] == false {
                return items;
            }
        }
    }

    /// A connection of the test's own, with something sent.
    pub fn connect(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    }

    /// Without the connections that it keeps for further requests.
    pub fn without_connections(mut self) -> Self {
        self.agent = agent();
        self
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        let status = self.child.wait().unwrap();
        Ended { status, stderr: self.log() }
    }

    /// Stops it in peace.
    pub fn stop(self) {
        self.terminate();
        let ended = self.wait();
        assert!(ended.status.success(), "{}: {}", ended.status, ended.stderr);
    }

    /// Ends it at once.
    pub fn kill(self) {
        self.signal("-KILL");
        let ended = self.wait();
        assert_eq!(ended.status.signal(), Some(9), "{}", ended.stderr);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed leaves nobody behind.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Ended {
    /// It was refused with this exit code and this error code.
    #[track_caller]
    pub fn assert_refused(&self, exit: i32, code: &str) {
        assert_eq!(self.status.code(), Some(exit), "{}", self.stderr);
        assert!(self.stderr.contains(code), "no {code} in: {}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .proxy(None)
        .max_idle_connections(100)
        .max_idle_connections_per_host(100)
        .build()
        .into()
}

/// Why a service did not come to serve.
pub fn refused(dir: &Path, settings: &[&str]) -> Ended {
    match Server::try_run(&mut serve_command(&[], dir, settings)) {
        Ok(server) => panic!("it serves: {}", server.log()),
        Err(ended) => ended,
    }
}

/// Everything until the other side closes.
pub fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is reset has said all that it will.
    drop(stream.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}
