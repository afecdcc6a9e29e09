//! How fast loaded topics are caught up with, and what that costs.

use std::time::Duration;

use headroom_kafka_broker::Broker;

use crate::Run;
use crate::cluster::Cluster;
use crate::cpu::Span;
use crate::shape::Shape;
use crate::subject::Subject;

/// This part of a run is left out at its beginning: threads, caches and connections warm up.
const LEFT_OUT: f64 = 0.1;

/// Alternates node and passthrough over the same inputs.
pub fn measure(run: &Run, broker: &Broker) {
    println!("\nthroughput: {} partitions, topics loaded before", run.partitions);
    let (mut node, mut raw) = (Span::default(), Span::default());
    let mut shape = None;
    for turn in 0..=run.times {
        let of_node = Cluster::create(run, &broker.bootstrap(), &format!("n{turn}"), run.partitions);
        let events = of_node.load(run.accounts, run.days);
        let span = carry(run, broker, Subject::node(run, &of_node), events);
        #[expect(clippy::cast_precision_loss, reason = "some millions")]
        let shape = *shape.get_or_insert_with(|| Shape::of(&of_node, events as f64));
        let of_raw = Cluster::create(run, &broker.bootstrap(), &format!("r{turn}"), run.partitions);
        let beside = carry(run, broker, Subject::passthrough(run, &of_node, &of_raw, &shape), events);
        let which = if turn == 0 { "for warmth" } else { "measured" };
        tell(&format!("node, {which}"), &span);
        tell(&format!("passthrough, {which}"), &beside);
        if turn > 0 {
            (node, raw) = (node.plus(span), raw.plus(beside));
        }
    }
    if run.times > 0 {
        tell("node, mean", &node);
        tell("passthrough, mean", &raw);
        let ratio = node.per_cpu_second() / raw.per_cpu_second() * 100.0;
        println!("events per CPU-second, broker included: node {ratio:.1} % of the passthrough");
    }
}

fn carry(run: &Run, broker: &Broker, mut subject: Subject, events: u64) -> Span {
    let pid = broker.pid().expect("the broker runs");
    if run.pause > 0 {
        eprintln!("process {} catches up now", subject.pid());
        std::thread::sleep(Duration::from_secs(run.pause));
    }
    #[expect(clippy::cast_precision_loss, reason = "some millions")]
    let events = events as f64;
    subject.until_records(events * LEFT_OUT);
    let from = subject.sample(pid);
    subject.until_records(events);
    Span::between(&from, &subject.sample(pid))
}

fn tell(name: &str, span: &Span) {
    let (client, broker) = span.per_million();
    println!(
        "  {name:<24} {:>8.0} events/s   CPU-s per million: {client:.2} own, {broker:.2} broker   {:>6.0} events a transaction",
        span.rate(),
        span.records / span.transactions
    );
}
