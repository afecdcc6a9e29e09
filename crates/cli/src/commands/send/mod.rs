//! `headroom send`: event files to a running service, in order and without loss; also the load generator. Or to topics.
//!
//! One thread reads and routes, one for each connection sends. Records of an account always take the same connection,
//! and a connection sends one request after the other. A broadcast goes alone: all before it are answered first.

mod batch;
mod gauge;
mod kafka;
mod route;
mod worker;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::{Args, ValueEnum};
use hdrhistogram::Histogram;
use headroom_node::view::Item;
use headroom_sources::{Encoding, EventReader};
use indicatif::ProgressBar;

use crate::failure::Status;
use crate::output::Output;
use crate::progress;
use crate::settings::Settings;

use gauge::{Gauge, Told};
use route::Router;

/// What to send, where, and how fast.
#[derive(Args)]
pub struct Command {
    /// Event files: .ndjson or .pb, also .gz or .zst; one after the other, unless they go to topics
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The service, such as http://127.0.0.1:8090
    #[arg(long, value_name = "URL", required_unless_present = "kafka", conflicts_with = "kafka")]
    server: Option<String>,
    /// Send to the topics of the settings instead; files are merged by time
    #[arg(long, conflicts_with_all = ["encoding", "records_per_request", "connections", "wait", "retry_for"])]
    kafka: bool,
    #[command(flatten)]
    settings: Settings,
    /// How records are sent
    #[arg(long, value_enum, default_value_t = Form::Ndjson)]
    encoding: Form,
    /// Records of a request, at most
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    records_per_request: u32,
    /// Connections
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1_024))]
    connections: u16,
    /// Send at this rate whatever the service does, and count latencies from when a request was due
    #[arg(long, value_name = "EVENTS_PER_S", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// What an answer waits for
    #[arg(long, value_enum, default_value_t = Wait::Durable)]
    wait: Wait,
    /// Give up when the service takes nothing for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    retry_for: u32,
}

/// How records are sent.
#[derive(ValueEnum, Clone, Copy, Debug)]
enum Form {
    /// A line of JSON each
    Ndjson,
    /// Protobuf, each after its length
    Protobuf,
}

/// What an answer waits for.
#[derive(ValueEnum, Clone, Copy, Debug)]
enum Wait {
    /// The records cannot be lost any more
    Durable,
    /// What they decide cannot be lost any more
    Decided,
}

impl Command {
    /// Does it. Findings: records that the service refused.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let Some(server) = &self.server else {
            return kafka::run(&self.files, &self.settings.load()?.kafka, self.rate, output);
        };
        let gauge = Gauge::default();
        let bar = progress::bytes(self.bytes_total()?, output);
        let started = Instant::now();
        let sent = std::thread::scope(|scope| {
            let plan = worker::Plan {
                server: server.clone(),
                encoding: self.encoding(),
                query: self.query(),
                retry_for: std::time::Duration::from_secs(self.retry_for.into()),
            };
            let workers = worker::start(scope, usize::from(self.connections), &plan, &gauge)?;
            let mut router = Router::new(self, workers, &gauge);
            let read = self.read_all(&mut router, &bar, &gauge);
            let sent = router.finish();
            // A worker's error explains the reader's: a queue that nobody empties any more.
            sent.and_then(|latencies| read.map(|records| (records, latencies)))
        });
        bar.finish_and_clear();
        let (records, latencies) = sent?;
        let told = gauge.told();
        output.print(&self.item(records, started.elapsed().as_micros(), &told, &latencies))?;
        Ok(if told.rejected.is_empty() { Status::Done } else { Status::Findings })
    }

    fn encoding(&self) -> Encoding {
        match self.encoding {
            Form::Ndjson => Encoding::Json,
            Form::Protobuf => Encoding::Protobuf,
        }
    }

    fn query(&self) -> String {
        let wait = match self.wait {
            Wait::Durable => "durable",
            Wait::Decided => "decided",
        };
        format!("wait={wait}&verdicts=rejected")
    }

    /// Opens every file once, so that a missing one is named before anything is sent.
    fn bytes_total(&self) -> Result<u64> {
        let sizes = self.files.iter().map(|path| Ok(EventReader::open(path)?.bytes_total()));
        sizes.sum()
    }

    fn read_all(&self, router: &mut Router<'_, '_>, bar: &ProgressBar, gauge: &Gauge) -> Result<u64> {
        let (mut records, mut before) = (0, 0);
        for (file, path) in self.files.iter().enumerate() {
            let mut reader = EventReader::open(path)?;
            while let Some(record) = reader.read()? {
                router.take(file, &record)?;
                records += 1;
                if records % 1_000 == 0 {
                    bar.set_position(before + reader.bytes_read());
                    bar.set_message(format!("{} accepted", gauge.accepted()));
                }
            }
            before += reader.bytes_total();
        }
        router.flush()?;
        Ok(records)
    }

    fn item(&self, records: u64, micros: u128, told: &Told, latencies: &Histogram<u64>) -> Item {
        let rate = u64::try_from(u128::from(told.accepted) * 1_000_000 / micros.max(1)).unwrap_or(u64::MAX);
        let first = told.first.iter().map(|each| {
            let file = self.files.get(each.file).map(|path| path.display().to_string());
            Item::fields([
                ("file", file.into()),
                ("record", each.line.into()),
                ("code", each.code.as_str().into()),
                ("detail", each.detail.as_str().into()),
            ])
        });
        Item::fields([
            ("records", records.into()),
            ("accepted", told.accepted.into()),
            ("maybe_sent_twice", told.twice.into()),
            ("requests", told.requests.into()),
            ("retries", told.retries.into()),
            ("told_to_wait", told.waits.into()),
            ("millis", Item::Number(i128::try_from(micros / 1_000).unwrap_or(i128::MAX))),
            ("accepted_per_s", rate.into()),
            ("rejected", Item::counts(told.rejected.clone())),
            ("first_rejected", Item::list(first)),
            ("request_latency_us", percentiles(latencies)),
        ])
    }
}

fn percentiles(latencies: &Histogram<u64>) -> Item {
    let at = |percent| latencies.value_at_percentile(percent).into();
    Item::fields([
        ("p50", at(50.0)),
        ("p90", at(90.0)),
        ("p99", at(99.0)),
        ("p99_9", at(99.9)),
        ("max", latencies.max().into()),
    ])
}
