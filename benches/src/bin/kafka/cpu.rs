//! What processes have used.

use std::time::Instant;

/// Ticks a second of the times in `/proc`.
const TICKS: f64 = 100.0;

/// CPU time of a process so far, in user code and in the kernel; seconds.
pub fn seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process lives");
    let fields: Vec<&str> = stat.rsplit_once(") ").expect("a name in brackets").1.split(' ').collect();
    let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
    // Without pid and name, user time is the twelfth and the kernel's the one behind it.
    (ticks(11) + ticks(12)) / TICKS
}

/// A moment.
#[derive(Clone, Copy)]
pub struct Sample {
    pub at: Instant,
    pub records: f64,
    pub transactions: f64,
    pub client: f64,
    pub broker: f64,
}

/// What happened between two.
#[derive(Clone, Copy, Default)]
pub struct Span {
    pub seconds: f64,
    pub records: f64,
    pub transactions: f64,
    pub client: f64,
    pub broker: f64,
}

impl Span {
    pub fn between(from: &Sample, to: &Sample) -> Self {
        Self {
            seconds: to.at.duration_since(from.at).as_secs_f64(),
            records: to.records - from.records,
            transactions: to.transactions - from.transactions,
            client: to.client - from.client,
            broker: to.broker - from.broker,
        }
    }

    pub fn plus(self, other: Self) -> Self {
        Self {
            seconds: self.seconds + other.seconds,
            records: self.records + other.records,
            transactions: self.transactions + other.transactions,
            client: self.client + other.client,
            broker: self.broker + other.broker,
        }
    }

    pub fn rate(&self) -> f64 {
        self.records / self.seconds
    }

    /// CPU-seconds for a million records, ours and the broker's.
    pub fn per_million(&self) -> (f64, f64) {
        (self.client * 1e6 / self.records, self.broker * 1e6 / self.records)
    }

    /// Records for each second of CPU time, the broker's included.
    pub fn per_cpu_second(&self) -> f64 {
        self.records / (self.client + self.broker)
    }
}
