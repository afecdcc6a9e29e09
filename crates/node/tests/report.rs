//! The report of a run against what its outputs and stored accounts say when they are counted again, simply.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use headroom_engine::{Limits, Term, Timestamp};
use headroom_node::{Exposure, ReportDay, RunOptions, RunReport, RunSummary, run, run_reported};
use headroom_sources::{SeasonPlan, generate, read_ruleset_dir};
use headroom_store::{Durability, Reader, StoreOptions};
use headroom_wire::proto::{self, output::Body};
use headroom_wire::{event_to_json, output_from_json};
use tempfile::TempDir;

fn options(dir: &Path, name: &str, events: &[&str]) -> RunOptions {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    RunOptions {
        rules: read_ruleset_dir(&rules).expect("the built-in rules"),
        events: events.iter().map(|file| dir.join(file)).collect(),
        data_dir: dir.join(format!("{name}.data")),
        out: dir.join(format!("{name}.ndjson")),
        batch_records: 700,
        until: None,
        store: StoreOptions { durability: Durability::Process, ..StoreOptions::default() },
    }
}

/// A season in two files, and a file with two lines that are no events.
fn season() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let mut lines = Vec::new();
    let mut keep = |event: proto::Event| {
        let mut line = Vec::new();
        event_to_json(&event, &mut line).expect("an event has a JSON form");
        lines.push(line);
        Ok(())
    };
    generate(&SeasonPlan { accounts: 150, days: 80, seed: 3 }, &mut keep, &mut |_| {}).expect("a season");
    let middle = lines.len() / 2;
    for (name, part) in [("first.ndjson", &lines[..middle]), ("second.ndjson", &lines[middle..])] {
        let mut text = part.join(&b"\n"[..]);
        text.push(b'\n');
        fs::write(dir.path().join(name), text).expect("an event file");
    }
    fs::write(dir.path().join("torn.ndjson"), "{\"event_id\":\n{}\n").expect("an event file");
    dir
}

fn reported(options: &RunOptions) -> (RunSummary, RunReport) {
    run_reported(options, &mut |_| {}).expect("a run")
}

fn outputs(path: &Path) -> Vec<Body> {
    let text = fs::read_to_string(path).expect("the output file");
    text.lines().map(|line| output_from_json(line.as_bytes()).expect("an output").body.expect("a body")).collect()
}

/// What is counted on each day, over several reports.
fn by_date(reports: &[&RunReport]) -> BTreeMap<String, [u64; 8]> {
    let mut dates: BTreeMap<String, [u64; 8]> = BTreeMap::new();
    for day in reports.iter().flat_map(|report| &report.days) {
        let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
        let (changes, letters) = (sum(&day.changes_by_rule), sum(&day.dead_letters));
        let counts = [day.records, changes, day.offers, day.reviews, day.notices, letters, day.blocked, day.restored];
        let date = dates.entry(day.date.clone()).or_default();
        date.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
    }
    dates.retain(|_, counts| counts.iter().any(|count| *count > 0));
    dates
}

fn total(report: &RunReport, of: impl Fn(&ReportDay) -> u64) -> u64 {
    report.days.iter().map(of).sum()
}

fn summed(report: &RunReport, of: impl Fn(&ReportDay) -> &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for (key, count) in report.days.iter().flat_map(&of) {
        *sums.entry(key.clone()).or_default() += count;
    }
    sums
}

fn is_blocked(limits: &Limits) -> bool {
    limits.effective == 0 && matches!(limits.effective_bound_by, Term::Block(_))
}

/// What the stored accounts come to.
fn stored(data_dir: &Path, now: Timestamp) -> (BTreeMap<String, Exposure>, u64) {
    let reader = Reader::open(data_dir, &StoreOptions::default()).expect("a data directory");
    let (mut sums, mut blocked) = (BTreeMap::<String, Exposure>::new(), 0);
    for account in reader.accounts().expect("accounts") {
        let account = account.expect("an account");
        let limits = account.limits(now);
        let sum = sums.entry(account.currency.map(|each| each.to_string()).unwrap_or_default()).or_default();
        sum.accounts += 1;
        sum.base += account.stack.base;
        sum.granted += limits.granted;
        sum.effective += limits.effective;
        sum.used += limits.used;
        blocked += u64::from(is_blocked(&limits));
    }
    (sums, blocked)
}

/// How often the changes took an account to 0 by a block, and how often they brought it back.
fn moves(outputs: &[Body]) -> (u64, u64) {
    let (mut state, mut blocked, mut restored) = (BTreeMap::new(), 0, 0);
    for output in outputs {
        let Body::LimitChange(change) = output else { continue };
        let after = change.after.as_ref().expect("a stack");
        let now = after.effective == 0 && after.effective_bound_by.starts_with("block:");
        let before = state.insert(change.account_id.clone(), now).unwrap_or(false);
        blocked += u64::from(now && !before);
        restored += u64::from(before && !now);
    }
    (blocked, restored)
}

#[test]
fn a_report_says_what_outputs_and_accounts_say() {
    let dir = season();
    let options = options(dir.path(), "whole", &["first.ndjson", "second.ndjson", "torn.ndjson"]);
    let (summary, report) = reported(&options);
    assert_eq!((report.records, report.records_before), (summary.new_records, 0));
    assert_eq!(total(&report, |day| day.records), summary.totals.events);
    assert_eq!(summed(&report, |day| &day.changes_by_kind), summary.totals.changes);
    assert_eq!(summed(&report, |day| &day.dead_letters), summary.totals.dead_letters);
    assert_eq!(summed(&report, |day| &day.dead_letters).values().sum::<u64>(), 2);
    assert_eq!(total(&report, |day| day.offers), summary.totals.offers);
    assert_eq!(total(&report, |day| day.reviews), summary.totals.reviews);
    assert_eq!(total(&report, |day| day.notices), summary.totals.notices);
    let classes: u64 = summed(&report, |day| &day.changes_by_class).values().sum();
    assert_eq!(classes, summary.totals.changes.values().sum::<u64>());

    let outputs = outputs(&options.out);
    let mut by_rule = BTreeMap::new();
    for output in &outputs {
        if let Body::LimitChange(change) = output {
            *by_rule.entry(change.rule_id.clone()).or_default() += 1;
        }
    }
    assert_eq!(summed(&report, |day| &day.changes_by_rule), by_rule);
    let (exposure, blocked) = stored(&options.data_dir, summary.now);
    let last = report.days.last().expect("days");
    assert_eq!((&last.exposure, last.blocked_at_end, report.blocked), (&exposure, blocked, blocked));
    let counted = (total(&report, |day| day.blocked), total(&report, |day| day.restored));
    assert_eq!(counted, moves(&outputs));
    assert!(counted.0 > 0 && counted.0 - counted.1 == blocked, "{counted:?}, {blocked}");
    assert_eq!(report.rounds.last().map(|last| last.records), Some(summary.new_records));
}

#[test]
fn collecting_changes_no_decision() {
    let dir = season();
    let files = ["first.ndjson", "second.ndjson"];
    let (with, _) = reported(&options(dir.path(), "with", &files));
    let without = run(&options(dir.path(), "without", &files), &mut |_| {}).expect("a run");
    assert_eq!((with.outputs_digest, with.state_digest), (without.outputs_digest, without.state_digest));
}

#[test]
fn a_run_that_goes_on_reports_what_is_new_and_begins_where_the_other_ended() {
    let dir = season();
    let (_, whole) = reported(&options(dir.path(), "whole", &["first.ndjson", "second.ndjson"]));
    let (_, first) = reported(&options(dir.path(), "parts", &["first.ndjson"]));
    let (_, second) = reported(&options(dir.path(), "parts", &["second.ndjson"]));
    assert_eq!((second.records_before, first.records + second.records), (first.records, whole.records));
    assert_eq!((second.blocked, second.accounts), (whole.blocked, whole.accounts));
    // The day on which the files are cut stands in both. So may earlier ones: a look that is caught up with late says when
    // it was due.
    assert_eq!(by_date(&[&first, &second]), by_date(&[&whole]));
    let last = |report: &RunReport| report.days.last().map(|day| (day.blocked_at_end, day.exposure.clone()));
    assert_eq!(last(&second), last(&whole));
    let (_, again) = reported(&options(dir.path(), "parts", &["first.ndjson", "second.ndjson"]));
    assert_eq!((again.records, again.records_before), (0, whole.records));
    assert_eq!((again.blocked, again.days.len()), (whole.blocked, 0));
}
