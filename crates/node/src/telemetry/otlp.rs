//! Spans to a collector, OTLP over HTTP. A collector that is away costs spans, never time: what waits is bounded, the
//! rest is counted and dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::trace::{Link, SpanKind, TraceId, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample,
    Span, SpanData, SpanExporter, SpanProcessor,
};
use opentelemetry_sdk::{Resource, error};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter;
use tracing_subscriber::registry::LookupSpan;

use super::events;
use super::spans::ROUND;
use crate::config::TelemetryConfig;

/// Spans that wait to be sent, at most: about a kilobyte each.
const WAITING_MAX: usize = 4_096;
/// Of one request.
const BATCH_SPANS: usize = 512;
/// How long a request may take; also how long a stop waits for the last one.
const REQUEST_TIME: Duration = Duration::from_secs(5);
/// Where collectors listen if the endpoint names no path.
const PATH: &str = "/v1/traces";

/// What makes and sends spans; `None` where no endpoint is set.
pub(super) fn provider(config: &TelemetryConfig) -> Result<Option<SdkTracerProvider>, error::OTelSdkError> {
    if config.otlp_endpoint.is_empty() {
        return Ok(None);
    }
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(traces_url(&config.otlp_endpoint))
        .with_timeout(REQUEST_TIME)
        .build()
        .map_err(|failed| error::OTelSdkError::InternalFailure(failed.to_string()))?;
    let waiting = Arc::new(AtomicUsize::new(0));
    let endpoint = config.otlp_endpoint.clone();
    let exporter = Counted { exporter, waiting: Arc::clone(&waiting), endpoint, failing: AtomicBool::new(false) };
    // Twice ours: the bound that counts what it drops is the one below.
    let batches =
        BatchConfigBuilder::default().with_max_queue_size(2 * WAITING_MAX).with_max_export_batch_size(BATCH_SPANS);
    let sender = BatchSpanProcessor::builder(exporter).with_batch_config(batches.build()).build();
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name(config.otlp_service_name.clone()).build())
        .with_sampler(Rounds(Sampler::TraceIdRatioBased(f64::from(config.otlp_sample_percent) / 100.0)))
        .with_span_processor(Bounded { sender, waiting })
        .build();
    Ok(Some(provider))
}

/// Takes the spans of this code base; log lines stay where they are.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + Send + Sync + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let ours = filter::filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("headroom"));
    tracing_opentelemetry::layer().with_tracer(provider.tracer("headroom")).with_location(false).with_filter(ours)
}

/// Sends what waits. What the collector does not take by then is dropped.
pub(super) fn stop(provider: &SdkTracerProvider) {
    if let Err(error) = provider.shutdown_with_timeout(REQUEST_TIME) {
        tracing::debug!(%error, "the last spans were not sent");
    }
}

fn traces_url(endpoint: &str) -> String {
    let (scheme, rest) = endpoint.split_once("://").unwrap_or(("http", endpoint));
    match rest.trim_end_matches('/') {
        host if host.contains('/') => format!("{scheme}://{host}"),
        host => format!("{scheme}://{host}{PATH}"),
    }
}

/// A share of the rounds; every process and every lane.
#[derive(Clone, Debug)]
struct Rounds(Sampler);

impl ShouldSample for Rounds {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let sampled = self.0.should_sample(parent, trace, name, kind, attributes, links);
        if name == ROUND {
            return sampled;
        }
        SamplingResult { decision: SamplingDecision::RecordAndSample, ..sampled }
    }
}

/// Drops what is more than may wait.
#[derive(Debug)]
struct Bounded {
    sender: BatchSpanProcessor,
    /// Ended, and neither sent nor dropped yet.
    waiting: Arc<AtomicUsize>,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.sender.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            events::otlp_dropped("queue_full", 1);
        } else {
            self.sender.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.sender.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.sender.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.sender.set_resource(resource);
    }
}

/// Counts what the collector does not take, and tells when that begins and ends.
#[derive(Debug)]
struct Counted {
    exporter: opentelemetry_otlp::SpanExporter,
    waiting: Arc<AtomicUsize>,
    endpoint: String,
    failing: AtomicBool,
}

impl SpanExporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let done = self.exporter.export(batch).await;
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        if done.is_err() {
            events::otlp_dropped("not_sent", spans as u64);
        }
        if self.failing.swap(done.is_err(), Ordering::Relaxed) != done.is_err() {
            events::otlp_reachable(&self.endpoint, done.as_ref().map_err(ToString::to_string));
        }
        done
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use tracing_subscriber::layer::SubscriberExt;

    use super::super::init::recorder;
    use super::*;
    use crate::config::Config;
    use crate::telemetry::round_span;

    fn config(endpoint: &str, percent: u8) -> TelemetryConfig {
        let telemetry = Config::default().telemetry;
        TelemetryConfig { otlp_endpoint: endpoint.to_owned(), otlp_sample_percent: percent, ..telemetry }
    }

    /// Ends so many rounds with a collector that takes the connection and never answers; the metrics then.
    fn with_silent_collector(rounds: usize, percent: u8) -> String {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let config = config(&format!("http://{}", silent.local_addr().unwrap()), percent);
        let provider = provider(&config).unwrap().unwrap();
        let recorder = recorder().unwrap();
        ::metrics::with_local_recorder(&recorder, || {
            tracing::subscriber::with_default(tracing_subscriber::registry().with(layer(&provider)), || {
                (0..rounds).for_each(|seq| round_span(0, seq as u64).in_scope(|| ()));
            });
        });
        // Not shut down: that would wait for the collector.
        std::mem::forget(provider);
        recorder.handle().render()
    }

    #[test]
    fn a_collector_that_is_silent_costs_spans_and_they_are_counted() {
        let text = with_silent_collector(WAITING_MAX + 100, 100);
        assert!(text.contains("headroom_otlp_dropped_spans_total{why=\"queue_full\"} 100\n"), "{text}");
    }

    #[test]
    fn rounds_are_sampled() {
        assert_eq!(with_silent_collector(WAITING_MAX + 100, 0), "");
        let half = with_silent_collector(4 * WAITING_MAX, 50);
        let dropped: usize = half.rsplit(' ').next().unwrap().trim().parse().unwrap();
        assert!((WAITING_MAX / 2..WAITING_MAX * 3 / 2).contains(&dropped), "{half}");
    }

    #[test]
    fn an_endpoint_without_a_path_gets_the_usual_one() {
        assert_eq!(traces_url("http://c:4318"), "http://c:4318/v1/traces");
        assert_eq!(traces_url("https://c/"), "https://c/v1/traces");
        assert_eq!(traces_url("https://c/otel/v1/traces"), "https://c/otel/v1/traces");
    }
}
