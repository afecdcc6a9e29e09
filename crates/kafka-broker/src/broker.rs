//! A broker that a test starts, hurts and starts again.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::kafka::{self, Kafka};
use crate::options::Options;
use crate::ports::Ports;
use crate::process::Process;
use crate::settings;

/// How long a broker may take to stop; longer is an error of the test.
const STOP_PATIENCE: Duration = Duration::from_secs(40);

/// A Kafka broker with its own folder and ports. Any thread may use it. When it is dropped, and when the test's process ends
/// in whatever way, the broker is killed; a drop removes its folder too.
#[derive(Debug)]
pub struct Broker {
    kafka: Kafka,
    options: Options,
    ports: Ports,
    state: Mutex<State>,
    // Last, so that it is removed after the process is gone.
    folder: TempDir,
}

#[derive(Debug)]
struct State {
    process: Option<Process>,
    starts: u32,
}

impl Broker {
    /// Starts a broker on a new folder and waits until it serves. The error says what is missing, or cites its log.
    pub fn start(options: Options) -> Result<Self, String> {
        let kafka = Kafka::find()?;
        let ports = Ports::take()?;
        let folder =
            TempDir::with_prefix("headroom-kafka-").map_err(|error| format!("cannot make a folder: {error}"))?;
        settings::write(folder.path(), &ports, &options).map_err(|error| format!("cannot write settings: {error}"))?;
        settings::format(&kafka, folder.path(), &options)?;
        let broker = Self { kafka, options, ports, state: Mutex::new(State { process: None, starts: 0 }), folder };
        broker.launch(&mut broker.state())?;
        Ok(broker)
    }

    /// For the first line of a test: as [`start`](Self::start), but `None` where [`require`](crate::require) says so.
    /// Panics where a broker could be started and is not.
    #[must_use]
    pub fn for_test(options: Options) -> Option<Self> {
        kafka::require()?;
        Some(Self::start(options).unwrap_or_else(|error| panic!("{error}")))
    }

    /// Address for clients, `host:port`; the same after a restart.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.ports.client)
    }

    /// Number of the running process; `None` while it is down.
    pub fn pid(&self) -> Option<u32> {
        self.state().process.as_ref().map(Process::pid)
    }

    /// Log of the newest start.
    pub fn log(&self) -> PathBuf {
        log_path(self.folder.path(), self.state().starts)
    }

    /// Whether somebody listens on the broker's port. A paused broker still does.
    pub fn listens(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.ports.client)).is_ok()
    }

    /// CPU time of the running process so far, in user code and in the kernel; seconds.
    pub fn cpu_seconds(&self) -> Result<f64, String> {
        self.with_process(|process| process.cpu_seconds())
    }

    /// Stops it in peace (SIGTERM) and waits for its end. Already down is fine.
    pub fn stop(&self) -> Result<(), String> {
        self.state().process.take().map_or(Ok(()), |mut process| process.stop(STOP_PATIENCE))
    }

    /// Kills it (SIGKILL) and waits for its end. Already down is fine.
    pub fn kill(&self) {
        drop(self.state().process.take());
    }

    /// Starts it again on the same folder and port, and waits until it serves. One that runs is stopped first.
    pub fn restart(&self) -> Result<(), String> {
        let mut state = self.state();
        if let Some(mut process) = state.process.take() {
            process.stop(STOP_PATIENCE)?;
        }
        self.launch(&mut state)
    }

    /// Stops it in the middle of whatever it does (SIGSTOP): connections stay, nothing answers.
    pub fn pause(&self) -> Result<(), String> {
        self.with_process(|process| process.signal(Signal::STOP))
    }

    /// Lets a paused one go on (SIGCONT).
    pub fn resume(&self) -> Result<(), String> {
        self.with_process(|process| process.signal(Signal::CONT))
    }

    fn launch(&self, state: &mut State) -> Result<(), String> {
        state.starts += 1;
        let log = log_path(self.folder.path(), state.starts);
        state.process = Some(Process::start(&self.kafka, self.folder.path(), &self.ports, &self.options, log)?);
        Ok(())
    }

    fn with_process<T>(&self, work: impl FnOnce(&mut Process) -> Result<T, String>) -> Result<T, String> {
        self.state().process.as_mut().map_or_else(|| Err("the kafka broker is down".to_string()), work)
    }

    /// A panic of a test while it held the lock broke nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log_path(folder: &Path, start: u32) -> PathBuf {
    folder.join(format!("broker-{start}.log"))
}
