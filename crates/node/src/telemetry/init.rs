//! Set-up, once per process: log lines to stderr, metrics into a recorder that is read as text.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use metrics::{describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::{self, EnvFilter, ParseError};
use tracing_subscriber::fmt::Layer as Lines;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use super::metrics::{BUCKETS, METRICS, MetricKind};
use super::otlp;
use crate::config::{LogFormat, TelemetryConfig};

/// Samples of histograms are gathered this often; otherwise they would pile up where nobody reads `/metrics`.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

static STARTED: Mutex<Option<Telemetry>> = Mutex::new(None);

/// The metrics of this process.
#[derive(Clone, Debug)]
pub struct Telemetry {
    handle: PrometheusHandle,
    /// Where spans go to a collector.
    spans: Option<SdkTracerProvider>,
}

/// Why telemetry was not set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `telemetry.log` is no filter; [`crate::Config`] refuses it first.
    #[error("`{filter}` is no filter of log lines")]
    Filter {
        /// The text.
        filter: String,
        /// Why.
        source: ParseError,
    },
    /// The recorder cannot be built.
    #[error("cannot set up metrics")]
    Recorder(#[source] BuildError),
    /// Another recorder is in force in this process.
    #[error("another recorder of metrics is in force in this process")]
    RecorderTaken,
    /// Spans cannot be sent to a collector.
    #[error("cannot set up the export of spans")]
    Otlp(#[source] OTelSdkError),
    /// The thread that gathers samples did not start.
    #[error("cannot start a thread for metrics")]
    Thread(#[source] io::Error),
}

impl Telemetry {
    /// All metrics in Prometheus' text form.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Sends the spans that wait for a collector; later ones are dropped. Takes at most some seconds. Call it at the end
    /// of the process, outside of any async runtime.
    pub fn stop(&self) {
        self.spans.iter().for_each(otlp::stop);
    }
}

/// Sets up log lines and metrics. Later calls in the same process return what the first one made, whatever they ask
/// for. Where log lines go somewhere already (a test's own subscriber), that stays.
pub fn init(config: &TelemetryConfig) -> Result<Telemetry, TelemetryError> {
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(telemetry) = &*started {
        return Ok(telemetry.clone());
    }
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|source| TelemetryError::Filter { filter: config.log.clone(), source })?;
    let recorder = recorder().map_err(TelemetryError::Recorder)?;
    let telemetry =
        Telemetry { handle: recorder.handle(), spans: otlp::provider(config).map_err(TelemetryError::Otlp)? };
    metrics::set_global_recorder(recorder).map_err(|_| TelemetryError::RecorderTaken)?;
    describe();
    start_upkeep(telemetry.handle.clone()).map_err(TelemetryError::Thread)?;
    // It fails where another subscriber is in force; that one stays.
    let _ = Registry::default()
        .with(lines(config).with_filter(filter))
        .with(telemetry.spans.as_ref().map(otlp::layer))
        .try_init();
    *started = Some(telemetry.clone());
    Ok(telemetry)
}

pub(super) fn recorder() -> Result<PrometheusRecorder, BuildError> {
    Ok(PrometheusBuilder::new().set_buckets(&BUCKETS)?.build_recorder())
}

/// Tells units and meanings to the recorder in force.
pub(super) fn describe() {
    for metric in METRICS {
        match metric.kind {
            MetricKind::Counter => describe_counter!(metric.name, metric.unit, metric.help),
            MetricKind::Gauge => describe_gauge!(metric.name, metric.unit, metric.help),
            MetricKind::Histogram => describe_histogram!(metric.name, metric.unit, metric.help),
        }
    }
}

fn start_upkeep(handle: PrometheusHandle) -> io::Result<()> {
    let upkeep = move || {
        loop {
            thread::sleep(UPKEEP_EVERY);
            handle.run_upkeep();
        }
    };
    thread::Builder::new().name("metrics".to_owned()).spawn(upkeep).map(drop)
}

/// Lines to stderr in the form that is asked for.
fn lines(config: &TelemetryConfig) -> Box<dyn Layer<Registry> + Send + Sync> {
    let color = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let spans = config.spans;
    let shown = filter::filter_fn(move |metadata| spans || !metadata.is_span());
    let lines = Lines::default().with_writer(io::stderr).with_ansi(color);
    match config.format {
        LogFormat::Text => lines.with_filter(shown).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(shown).boxed(),
    }
}
