//! `headroom` as a process of its own.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use headroom_store::{Reader, StoreOptions};
use tempfile::TempDir;

/// How to start a service.
pub struct Start<'a> {
    pub data_dir: &'a Path,
    pub settings: &'a [&'a str],
    /// The fail point that is armed.
    pub fail_at: Option<String>,
}

/// A running service.
pub struct Process {
    child: Mutex<Child>,
    url: String,
    agent: ureq::Agent,
}

impl Process {
    /// Starts a service and waits until it serves.
    pub fn serving(start: &Start<'_>) -> Self {
        Self::try_serving(start).expect("the service died before it served")
    }

    /// As above; `None`: it was killed by the armed point before it served.
    pub fn try_serving(start: &Start<'_>) -> Option<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(start.data_dir);
        command.args(start.settings.iter().flat_map(|set| ["--set", set]));
        if let Some(point) = &start.fail_at {
            command.env("HEADROOM_FAIL_AT", point);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut seen = Vec::new();
        let url = loop {
            match lines.next() {
                Some(Ok(line)) => match line.split_once("serving on ") {
                    Some((_, url)) => break url.trim().to_owned(),
                    None => seen.push(line),
                },
                _ => {
                    let status = child.wait().unwrap();
                    assert_eq!(signal(&status), Some(9), "{status}: {seen:?}");
                    return None;
                }
            }
        };
        // Somebody has to read on, or the service would wait for its log to be read.
        std::thread::spawn(move || lines.for_each(drop));
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(60)))
            .http_status_as_error(false)
            .build()
            .into();
        let process = Self { child: Mutex::new(child), url, agent };
        process.until_ready()
    }

    fn until_ready(self) -> Option<Self> {
        loop {
            match self.get("/readyz") {
                Ok((200, _)) => return Some(self),
                Ok(_) => std::thread::yield_now(),
                Err(_) => {
                    let status = self.wait();
                    assert_eq!(signal(&status), Some(9), "{status}");
                    return None;
                }
            }
        }
    }

    /// Sends a chunk and waits for its decisions; comes again while the service is busy.
    pub fn send(&self, chunk: &str) -> Result<(), String> {
        loop {
            let url = format!("{}/v1/events?wait=decided&verdicts=rejected", self.url);
            let sent = self.agent.post(&url).header("content-type", "application/x-ndjson").send(chunk);
            let mut answer = sent.map_err(|error| error.to_string())?;
            let body = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
            match answer.status().as_u16() {
                200 => return Ok(()),
                429 => std::thread::yield_now(),
                status => return Err(format!("{status}: {body}")),
            }
        }
    }

    /// Status and body.
    pub fn get(&self, path: &str) -> Result<(u16, String), String> {
        let mut answer = self.agent.get(format!("{}{path}", self.url)).call().map_err(|error| error.to_string())?;
        let body = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        Ok((answer.status().as_u16(), body))
    }

    /// Kills it after a while, whatever it does then.
    pub fn kill_after(&self, after: Duration) {
        let id = self.child.lock().unwrap().id().to_string();
        std::thread::spawn(move || {
            std::thread::sleep(after);
            Command::new("kill").args(["-9", &id]).status().unwrap();
        });
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        let id = self.child.lock().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Stops it in peace.
    pub fn stop(self) {
        self.terminate();
        let status = self.wait();
        assert!(status.success(), "{status}");
    }

    /// Waits for its end.
    pub fn wait(&self) -> ExitStatus {
        self.child.lock().unwrap().wait().unwrap()
    }
}

/// What killed a process.
pub fn signal(status: &ExitStatus) -> Option<i32> {
    status.signal()
}

fn run_command(dir: &TempDir, events: &Path, fail_at: Option<&str>) -> ExitStatus {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
    command.args(["run", "--quiet", "--rules", "../../rules", "--batch-records", "50", "--events"]).arg(events);
    command.arg("--data-dir").arg(dir.path().join("data")).arg("--out").arg(dir.path().join("out.ndjson"));
    if let Some(point) = fail_at {
        command.env("HEADROOM_FAIL_AT", point);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap()
}

/// `headroom run` to its end.
pub fn run(dir: &TempDir, events: &Path, fail_at: Option<&str>) {
    let status = run_command(dir, events, fail_at);
    assert!(status.success(), "{status}");
}

/// `headroom run` that must be killed by the point.
pub fn run_until_killed(dir: &TempDir, events: &Path, point: &str) {
    let status = run_command(dir, events, Some(point));
    assert_eq!(signal(&status), Some(9), "{point}: {status}");
}

/// `headroom journal verify` finds nothing.
pub fn verify_journal(dir: &TempDir) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
    let verified = command.args(["journal", "verify", "--quiet", "--data-dir"]).arg(dir.path()).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// The bytes of the outputs' file.
pub fn outputs(dir: &TempDir) -> Vec<u8> {
    std::fs::read(dir.path().join("out.ndjson")).unwrap()
}

/// Takes the outputs' file away.
pub fn remove_outputs(dir: &TempDir) {
    std::fs::remove_file(dir.path().join("out.ndjson")).unwrap();
}

/// The digest of a run's state.
pub fn digest(dir: &TempDir) -> [u8; 32] {
    Reader::open(&dir.path().join("data"), &StoreOptions::default()).unwrap().digest().unwrap()
}
