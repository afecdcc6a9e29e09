//! Prints how fast a store loads accounts and changes them at random: `cargo run --release --example store_speed`.
//! Arguments: accounts (1000000), commits of 1,000 changes (300), accounts cached (1000000), `fsync` to sync each.

use std::error::Error;
use std::time::Instant;

use headroom_engine::{
    Account, AccountId, Commit, DayBucket, HourBucket, SeenKey, ShardState, Timer, TimerKind, Timestamp,
};
use headroom_store::{CommitExtra, Durability, Store, StoreOptions};

const BATCH: u64 = 1_000;

struct Run {
    accounts: u64,
    commits: u64,
    options: StoreOptions,
}

fn main() -> Result<(), Box<dyn Error>> {
    let run = arguments()?;
    let dir = std::env::temp_dir().join(format!("headroom-store-speed-{}", std::process::id()));
    let result = measure(&run, &dir);
    std::fs::remove_dir_all(&dir)?;
    result
}

fn arguments() -> Result<Run, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: u64| arguments.get(at).map_or(Ok(otherwise), |text| text.parse::<u64>());
    let durability = if arguments.iter().any(|each| each == "fsync") { Durability::Fsync } else { Durability::Process };
    let accounts_cached_max = usize::try_from(number(2, 1_000_000)?)?;
    let options = StoreOptions { durability, accounts_cached_max, ..StoreOptions::default() };
    Ok(Run { accounts: number(0, 1_000_000)?, commits: number(1, 300)?, options })
}

fn measure(run: &Run, dir: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let mut store = Store::open(dir, run.options.clone())?;
    timed("load", run.accounts, || load(&mut store, run.accounts))?;
    timed("change", run.commits * BATCH, || change(&mut store, run, 0))?;
    drop(store);
    let started = Instant::now();
    let mut store = Store::open(dir, run.options.clone())?;
    println!("open                {:>10.3} s", started.elapsed().as_secs_f64());
    timed("change after reopen", run.commits * BATCH, || change(&mut store, run, run.commits))?;
    store.flush()?;
    let sizes = store.reader().sizes()?;
    println!("bytes per account   {:>10} stored, files {} MB", sizes.bytes_per_account(), sizes.file_bytes >> 20);
    timed("digest", sizes.accounts, || store.reader().digest().map(|_| ()).map_err(Into::into))
}

fn timed(what: &str, count: u64, work: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    work()?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{what:<20}{:>10} per second ({count} in {seconds:.2} s)", rate(count, seconds));
    Ok(())
}

fn rate(count: u64, seconds: f64) -> String {
    let thousands = f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds / 1_000.0;
    format!("{thousands:.0} k")
}

fn load(store: &mut Store, count: u64) -> Result<(), Box<dyn Error>> {
    for first in (0..count).step_by(1_000) {
        let accounts = (first..count.min(first + BATCH)).map(|n| Box::new(account(n))).collect();
        store.commit(Commit { accounts, ..Commit::default() }, CommitExtra::default())?;
    }
    Ok(())
}

/// Reads, changes and writes accounts in the pattern of a step: one seen key and one timer for each.
fn change(store: &mut Store, run: &Run, from: u64) -> Result<(), Box<dyn Error>> {
    for round in from..from + run.commits {
        let chosen: Vec<u64> = (0..BATCH).map(|n| scatter(round * BATCH + n)).collect();
        let ids: Vec<AccountId> = chosen.iter().map(|hash| id(hash % run.accounts)).collect();
        let now = Timestamp(i64::try_from(round)? * 1_000);
        let keys: Vec<_> = chosen.iter().map(|hash| SeenKey { day: 20_000, hash: *hash }).collect();
        store.due_timers(now, None, 1_000)?;
        let seen = keys.iter().copied().zip(store.seen(&keys)?.into_iter().map(Option::unwrap_or_default)).collect();
        let mut accounts = store.load_accounts(&ids)?;
        accounts.sort_by(|one, other| one.id.cmp(&other.id));
        accounts.iter_mut().for_each(|account| account.sequence += 1);
        let due =
            |at: usize| Timer { due: now.plus(60_000), kind: TimerKind::Daily, rule: u32::try_from(at).unwrap_or(0) };
        let timers_added = accounts.iter().enumerate().map(|(at, account)| (account.id.clone(), due(at))).collect();
        let state = ShardState { now, seen_from_day: 19_993, ..ShardState::default() };
        store.commit(Commit { accounts, seen, timers_added, state, ..Commit::default() }, CommitExtra::default())?;
    }
    Ok(())
}

/// An account that has ordered for a month: some 400 bytes stored.
fn account(number: u64) -> Account {
    let mut account = Account::provisional(id(number), Timestamp(1_700_000_000_000), 0);
    let amount = |at: i32| i64::from(at) * 7_919 + i64::try_from(number % 100_000).unwrap_or(0);
    let orders = &mut account.orders[0];
    orders.hours =
        (0..12).map(|at| HourBucket { hour: 472_000 + at, amount: amount(at), ..HourBucket::default() }).collect();
    orders.days = (0..30)
        .map(|at| DayBucket { day: 19_640 + at, placed: amount(at), paid: amount(at), ..DayBucket::default() })
        .collect();
    account
}

fn id(number: u64) -> AccountId {
    format!("account-{number:08}").into()
}

/// A permutation of 64-bit numbers (the finaliser of SplitMix64): spreads rounds over accounts.
fn scatter(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
