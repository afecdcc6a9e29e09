//! Counts while a run goes on, from the outputs and the accounts of each commit. It holds a few words for each account.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use headroom_engine::{
    Account, AccountId, BlockChange, ChangeKind, Class, Commit, DAY, LimitChange, Limits, Output, Ruleset, ShardState,
    Term, Timestamp,
};
use headroom_policy::Currency;
use headroom_store::{Reader, StoreError};

use super::types::{Exposure, REPORT_FORMAT, ReportDay, ReportRound, ReportRule, RunReport};

/// Points of the run's course that are kept: when they are full every second one goes.
const ROUNDS_MAX: usize = 1_000;
/// A season with more days than ten years has them only where something happened.
const DAYS_FILLED_MAX: i32 = 3_660;

/// Collects one run.
#[derive(Default)]
pub struct Collector {
    accounts: HashMap<AccountId, Held>,
    sums: BTreeMap<Option<Currency>, Sums>,
    blocked: u64,
    days: BTreeMap<i32, ReportDay>,
    rounds: Vec<ReportRound>,
    records_before: u64,
    duplicates_before: u64,
    records: u64,
}

/// What is remembered of one account, so that sums can follow it.
#[derive(Clone, Copy, Default)]
struct Held {
    currency: Option<Currency>,
    /// It is part of the sums: a new account's first change comes before the account itself.
    summed: bool,
    blocked: bool,
    base: i64,
    granted: i64,
    effective: i64,
    used: i64,
}

/// Sums over accounts of a currency; wide, so that no stream of accounts can overflow them.
#[derive(Clone, Copy, Default)]
struct Sums {
    accounts: u64,
    base: i128,
    granted: i128,
    effective: i128,
    used: i128,
}

impl Collector {
    /// Starts from what a data directory holds: a shard without a state has no accounts.
    ///
    /// # Errors
    /// What the store says.
    pub fn open(reader: &Reader) -> Result<Self, StoreError> {
        let mut collector = Self::default();
        let Some(state) = reader.state()? else { return Ok(collector) };
        collector.records_before = state.totals.events;
        collector.duplicates_before = state.totals.duplicates;
        for account in reader.accounts()? {
            let blocked = collector.account(&account?, state.now).is_some();
            collector.blocked += u64::from(blocked);
        }
        Ok(collector)
    }

    /// Takes in one commit.
    pub fn commit(&mut self, commit: &Commit, records: usize) {
        for output in &commit.outputs {
            self.output(output);
        }
        let now = commit.state.now;
        for account in &commit.accounts {
            let moved = self.account(account, now);
            self.count_block(now, moved);
        }
        self.records += records as u64;
        let (blocked, exposure) = (self.blocked, self.exposure());
        let day = self.day(now);
        day.records += records as u64;
        (day.blocked_at_end, day.exposure) = (blocked, exposure);
    }

    /// Marks how far the run has come.
    pub fn round(&mut self, since_start: Duration) {
        if self.rounds.len() == ROUNDS_MAX {
            let mut keep = true;
            self.rounds.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.rounds.push(ReportRound { micros: micros(since_start), records: self.records });
    }

    /// The whole report. Days on which nothing happened stand in it with the limits of the day before.
    pub fn finish(self, inputs: Vec<String>, ruleset: &Ruleset, state: &ShardState, took: Duration) -> RunReport {
        RunReport {
            format: REPORT_FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            inputs,
            ruleset_hash: ruleset.hash.to_string(),
            rules: ruleset.rules.iter().map(named).collect(),
            records_before: self.records_before,
            records: self.records,
            duplicates: state.totals.duplicates.saturating_sub(self.duplicates_before),
            accounts: state.accounts,
            blocked: self.blocked,
            now: jiff::Timestamp::from_millisecond(state.now.0).map(|at| at.to_string()).unwrap_or_default(),
            micros: micros(took),
            days: filled(self.days),
            rounds: self.rounds,
        }
    }

    fn day(&mut self, at: Timestamp) -> &mut ReportDay {
        self.days.entry(day_of(at)).or_default()
    }

    fn output(&mut self, output: &Output) {
        match output {
            Output::LimitChange(change) => self.change(change),
            Output::Offer(offer) => self.day(offer.created_at).offers += 1,
            Output::Review(review) => self.day(review.created_at).reviews += 1,
            Output::Notice(notice) => self.day(notice.created_at).notices += 1,
            Output::DeadLetter(letter) => {
                let code = letter.refusal.code.code().to_owned();
                *self.day(letter.at).dead_letters.entry(code).or_default() += 1;
            }
        }
    }

    fn change(&mut self, change: &LimitChange) {
        let at = change.trigger.at;
        let rule = change.rule.as_ref().map(|rule| rule.id.to_string()).unwrap_or_default();
        let day = self.day(at);
        *day.changes_by_rule.entry(rule).or_default() += 1;
        *day.changes_by_kind.entry(change.kind.word().to_owned()).or_default() += 1;
        *day.changes_by_class.entry(class(change).word().to_owned()).or_default() += 1;
        // A freeze that is made good with the same event shows in no stored account: the changes tell of it.
        let held = self.accounts.entry(change.account.clone()).or_default();
        let moved = held.block(is_blocked(&change.after.limits));
        self.count_block(at, moved);
    }

    /// Notes an account, and tells whether it was blocked (true) or restored (false).
    fn account(&mut self, account: &Account, now: Timestamp) -> Option<bool> {
        let limits = account.limits(now);
        let known = self.accounts.get(&account.id).copied();
        if let Some(before) = known.filter(|each| each.summed)
            && let Some(sums) = self.sums.get_mut(&before.currency)
        {
            sums.add(&before, -1);
        }
        let mut held = Held {
            currency: account.currency,
            summed: true,
            blocked: known.is_some_and(|before| before.blocked),
            base: account.stack.base,
            granted: limits.granted,
            effective: limits.effective,
            used: limits.used,
        };
        let moved = held.block(is_blocked(&limits));
        self.sums.entry(held.currency).or_default().add(&held, 1);
        self.accounts.insert(account.id.clone(), held);
        moved
    }
}

impl Collector {
    /// Counts what [`Held::block`] told.
    fn count_block(&mut self, at: Timestamp, moved: Option<bool>) {
        match moved {
            Some(true) => {
                self.blocked += 1;
                self.day(at).blocked += 1;
            }
            Some(false) => {
                self.blocked -= 1;
                self.day(at).restored += 1;
            }
            None => {}
        }
    }

    fn exposure(&self) -> BTreeMap<String, Exposure> {
        let present = self.sums.iter().filter(|(_, sums)| sums.accounts > 0);
        present
            .map(|(currency, sums)| (currency.map(|each| each.to_string()).unwrap_or_default(), sums.exposure()))
            .collect()
    }
}

impl Held {
    /// Sets whether it is blocked; tells the new state if it is another.
    fn block(&mut self, blocked: bool) -> Option<bool> {
        (std::mem::replace(&mut self.blocked, blocked) != blocked).then_some(blocked)
    }
}

impl Sums {
    fn add(&mut self, held: &Held, sign: i64) {
        self.accounts = self.accounts.saturating_add_signed(sign);
        self.base += i128::from(held.base) * i128::from(sign);
        self.granted += i128::from(held.granted) * i128::from(sign);
        self.effective += i128::from(held.effective) * i128::from(sign);
        self.used += i128::from(held.used) * i128::from(sign);
    }

    fn exposure(&self) -> Exposure {
        Exposure {
            accounts: self.accounts,
            base: narrow(self.base),
            granted: narrow(self.granted),
            effective: narrow(self.effective),
            used: narrow(self.used),
        }
    }
}

fn narrow(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The UTC day of an instant, counted from 1970.
pub fn day_of(at: Timestamp) -> i32 {
    i32::try_from(at.0.div_euclid(DAY)).unwrap_or(if at.0 < 0 { i32::MIN } else { i32::MAX })
}

/// Nothing can be used, because of a block.
fn is_blocked(limits: &Limits) -> bool {
    limits.effective == 0 && matches!(limits.effective_bound_by, Term::Block(_))
}

/// What a change did, whoever made it: a rule of one class may do several things.
fn class(change: &LimitChange) -> Class {
    match change.kind {
        ChangeKind::Increase => Class::Increase,
        ChangeKind::Decrease | ChangeKind::BoostEnded => Class::Decrease,
        ChangeKind::Boost => Class::Boost,
        ChangeKind::BlockChanged => change.block.as_ref().map_or(Class::Freeze, class_of_block),
        ChangeKind::CapChanged => Class::Cap,
        ChangeKind::HoldChanged => Class::Hold,
        ChangeKind::Undone => Class::Restore,
    }
}

/// A block that goes, bounds less, or lets more through restores.
fn class_of_block(block: &BlockChange) -> Class {
    let Some((scope, ceiling)) = block.after else { return Class::Restore };
    let Some((scope_before, ceiling_before)) = block.before else { return Class::Freeze };
    let (now, then) = (ceiling.unwrap_or(i64::MAX), ceiling_before.unwrap_or(i64::MAX));
    if (now, scope_before) > (then, scope) { Class::Restore } else { Class::Freeze }
}

fn named(rule: &headroom_engine::Rule) -> ReportRule {
    ReportRule {
        id: rule.id.to_string(),
        number: rule.number,
        title: rule.title_en.clone(),
        class: rule.class.word().to_owned(),
    }
}

/// Before the first record with a time the shard's clock stands in 1970: what came then belongs to the first day.
fn without_1970(days: &mut BTreeMap<i32, ReportDay>) {
    let Some(early) = days.remove(&0) else { return };
    match days.first_entry() {
        Some(mut first) => {
            let first = first.get_mut();
            first.records += early.records;
            for (code, count) in early.dead_letters {
                *first.dead_letters.entry(code).or_default() += count;
            }
        }
        None => drop(days.insert(0, early)),
    }
}

/// Days in order, without gaps.
fn filled(mut days: BTreeMap<i32, ReportDay>) -> Vec<ReportDay> {
    without_1970(&mut days);
    let ends = days.first_key_value().map(|(first, _)| *first).zip(days.last_key_value().map(|(last, _)| *last));
    if let Some((first, last)) = ends.filter(|(first, last)| last.saturating_sub(*first) <= DAYS_FILLED_MAX) {
        for day in first..=last {
            days.entry(day).or_default();
        }
    }
    let mut before = (0, BTreeMap::new());
    days.into_iter()
        .map(|(number, mut day)| {
            day.date = date(number);
            // A day without a commit of its own: its outputs, if any, came with a later one.
            if day.exposure.is_empty() {
                (day.blocked_at_end, day.exposure) = before.clone();
            }
            before = (day.blocked_at_end, day.exposure.clone());
            day
        })
        .collect()
}

fn date(day: i32) -> String {
    let at = jiff::Timestamp::from_millisecond(i64::from(day).saturating_mul(DAY));
    at.map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use headroom_engine::{Cause, Scope};

    use super::*;

    fn block(before: Option<(Scope, Option<i64>)>, after: Option<(Scope, Option<i64>)>) -> BlockChange {
        BlockChange { cause: Cause::Volatility, before, after }
    }

    #[test]
    fn a_block_that_lets_more_through_restores() {
        let (full, part) = (Some((Scope::Spend, Some(0))), Some((Scope::Spend, Some(80))));
        let watch = Some((Scope::Watch, None));
        let moves = [(None, full), (full, part), (part, full), (full, None), (None, watch), (watch, None)];
        let classes = moves.map(|(before, after)| class_of_block(&block(before, after)));
        let (freeze, restore) = (Class::Freeze, Class::Restore);
        assert_eq!(classes, [freeze, restore, freeze, restore, freeze, restore]);
    }

    #[test]
    fn days_have_no_gaps_and_keep_the_limits_of_the_day_before() {
        let exposure = BTreeMap::from([("CNY".to_owned(), Exposure { accounts: 2, base: 7, ..Exposure::default() })]);
        let first = ReportDay { exposure: exposure.clone(), blocked_at_end: 1, ..ReportDay::default() };
        let days =
            filled(BTreeMap::from([(20_402, first), (20_404, ReportDay { notices: 1, ..ReportDay::default() })]));
        let dates: Vec<&str> = days.iter().map(|day| day.date.as_str()).collect();
        assert_eq!(dates, ["2025-11-10", "2025-11-11", "2025-11-12"]);
        assert!(days.iter().all(|day| day.exposure == exposure && day.blocked_at_end == 1));
        assert_eq!(days[2].notices, 1);
    }

    #[test]
    fn what_came_before_the_first_time_belongs_to_the_first_day() {
        let letters = |count| BTreeMap::from([("UNPARSEABLE".to_owned(), count)]);
        let early = ReportDay { records: 2, dead_letters: letters(2), ..ReportDay::default() };
        let first = ReportDay { records: 5, dead_letters: letters(1), ..ReportDay::default() };
        let days = filled(BTreeMap::from([(0, early.clone()), (20_402, first)]));
        assert_eq!((days.len(), days[0].records, &days[0].dead_letters), (1, 7, &letters(3)));
        assert_eq!(filled(BTreeMap::from([(0, early)]))[0].records, 2);
    }

    #[test]
    fn a_long_run_keeps_so_many_points_and_no_more() {
        let mut collector = Collector::default();
        for second in 0..5_000 {
            collector.records += 1;
            collector.round(Duration::from_secs(second));
        }
        assert!(collector.rounds.len() <= ROUNDS_MAX && collector.rounds.len() >= ROUNDS_MAX / 2);
        assert!(collector.rounds.windows(2).all(|pair| pair[0].micros < pair[1].micros));
        assert_eq!(collector.rounds.last().map(|last| last.records), Some(5_000));
    }
}
