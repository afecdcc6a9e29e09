//! How fast: the run over its seconds, and requests over HTTP if there were any.

use headroom_node::ReportRound;

use super::Season;
use crate::commands::report::chart::{Line, Tick, Words, bar, lines};
use crate::commands::report::html::{self, Cell, figure, heading, table};
use crate::commands::report::number::{count, duration, short};
use crate::commands::report::sent::Sent;

/// The run's time is cut into at most so many parts.
const PARTS: usize = 60;

/// Throughput, then latency.
pub fn section(season: &Season<'_>) -> String {
    let report = season.report;
    let lead = format!(
        "The run took {} records in {}: from the file to decisions synced to disk, one shard.",
        count(report.records),
        duration(report.micros)
    );
    let body = heading("Throughput of the run")
        + &throughput(&report.rounds)
        + &totals(season)
        + &season.sent.map(latency).unwrap_or_default();
    html::section("speed", "Latency and throughput", &lead, &body)
}

fn throughput(rounds: &[ReportRound]) -> String {
    let Some(end) = rounds.last().map(|last| last.micros).filter(|end| *end > 0) else { return String::new() };
    let parts = rounds.len().min(PARTS);
    let width = end as f64 / parts as f64;
    let until = |part: usize| taken(rounds, width * part as f64);
    let rates: Vec<f64> = (0..parts).map(|part| (until(part + 1) - until(part)) * 1e6 / width).collect();
    let at = |part: usize| duration_at(width * (part as f64 + 0.5));
    let said: Vec<String> = rates
        .iter()
        .enumerate()
        .map(|(part, rate)| format!("after {}\n{} records/s", at(part), short(*rate)))
        .collect();
    let ticks: Vec<Tick> = (0..parts).step_by(parts.div_ceil(8)).map(|part| (part, at(part))).collect();
    let words = Words {
        id: "chart-throughput",
        title: "Records per second over the run",
        description: "How many records the run took in each part of its time.",
        unit: "records per second",
    };
    let line = Line { name: "records/s", class: "s1", values: rates, filled: true };
    figure(&[], &lines(&words, &ticks, &[line], &said, (200.0, 1.0)))
}

fn duration_at(micros: f64) -> String {
    format!("{} s", short((micros / 1e5).round() / 10.0))
}

/// Records at a moment, between two rounds in proportion.
fn taken(rounds: &[ReportRound], at: f64) -> f64 {
    let mut before = ReportRound::default();
    for round in rounds {
        let (start, end) = (before.micros as f64, round.micros as f64);
        if end >= at {
            let share = if end > start { (at - start) / (end - start) } else { 1.0 };
            return before.records as f64 + share * (round.records - before.records) as f64;
        }
        before = *round;
    }
    before.records as f64
}

fn totals(season: &Season<'_>) -> String {
    let mut rows = vec![vec![
        Cell::Text("run over files".to_owned()),
        Cell::Number(count(season.report.records)),
        Cell::Number(duration(season.report.micros)),
        Cell::Number(count(season.per_second())),
    ]];
    if let Some(sent) = season.sent {
        rows.push(vec![
            Cell::Text("sent over HTTP".to_owned()),
            Cell::Number(count(sent.records)),
            Cell::Number(duration(sent.millis * 1_000)),
            Cell::Number(count(sent.accepted_per_s)),
        ]);
    }
    table("Throughput", &["how", "records", "time", "records per second"], &rows)
}

fn latency(sent: &Sent) -> String {
    let row = |(name, micros): (&str, u64)| {
        vec![
            Cell::Text(name.to_owned()),
            Cell::Drawing(bar(micros, sent.request_latency_us.max)),
            Cell::Number(duration(micros)),
        ]
    };
    let rows: Vec<Vec<Cell>> = sent.request_latency_us.named().into_iter().map(row).collect();
    let rejected: u64 = sent.rejected.values().sum();
    let words = format!(
        "<p>From the sending of a request to its answer. {} requests with {:.0} records each on average; {} records \
         accepted, {} rejected, {} requests repeated. They are not part of the days above, which are those of the run.</p>\n",
        count(sent.requests),
        sent.records as f64 / sent.requests.max(1) as f64,
        count(sent.accepted),
        count(rejected),
        count(sent.retries)
    );
    let table = table("Latency of requests", &["percentile", "", "within"], &rows);
    format!("{}{words}<div class=\"wide\">{table}</div>\n", heading("Latency of requests over HTTP"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_between_two_rounds_are_shared_out() {
        let rounds = [(10, 100), (30, 200)].map(|(micros, records)| ReportRound { micros, records });
        let at = [0.0, 5.0, 10.0, 20.0, 30.0, 99.0].map(|at| taken(&rounds, at));
        assert_eq!(at, [0.0, 50.0, 100.0, 150.0, 200.0, 200.0]);
    }
}
