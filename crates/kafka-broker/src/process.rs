//! One run of the broker's process: from its start until it is gone.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, Signal, kill_process};

use crate::kafka::Kafka;
use crate::options::Options;
use crate::ports::Ports;
use crate::{keeper, settings};

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(15);
/// What Kafka logs once every partition is served.
const STARTED: &str = "Kafka Server started";
/// Lines of its log that an error cites.
const TAIL: usize = 25;

#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it with its output in `log`, and waits until it serves.
    pub fn start(kafka: &Kafka, folder: &Path, ports: &Ports, options: &Options, log: PathBuf) -> Result<Self, String> {
        let failed = |error| format!("cannot start a kafka broker: {error}");
        let file = File::create(&log).map_err(failed)?;
        let command = settings::broker(kafka, folder, options, file).map_err(failed)?;
        let mut process = Self { child: keeper::spawn(command).map_err(failed)?, log };
        process.wait_until_ready(ports, options.start_timeout)?;
        Ok(process)
    }

    fn wait_until_ready(&mut self, ports: &Ports, timeout: Duration) -> Result<(), String> {
        let deadline = Instant::now() + timeout;
        while !(self.says_started() && TcpStream::connect(("127.0.0.1", ports.client)).is_ok()) {
            if let Some(status) = self.ended() {
                return Err(format!("the kafka broker ended with {status}:\n{}", self.log_tail()));
            }
            if Instant::now() > deadline {
                self.kill();
                return Err(format!("the kafka broker was not ready within {timeout:?}:\n{}", self.log_tail()));
            }
            sleep(LOOK);
        }
        Ok(())
    }

    fn says_started(&self) -> bool {
        fs::read(&self.log).is_ok_and(|log| String::from_utf8_lossy(&log).contains(STARTED))
    }

    fn log_tail(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// SIGTERM, and waits for its end; SIGKILL and an error after `patience`.
    pub fn stop(&mut self, patience: Duration) -> Result<(), String> {
        // A paused one would never see the other signal.
        self.signal(Signal::CONT)?;
        self.signal(Signal::TERM)?;
        let deadline = Instant::now() + patience;
        while self.ended().is_none() {
            if Instant::now() > deadline {
                self.kill();
                return Err(format!("the kafka broker did not stop within {patience:?}:\n{}", self.log_tail()));
            }
            sleep(LOOK);
        }
        Ok(())
    }

    /// SIGKILL; the process is gone when this returns.
    pub fn kill(&mut self) {
        // Both fail only for a child that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub fn signal(&mut self, signal: Signal) -> Result<(), String> {
        // Once its end was seen its number may be another process's.
        if let Some(status) = self.ended() {
            return Err(format!("the kafka broker ended with {status}:\n{}", self.log_tail()));
        }
        kill_process(Pid::from_child(&self.child), signal)
            .map_err(|error| format!("cannot signal the kafka broker: {error}"))
    }

    /// CPU time so far, in user code and in the kernel, its children's too; seconds.
    pub fn cpu_seconds(&self) -> Result<f64, String> {
        let path = format!("/proc/{}/stat", self.pid());
        let text = fs::read_to_string(&path).map_err(|error| format!("cannot read `{path}`: {error}"))?;
        let ticks = cpu_ticks(&text).ok_or_else(|| format!("cannot read `{path}`: `{text}`"))?;
        #[expect(clippy::cast_precision_loss, reason = "a measurement: ticks of years fit")]
        Ok(ticks as f64 / clock_ticks_per_second() as f64)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Fields 14 to 17 of a line of `/proc/PID/stat`; the name in field 2 may hold anything, so they count from its end.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<u64> =
        after_name.split_whitespace().skip(11).take(4).map_while(|field| field.parse().ok()).collect();
    (fields.len() == 4).then(|| fields.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_counts_from_the_end_of_the_name() {
        let line = "7 (a) b) S 1 7 7 0 -1 4194560 10 0 0 0 100 20 3 4 20 0 1 0 5 6 7";
        assert_eq!(cpu_ticks(line), Some(127));
        assert_eq!(cpu_ticks("7 (java) S 1"), None);
    }
}
