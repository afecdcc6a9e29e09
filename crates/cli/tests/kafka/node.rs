//! `headroom serve` on Kafka, as a process of its own.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::Cluster;

/// How long something may take that takes a second or two.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A node.
pub struct Node {
    child: Mutex<Child>,
    url: Mutex<Option<String>>,
    pub log: Arc<Mutex<Vec<String>>>,
    agent: ureq::Agent,
    pub started: Instant,
}

/// A shard as `/readyz` has it.
#[derive(Clone, Debug, PartialEq)]
pub struct ShardState {
    pub shard: u32,
    pub state: String,
    pub code: Option<String>,
}

impl Node {
    /// Starts a node over a data directory; `fail_at` arms a fail point.
    pub fn start(cluster: &Cluster<'_>, data_dir: &Path, settings: &[&str], fail_at: Option<&str>) -> Self {
        let mut all: Vec<&str> = cluster.settings.iter().map(String::as_str).collect();
        all.extend(settings);
        Self::launch(data_dir, &all, fail_at.map(|point| ("HEADROOM_FAIL_AT", point)))
    }

    /// Starts a service with exactly these settings.
    pub fn launch(data_dir: &Path, settings: &[&str], variable: Option<(&str, &str)>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir);
        command.args(settings.iter().flat_map(|set| ["--set", set])).envs(variable);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&log);
        // Somebody has to read on, or the node would wait for its log to be read.
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line)));
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(20)))
            .http_status_as_error(false)
            .build()
            .into();
        Self { child: Mutex::new(child), url: Mutex::new(None), log, agent, started: Instant::now() }
    }

    /// Its address, once it listens.
    pub fn url(&self) -> Option<String> {
        let mut url = self.url.lock().unwrap();
        if url.is_none() {
            let log = self.log.lock().unwrap();
            *url = log.iter().find_map(|line| Some(line.split_once("serving on ")?.1.trim().to_owned()));
        }
        url.clone()
    }

    /// Status and body.
    pub fn get(&self, path: &str) -> Result<(u16, String), String> {
        let url = self.url().ok_or("it does not listen yet")?;
        let mut answer = self.agent.get(format!("{url}{path}")).call().map_err(|error| error.to_string())?;
        let body = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        Ok((answer.status().as_u16(), body))
    }

    /// Its shards, as it tells; empty while it does not answer.
    pub fn shards(&self) -> Vec<ShardState> {
        let Ok((_, body)) = self.get("/readyz") else { return Vec::new() };
        let answer: Value = serde_json::from_str(&body).unwrap();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let shard = |each: &Value| ShardState {
            shard: u32::try_from(each["shard"].as_u64().unwrap()).unwrap(),
            state: text(&each["state"]).unwrap(),
            code: text(&each["code"]),
        };
        answer["shards"].as_array().unwrap().iter().map(shard).collect()
    }

    /// Which shards it serves.
    pub fn serving(&self) -> Vec<u32> {
        self.shards().into_iter().filter(|each| each.state == "serving").map(|each| each.shard).collect()
    }

    /// Waits until it serves so many shards.
    #[track_caller]
    pub fn until_serving(&self, shards: usize) {
        self.until("serves its shards", |node| node.serving().len() == shards);
    }

    /// Waits for a condition; tells the log where it does not come.
    #[track_caller]
    pub fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < until, "never: the node {what}\n{}", self.tail());
            // The lock is let go of before a panic: whoever drops the node needs it.
            let ended = self.ended();
            if let Some(status) = ended {
                panic!("the node ended ({status}) before it {what}\n{}", self.tail());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for a condition that its end may be part of.
    #[track_caller]
    pub fn wait_until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < until, "never: the node {what}\n{}", self.tail());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The value of a metric, summed over all labels that hold a text.
    pub fn metric(&self, name: &str, label: &str) -> f64 {
        let Ok((_, body)) = self.get("/metrics") else { return 0.0 };
        let values = body.lines().filter(|line| line.starts_with(name) && line.contains(label));
        values.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    }

    /// The last lines of its log.
    pub fn tail(&self) -> String {
        let log = self.log.lock().unwrap();
        log[log.len().saturating_sub(60)..].join("\n")
    }

    /// Whether a line of its log holds a text.
    pub fn said(&self, text: &str) -> bool {
        self.log.lock().unwrap().iter().any(|line| line.contains(text))
    }

    pub fn pid(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// Sends it a signal by name.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([format!("-{signal}"), self.pid().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Kills it, and waits for its end.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        // It may have died by itself.
        let _ = child.kill();
        child.wait().unwrap();
    }

    /// Stops it in peace.
    #[track_caller]
    pub fn stop(&self) {
        self.signal("TERM");
        let status = self.wait();
        assert!(status.success(), "{status}\n{}", self.tail());
    }

    /// Waits for its end.
    pub fn wait(&self) -> ExitStatus {
        self.child.lock().unwrap().wait().unwrap()
    }

    /// The state of the process, if it has ended.
    pub fn ended(&self) -> Option<ExitStatus> {
        self.child.lock().unwrap().try_wait().unwrap()
    }

    /// Whether it is stopped (SIGSTOP).
    pub fn is_stopped(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        status.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What killed a process.
pub fn killed_by(status: &ExitStatus) -> Option<i32> {
    status.signal()
}
