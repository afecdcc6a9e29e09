//! What is measured: a node, or the passthrough in its place.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Run;
use crate::cluster::Cluster;
use crate::cpu::{self, Sample};
use crate::passthrough;
use crate::shape::Shape;

/// How often progress is asked for: seldom enough to cost nothing.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// A process that carries records from inputs to outputs.
pub struct Subject {
    child: Child,
    kind: Kind,
    log: Arc<Mutex<Vec<String>>>,
    agent: ureq::Agent,
}

enum Kind {
    Node { partitions: u32, _dir: TempDir },
    Passthrough,
}

impl Subject {
    /// A node with an empty data directory.
    pub fn node(run: &Run, cluster: &Cluster) -> Self {
        let dir = TempDir::with_prefix("headroom-bench-").expect("a folder for its data");
        let mut command = Command::new(&run.headroom);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(dir.path());
        command.args(cluster.settings.iter().flat_map(|set| ["--set", set]));
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        Self::start(command, Kind::Node { partitions: cluster.config.partitions, _dir: dir })
    }

    /// The passthrough between two sets of topics.
    pub fn passthrough(run: &Run, from: &Cluster, to: &Cluster, shape: &Shape) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
        command.args(passthrough::arguments(run, from, to, shape));
        // It ends when its input does: with us.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        Self::start(command, Kind::Passthrough)
    }

    fn start(mut command: Command, kind: Kind) -> Self {
        let mut child = command.spawn().expect("the process starts");
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&log);
        // Somebody has to read on, or it would wait for its log to be read.
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line)));
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { child, kind, log, agent }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn find(&self, what: &str) -> Option<String> {
        let log = self.log.lock().unwrap();
        log.iter().rev().find_map(|line| Some(line.split_once(what)?.1.trim().to_owned()))
    }

    fn get(&self, path: &str) -> Option<String> {
        let url = self.find("serving on ")?;
        self.agent.get(format!("{url}{path}")).call().ok()?.body_mut().read_to_string().ok()
    }

    /// Whether it serves all shards.
    fn serves(&self) -> bool {
        match &self.kind {
            Kind::Passthrough => self.find("progress ").is_some(),
            Kind::Node { partitions, .. } => {
                let body = self.get("/readyz").unwrap_or_default();
                let answer: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
                let shards = answer["shards"].as_array().map_or(&[][..], Vec::as_slice);
                let serving = shards.iter().filter(|shard| shard["state"] == "serving").count();
                serving == *partitions as usize
            }
        }
    }

    /// Records and transactions so far.
    fn counts(&self) -> (f64, f64) {
        match &self.kind {
            Kind::Passthrough => {
                let line = self.find("progress ").unwrap_or_default();
                let mut numbers = line.split(' ').map(|word| word.parse().unwrap_or(0.0));
                (numbers.next().unwrap_or(0.0), numbers.next().unwrap_or(0.0))
            }
            Kind::Node { .. } => {
                let body = self.get("/metrics").unwrap_or_default();
                let sum = |name: &str, label: &str| -> f64 {
                    let lines = body.lines().filter(|line| line.starts_with(name) && line.contains(label));
                    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
                };
                (sum("headroom_decided_records_total", ""), sum("headroom_transactions_total", "outcome=\"committed\""))
            }
        }
    }

    /// How far it is, and what that has cost.
    pub fn sample(&self, broker: u32) -> Sample {
        let (records, transactions) = self.counts();
        let (client, broker) = (cpu::seconds(self.pid()), cpu::seconds(broker));
        Sample { at: Instant::now(), records, transactions, client, broker }
    }

    pub fn until_serving(&mut self) {
        self.until("serves", Self::serves);
    }

    /// Waits until it has carried so many records.
    pub fn until_records(&mut self, records: f64) {
        self.until("carries all records", |subject| subject.counts().0 >= records);
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_so(self) {
            let ended = self.child.try_wait().expect("it is our child");
            assert!(ended.is_none() && Instant::now() < until, "never: it {what} ({ended:?})\n{}", self.tail());
            thread::sleep(LOOK_EVERY);
        }
    }

    fn tail(&self) -> String {
        let log = self.log.lock().unwrap();
        log[log.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
