//! A service that dies: at every named place, and at random moments. What was acknowledged is there, every change comes
//! once, and in the end state and outputs are those of a service that never died (PROTOCOL P14, P27, P28).
//!
//! `HEADROOM_RANDOM_KILLS` says how often it is killed at random moments (100).

mod ledger;
mod points;
mod process;
mod season;

use std::time::Duration;

use headroom_node::{DataDir, ReplayProgress, replay_journal};
use headroom_store::{OutputKind, StoreOptions, fault};
use tempfile::TempDir;

use ledger::Ledger;
use points::{Way, way};
use process::{Process, Start};
use season::Season;

/// Settings that bring every place into reach of a small season.
const SETTINGS: &[&str] =
    &["log.time=recorded", "node.shards=2", "lane.batch_records=64", "lane.timers_max=1", "log.group_records=50"];

/// The same in one shard: a death has one place then, and is not blamed on what another shard is deciding.
const ALONE: &[&str] =
    &["log.time=recorded", "node.shards=1", "lane.batch_records=64", "lane.timers_max=1", "log.group_records=50"];

fn start<'a>(dir: &'a TempDir, settings: &'a [&'a str]) -> Start<'a> {
    Start { data_dir: dir.path(), settings, fail_at: None }
}

/// Outputs by account, and the digest of each shard's state.
#[derive(Debug, PartialEq)]
struct End {
    outputs: Vec<Vec<String>>,
    digests: Vec<String>,
}

fn end(dir: &TempDir) -> End {
    let data = DataDir::find(dir.path()).unwrap();
    let (mut outputs, mut digests) = (Vec::new(), Vec::new());
    for shard in 0..data.shards() {
        let reader = data.read(shard, &StoreOptions::default()).unwrap();
        let stored = reader.outputs_from(0, usize::MAX).unwrap();
        let mut of_shard: Vec<String> = stored.iter().map(|(_, bytes)| season::without_position(bytes)).collect();
        // Sweeps of an idle shard depend on when it was idle: between accounts the order is free.
        of_shard.sort();
        outputs.push(of_shard);
        digests.push(reader.digest().unwrap().iter().map(|byte| format!("{byte:02x}")).collect());
    }
    End { outputs, digests }
}

/// The first difference is enough to read.
fn assert_same(end: &End, expected: &End) {
    for (outputs, expected) in end.outputs.iter().zip(&expected.outputs) {
        let differs = outputs.iter().zip(expected).find(|(one, other)| one != other);
        assert_eq!(differs, None);
        assert_eq!(outputs.len(), expected.len());
    }
    assert_eq!(end.digests, expected.digests);
}

fn undisturbed(season: &Season) -> End {
    undisturbed_with(season, SETTINGS)
}

fn undisturbed_with(season: &Season, settings: &[&str]) -> End {
    let dir = TempDir::new().unwrap();
    let service = Process::serving(&start(&dir, settings));
    for chunk in season.chunks() {
        service.send(chunk).expect("nothing disturbs");
    }
    service.stop();
    end(&dir)
}

fn assert_journal(dir: &TempDir) {
    let data = DataDir::find(dir.path()).unwrap();
    let scratch = TempDir::new().unwrap();
    let mut at = ReplayProgress::default();
    let differences = replay_journal(&data, &[], scratch.path(), &mut |progress| at = progress).unwrap();
    assert_eq!(differences, []);
    assert!(at.records > 0 && at.outputs > 0, "{at:?}");
}

/// Sends everything; whenever the process is gone, starts it again and sends the same chunk again.
struct Feed<'a> {
    dir: &'a TempDir,
    settings: &'a [&'a str],
    season: &'a Season,
    next: usize,
    ledger: Ledger,
    deaths: usize,
}

impl Feed<'_> {
    /// Sends until the process dies or everything is sent. True: it died.
    fn send(&mut self, service: &Process) -> bool {
        while let Some(chunk) = self.season.chunks().get(self.next) {
            if service.send(chunk).is_err() || self.ledger.read(service).is_err() {
                return true;
            }
            self.next += 1;
        }
        false
    }

    fn died(&mut self, service: Process, what: &str) {
        let status = service.wait();
        assert_eq!(process::signal(&status), Some(9), "{what}: {status}");
        self.deaths += 1;
    }

    fn finish(mut self) -> usize {
        let service = Process::serving(&start(self.dir, self.settings));
        assert!(!self.send(&service), "it was not armed");
        self.ledger.read(&service).expect("it was not armed");
        service.stop();
        self.ledger.assert_complete(self.dir);
        self.deaths
    }
}

/// Rounds of one record and rounds of thousands, timers one at a time and all at once.
#[test]
fn the_size_of_rounds_changes_nothing() {
    let season = Season::generate();
    let large = undisturbed_with(&season, &["log.time=recorded", "node.shards=2"]);
    let small = &["log.time=recorded", "node.shards=2", "lane.batch_records=1", "lane.timers_max=1"];
    assert_same(&undisturbed_with(&season, small), &large);
}

#[test]
fn it_may_die_at_every_named_place() {
    let season = Season::generate();
    let expected = undisturbed_with(&season, ALONE);
    let dir = TempDir::new().unwrap();
    let mut feed = Feed { dir: &dir, settings: ALONE, season: &season, next: 0, ledger: Ledger::default(), deaths: 0 };
    let mut died_at = Vec::new();
    for point in points::in_order() {
        let armed = Start { fail_at: Some(point.to_owned()), ..start(&dir, ALONE) };
        if let Some(service) = Process::try_serving(&armed) {
            if way(point) == Way::Stopping || !feed.send(&service) {
                service.terminate();
            }
            feed.died(service, point);
        } else {
            feed.deaths += 1;
        }
        died_at.push(point);
    }
    println!("died at {} places: {died_at:?}", died_at.len());
    let deaths = feed.finish();
    assert_eq!(deaths, died_at.len());
    assert_same(&end(&dir), &expected);
    assert_journal(&dir);
}

#[test]
fn it_may_die_at_any_moment() {
    let kills: usize = std::env::var("HEADROOM_RANDOM_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    let season = Season::generate();
    let expected = undisturbed(&season);
    let dir = TempDir::new().unwrap();
    let mut feed =
        Feed { dir: &dir, settings: SETTINGS, season: &season, next: 0, ledger: Ledger::default(), deaths: 0 };
    let mut moments = season::Moments::new(7);
    let per_kill = season.chunks().len().div_ceil(kills).max(1);
    for _ in 0..kills {
        let service = Process::serving(&start(&dir, SETTINGS));
        let upto = (feed.next + per_kill).min(season.chunks().len());
        service.kill_after(Duration::from_micros(moments.next_below(40_000)));
        while feed.next < upto {
            let chunk = &season.chunks()[feed.next];
            if service.send(chunk).is_err() || feed.ledger.read(&service).is_err() {
                break;
            }
            feed.next += 1;
        }
        feed.died(service, "at random");
    }
    let deaths = feed.finish();
    println!("died {deaths} times at random moments");
    assert_eq!(deaths, kills);
    assert_same(&end(&dir), &expected);
    assert_journal(&dir);
}

/// A year after the season its clock ticks: timers fire, and what is older than a day is trimmed. What comes of it depends
/// on the clock of the machine; but the journal can say whether it is what was decided, and what is left must be whole.
#[test]
fn it_may_die_in_ticks_and_trims() {
    const TICKING: &[&str] = &["node.shards=2", "lane.tick=100ms", "retention.keep=3650d"];
    const TRIMMING: &[&str] = &["node.shards=2", "lane.tick=100ms", "retention.keep=1d", "retention.trim_every=1s"];
    let season = Season::generate();
    for point in fault::POINTS.iter().filter(|point| way(point) == Way::Idling) {
        let dir = TempDir::new().unwrap();
        let service = Process::serving(&start(&dir, SETTINGS));
        season.chunks().iter().for_each(|chunk| service.send(chunk).expect("nothing disturbs"));
        service.stop();
        let trims = point.starts_with("trim.");
        let settings = if trims { TRIMMING } else { TICKING };
        let armed = Start { fail_at: Some((*point).to_owned()), ..start(&dir, settings) };
        // It dies by itself, in its own time.
        if let Some(service) = Process::try_serving(&armed) {
            assert_eq!(process::signal(&service.wait()), Some(9), "{point}");
        }
        let service = Process::serving(&start(&dir, SETTINGS));
        service.stop();
        process::verify_journal(&dir);
        if trims { whole(&dir) } else { assert_journal(&dir) }
    }
}

/// From the trim mark on no output is missing, and the rows by account are those of the outputs.
fn whole(dir: &TempDir) {
    let data = DataDir::find(dir.path()).unwrap();
    for shard in 0..data.shards() {
        let reader = data.read(shard, &StoreOptions::default()).unwrap();
        let (start, count) = (reader.outputs_start().unwrap(), reader.outputs_count().unwrap());
        let stored = reader.outputs_from(0, usize::MAX).unwrap();
        let sequences: Vec<u64> = stored.iter().map(|(sequence, _)| *sequence).collect();
        assert_eq!(sequences, (start..count).collect::<Vec<_>>());
        let ids = reader.accounts().unwrap().map(|account| account.unwrap().id);
        let by_account = ids.map(|id| reader.account_outputs(&id, None, usize::MAX).unwrap().len());
        let dead_letters = reader.outputs_of_kind(OutputKind::DeadLetter, 0, usize::MAX).unwrap().len();
        let rows: usize = by_account.sum();
        assert!((stored.len() - dead_letters..=stored.len()).contains(&rows), "{rows} rows of {}", stored.len());
    }
}

/// `headroom run` with its copy of the outputs, at the places that only it passes.
#[test]
fn a_run_may_die_while_it_writes_its_outputs() {
    let season = Season::generate();
    let clean = TempDir::new().unwrap();
    process::run(&clean, season.file(), None);
    let expected = process::outputs(&clean);
    for point in fault::POINTS.iter().filter(|point| way(point) == Way::Running) {
        let dir = TempDir::new().unwrap();
        match *point {
            // A file that is gone is written anew; one that is longer than the last commit says is cut back.
            "out.rewritten" => {
                process::run(&dir, season.file(), None);
                process::remove_outputs(&dir);
            }
            "out.cut_back" => process::run_until_killed(&dir, season.file(), "commit.after_write:12"),
            _ => {}
        }
        process::run_until_killed(&dir, season.file(), point);
        process::run(&dir, season.file(), None);
        assert!(process::outputs(&dir) == expected, "{point}: the outputs differ");
        assert_eq!(process::digest(&dir), process::digest(&clean), "{point}");
    }
}
