//! The Kafka node beside a raw passthrough, in one run on one broker: what a node costs on top of what any program with
//! the same transactions would cost. The passthrough has the same client library, the same rounds, outputs and journal
//! records of the same size, and decides nothing. Figures are ratios: the machine's own speed is in both.
//!
//! `scripts/measure-kafka.sh` runs it. Needs Kafka's jars (`scripts/kafka-jars.sh`) and the binary `headroom`.

mod catch_up;
mod cluster;
mod cpu;
mod live;
mod passthrough;
mod reader;
mod shape;
mod subject;

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};
use headroom_kafka_broker::{Broker, Jvm, Options};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Measures the Kafka node beside a raw passthrough.
#[derive(Parser)]
enum Command {
    /// Measures.
    Run(Run),
    /// The raw passthrough, as a process of its own.
    #[command(hide = true)]
    Passthrough(passthrough::Arguments),
}

/// What is measured, and how much of it.
#[derive(Args, Clone)]
pub struct Run {
    /// What to measure; nothing: everything.
    #[arg(value_enum)]
    what: Vec<What>,
    /// The binary.
    #[arg(long)]
    headroom: PathBuf,
    /// Accounts of the season that is caught up with; each has about 21 events in 3 days.
    #[arg(long, default_value_t = 50_000)]
    accounts: u64,
    /// Its days.
    #[arg(long, default_value_t = 20)]
    days: u32,
    /// How often each is measured, after one time for warmth.
    #[arg(long, default_value_t = 2)]
    times: u32,
    /// Partitions, but for `shards`.
    #[arg(long, default_value_t = 4)]
    partitions: u32,
    /// Partitions of the runs of `shards`.
    #[arg(long, default_values_t = [4, 16, 64])]
    shards: Vec<u32>,
    /// Events a second while latency is measured.
    #[arg(long, default_value_t = 5_000)]
    rate: u32,
    /// How many seconds of that are measured.
    #[arg(long, default_value_t = 30)]
    seconds: u32,
    /// More settings of the node and of the passthrough's clients.
    #[arg(long)]
    set: Vec<String>,
    /// Says which process to look at, and waits for so many seconds, before a node catches up: for `perf`.
    #[arg(long, default_value_t = 0)]
    pause: u64,
}

/// A measurement.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Events a second and CPU time while loaded topics are caught up with.
    Throughput,
    /// From the moment that an event is due to its output before a reader of what is committed.
    Latency,
    /// Transactions and CPU time with few and with many partitions.
    Shards,
}

fn main() {
    match Command::parse() {
        Command::Run(run) => measure(&run),
        Command::Passthrough(arguments) => passthrough::run(&arguments),
    }
}

fn measure(run: &Run) {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load before: {}", load.trim());
    let options = Options { jvm: Jvm::Throughput, heap_mb: 1024, ..Options::default() };
    let broker = Broker::start(options).expect("a broker starts");
    let wanted = |what| run.what.is_empty() || run.what.contains(&what);
    if wanted(What::Throughput) {
        catch_up::measure(run, &broker);
    }
    if wanted(What::Latency) {
        live::latency(run, &broker);
    }
    if wanted(What::Shards) {
        live::shards(run, &broker);
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load after: {}", load.trim());
}
