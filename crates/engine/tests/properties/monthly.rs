//! Every open account is looked at once a month, at its own instant and with the market of that instant, whether
//! anything touches it or not.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_engine::{
    AccountEvent, Body, DAY, MINUTE, MarketEvent, Record, Regime, Ruleset, Segment, Tier, TimerKind, Timestamp,
};
use proptest::collection::vec;
use proptest::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use crate::shard::{CNY, START, Shard, day, event, load, record};
use crate::{changes, hold};

/// One percent less at every look in a downturn.
const TRIM: &str = "\
id: trim
number: 1
title: {en: Trim, zh: 降}
why: A test.
family: utilisation
class: decrease
on: [monthly]
when: market.regime == \"downturn\"
then: {decrease: {percent: 1}}
reason: TRIM
on_unknown: skip
owner: tests
since: 2025-01-01
";

/// The first days of the months of 2025 and of the next January, counted from [`START`].
const MONTHS: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
const ACCOUNTS: u16 = 12;

#[derive(Clone, Debug)]
enum Act {
    Open(u16),
    Close(u16),
    Touch(u16),
    Market(Regime),
}

/// When an act comes after the one before.
#[derive(Clone, Debug)]
enum When {
    After(i64),
    /// At the very instant at which an account is looked at next.
    AtLookOf(u16),
}

fn year() -> impl Strategy<Value = Vec<(When, Act)>> {
    let account = || 0..ACCOUNTS;
    let when = prop_oneof![
        2 => Just(When::After(0)),
        6 => (0..20 * DAY).prop_map(When::After),
        3 => account().prop_map(When::AtLookOf),
    ];
    let act = prop_oneof![
        4 => account().prop_map(Act::Open),
        1 => account().prop_map(Act::Close),
        2 => account().prop_map(Act::Touch),
        5 => proptest::sample::select(Regime::ALL).prop_map(Act::Market),
    ];
    vec((when, act), 1..60)
}

fn id(account: u16) -> String {
    format!("account-{account}")
}

/// The looks at an account in 2025, as the rulebook spreads them.
fn looks(account: u16) -> impl Iterator<Item = Timestamp> {
    let hash = xxh3_64(id(account).as_bytes());
    let (date, minute) = (i64::try_from(hash % 28).unwrap(), i64::try_from(hash / 28 % 1_440).unwrap());
    MONTHS.into_iter().map(move |first| day(first + date).plus(minute * MINUTE))
}

fn timed(acts: &[(When, Act)]) -> Vec<(Timestamp, Act)> {
    let mut now = START;
    let every = (0..ACCOUNTS / 2).map(|account| (START, Act::Open(account)));
    let mut all: Vec<(Timestamp, Act)> = every.collect();
    for (when, act) in acts {
        now = match when {
            When::After(millis) => now.plus(*millis),
            When::AtLookOf(account) => looks(*account).find(|at| *at >= now).unwrap_or(now),
        };
        all.push((now.min(day(364)), act.clone()));
    }
    all.push((day(365), Act::Touch(0)));
    all
}

impl Act {
    fn record(&self, at: Timestamp, place: u64) -> Record {
        let (account, body) = match self {
            Self::Open(account) => (*account, Body::Account(opened())),
            Self::Close(account) => (*account, Body::Account(AccountEvent::Closed { charged_off: false })),
            Self::Touch(account) => (*account, Body::Account(AccountEvent::ConsentChanged { standing: true })),
            Self::Market(regime) => (0, Body::Market(MarketEvent::RegimeChanged(*regime))),
        };
        record(event(&format!("event-{place}"), &id(account), at, body), at, place)
    }
}

fn opened() -> AccountEvent {
    let (segment, tier, base) = (Segment::MerchantStandard, Tier::None, 1_000_000_000);
    AccountEvent::Opened { segment, tier, currency: CNY, base, opened_at: None, probation_cap: None }
}

/// Who was looked at in a downturn and when. Timers fire before records of their instant, so a look counts what was
/// before it; an account counts from the opening to the end that it had when its look was due.
fn expected(acts: &[(Timestamp, Act)]) -> Vec<(Timestamp, String)> {
    let mut found = Vec::new();
    for account in 0..ACCOUNTS {
        for look in looks(account).filter(|look| *look <= day(365)) {
            let (mut open, mut closed, mut market) = (false, false, None);
            for (at, act) in acts.iter().filter(|(at, _)| *at < look) {
                match act {
                    Act::Open(of) if *of == account && !closed => open = true,
                    Act::Close(of) if *of == account => (open, closed) = (false, true),
                    Act::Market(regime) => market = Some((*at, *regime)),
                    _ => {}
                }
            }
            if open && market.is_some_and(|(_, regime)| regime == Regime::Downturn) {
                found.push((look, id(account)));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_look_is_taken_when_it_is_due_with_the_market_of_that_instant() {
    let ruleset: Arc<Ruleset> = load(&[("trim.rule.yaml".to_owned(), TRIM.to_owned())]);
    let taken = Cell::new(0);
    hold(120, &year(), |acts| {
        let acts = timed(&acts);
        let records: Vec<Record> = acts.iter().zip(0..).map(|((at, act), place)| act.record(*at, place)).collect();
        let wanted = expected(&acts);
        let mut first = None;
        for size in [1, 7, 1_000] {
            let shard = Shard::played(&ruleset, &records, size);
            let found: Vec<_> =
                changes(&shard.outputs).map(|each| (each.trigger.at, each.account.to_string())).collect();
            prop_assert_eq!(&found, &wanted, "looks in batches of {}", size);
            prop_assert!(changes(&shard.outputs).all(|each| each.trigger.name == "timer:monthly"));
            let first =
                first.get_or_insert_with(|| (shard.outputs.clone(), shard.accounts.clone(), shard.state.clone()));
            prop_assert_eq!(&shard.outputs, &first.0, "outputs in batches of {}", size);
            prop_assert_eq!(&shard.accounts, &first.1, "accounts in batches of {}", size);
            prop_assert_eq!(&shard.state, &first.2, "the shard in batches of {}", size);
        }
        taken.set(taken.get() + wanted.len());
        Ok(())
    });
    assert!(taken.get() > 500, "only {} looks were taken", taken.get());
}

#[test]
fn exactly_the_open_accounts_have_a_look_ahead() {
    let ruleset: Arc<Ruleset> = load(&[("trim.rule.yaml".to_owned(), TRIM.to_owned())]);
    hold(60, &year(), |acts| {
        let acts = timed(&acts);
        let records: Vec<Record> = acts.iter().zip(0..).map(|((at, act), place)| act.record(*at, place)).collect();
        let shard = Shard::played(&ruleset, &records, 7);
        let places: BTreeMap<String, u16> = (0..ACCOUNTS).map(|account| (id(account), account)).collect();
        for account in shard.accounts.values() {
            let due = account.timers.iter().filter(|each| each.kind == TimerKind::Monthly).map(|each| each.due);
            let ahead = looks(places[&*account.id]).find(|look| *look > shard.state.now);
            prop_assert_eq!(
                due.collect::<Vec<_>>(),
                ahead.filter(|_| account.is_open()).into_iter().collect::<Vec<_>>()
            );
        }
        Ok(())
    });
}
