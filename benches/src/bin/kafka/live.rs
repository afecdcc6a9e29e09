//! Events as they would come: at a steady rate. How long until their outputs are seen, and what that costs.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use headroom_kafka_broker::Broker;
use headroom_node::kafka::{Outgoing, TopicKind, client};
use headroom_node::shard_of;
use headroom_sources::{SeasonPlan, generate};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::Run;
use crate::cluster::Cluster;
use crate::cpu::Span;
use crate::reader::Watcher;
use crate::shape::Shape;
use crate::subject::Subject;

/// Seconds at the beginning that are not measured.
const WARM: u32 = 5;
/// Accounts and days of the season: more events than a run takes, and changes among all of them.
const ACCOUNTS: u64 = 4_000;
const DAYS: u32 = 100;

/// An event, due at its place in the row.
struct Due {
    record: Outgoing,
    time: i64,
    /// Its id, if it is of one account.
    id: Option<String>,
}

/// What a run says.
struct Live {
    span: Span,
    /// Microseconds.
    times: Histogram<u64>,
}

/// Alternates node and passthrough at the same rate.
pub fn latency(run: &Run, broker: &Broker) {
    println!("\nlatency: {} partitions, {} events/s for {} s", run.partitions, run.rate, run.seconds);
    let mut shape = None;
    let (mut node, mut raw) = (empty(), empty());
    for turn in 0..run.times.max(1) {
        let (of_node, seen) = live(run, broker, &format!("ln{turn}"), run.partitions, None);
        let shape = *shape.get_or_insert(seen);
        let (of_raw, _) = live(run, broker, &format!("lr{turn}"), run.partitions, Some(shape));
        tell("node", run.partitions, &of_node);
        tell("passthrough", run.partitions, &of_raw);
        node.add(of_node.times).expect("both count alike");
        raw.add(of_raw.times).expect("both count alike");
    }
    for (name, at) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
        let (ours, theirs) = (millis(&node, at), millis(&raw, at));
        println!("  {name:<6} node {ours:>7.2} ms   passthrough {theirs:>7.2} ms   {:.2} times", ours / theirs);
    }
}

/// The same rate over few and over many partitions.
pub fn shards(run: &Run, broker: &Broker) {
    println!("\nshards: {} events/s on one node for {} s", run.rate, run.seconds);
    for &partitions in &run.shards {
        let (node, _) = live(run, broker, &format!("s{partitions}"), partitions, None);
        tell("node", partitions, &node);
    }
}

fn empty() -> Histogram<u64> {
    Histogram::new(3).expect("three digits")
}

fn millis(times: &Histogram<u64>, at: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "microseconds of some seconds")]
    let micros = times.value_at_quantile(at) as f64;
    micros / 1e3
}

fn tell(name: &str, partitions: u32, live: &Live) {
    let (span, times) = (&live.span, &live.times);
    println!(
        "  {name:<12} {partitions:>3} partitions: {:.0} events/s, {:.0} transactions/s, cores: {:.3} own, {:.3} broker; \
         {} outputs seen after p50 {:.2}, p99 {:.2}, p99.9 {:.2} ms",
        span.rate(),
        span.transactions / span.seconds,
        span.client / span.seconds,
        span.broker / span.seconds,
        times.len(),
        millis(times, 0.5),
        millis(times, 0.99),
        millis(times, 0.999),
    );
}

/// A node, or with a shape the passthrough.
fn live(run: &Run, broker: &Broker, name: &str, partitions: u32, shape: Option<Shape>) -> (Live, Shape) {
    let cluster = Cluster::create(run, &broker.bootstrap(), name, partitions);
    let events = events(&cluster, run.rate * (run.seconds + WARM));
    let mut subject = match &shape {
        None => Subject::node(run, &cluster),
        Some(shape) => Subject::passthrough(run, &cluster, &cluster, shape),
    };
    subject.until_serving();
    let watcher = Watcher::start(&cluster.config);
    let pid = broker.pid().expect("the broker runs");
    let (due, span) = thread::scope(|scope| {
        let feed = scope.spawn(|| feed(run, &cluster, &events));
        thread::sleep(Duration::from_secs(u64::from(WARM)));
        let from = subject.sample(pid);
        let due = feed.join().expect("the feed did not panic");
        (due, Span::between(&from, &subject.sample(pid)))
    });
    #[expect(clippy::cast_precision_loss, reason = "some hundred thousand")]
    let all = events.iter().filter(|event| event.id.is_some()).count() as f64;
    subject.until_records(all);
    let shape = shape.unwrap_or_else(|| Shape::of(&cluster, all));
    let mut times = empty();
    for (event, seen) in watcher.stop() {
        if let Some(due) = due.get(&event) {
            let micros = u64::try_from(seen.saturating_duration_since(*due).as_micros()).unwrap_or(u64::MAX);
            times.record(micros.max(1)).expect("the histogram grows");
        }
    }
    assert!(!times.is_empty(), "nobody saw an output of `{name}`");
    (Live { span, times }, shape)
}

/// The first so many of a season.
fn events(cluster: &Cluster, count: u32) -> Vec<Due> {
    let mut events = Vec::new();
    let mut sink = |event: headroom_wire::proto::Event| {
        if events.len() >= count as usize {
            return Err(std::io::Error::other("enough"));
        }
        let (record, time) = cluster.record(&event);
        let id = (record.topic.kind() == TopicKind::Keyed).then(|| event.event_id.clone());
        events.push(Due { record, time, id });
        Ok(())
    };
    // It ends with our own error.
    let _ = generate(&SeasonPlan { accounts: ACCOUNTS, days: DAYS, seed: 2 }, &mut sink, &mut |_| {});
    assert_eq!(events.len(), count as usize, "the season is too short");
    events
}

/// Sends each event when it is due; gives when those were due that are measured.
fn feed(run: &Run, cluster: &Cluster, events: &[Due]) -> HashMap<String, Instant> {
    let settings = client::producer(&cluster.config, None).expect("settings are right");
    let producer: BaseProducer = settings.create().expect("settings are right");
    let names = |event: &Due| event.record.topic.name(cluster.prefix());
    let (started, gap) = (Instant::now(), Duration::from_secs(1) / run.rate);
    let (warm, mut due) = ((run.rate * WARM) as usize, HashMap::new());
    for (event, number) in events.iter().zip(0_u32..) {
        let at = started + gap * number;
        while Instant::now() < at {
            producer.poll(Duration::ZERO);
            thread::sleep(at.saturating_duration_since(Instant::now()));
        }
        let name = names(event);
        let record = to_send(&name, event, cluster.config.partitions);
        producer.send(record).unwrap_or_else(|(error, _)| panic!("an event is not sent: {error}"));
        if let (Some(id), true) = (&event.id, number as usize >= warm) {
            // Of an event that comes twice, the first counts.
            due.entry(id.clone()).or_insert(at);
        }
    }
    producer.flush(Duration::from_secs(30)).expect("the broker takes everything");
    due
}

fn to_send<'a>(name: &'a str, event: &'a Due, partitions: u32) -> BaseRecord<'a, [u8], [u8]> {
    let record = &event.record;
    let headers = OwnedHeaders::new_with_capacity(record.headers.len());
    let headers =
        record.headers.iter().fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
    let mut to = BaseRecord::to(name).payload(&*record.value).headers(headers).timestamp(event.time);
    to.key = record.key.as_deref();
    let of = |key: &[u8]| shard_of(&String::from_utf8_lossy(key), partitions);
    let shard = event.id.as_ref().and(to.key).map_or(0, of);
    to.partition = i32::try_from(shard).ok();
    to
}
