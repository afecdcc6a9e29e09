//! One shard's step: due timers → sweep → bad input → duplicates → missing broadcasts → the account → rules → effects.
//!
//! The same records give the same bytes in any batches: timers fire by record time and sweeps count rows by record, not
//! by batch.

mod sweep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headroom_policy::Currency;
use sha2::{Digest, Sha256};

use crate::account::Account;
use crate::around::AROUND_BYTES_MAX;
use crate::broadcast::{Broadcast, Broadcasts, Moment};
use crate::context::Context;
use crate::decision::{Outcome, Trigger, cancel, decide, decide_watched};
use crate::event::{AccountId, Body, ControlEvent, Event, MarketEvent};
use crate::features::Suspect;
use crate::ids::{event_key, name_key};
use crate::output::{DeadLetter, Output};
use crate::refusal::{Refusal, RefusalCode};
use crate::ruleset::{Ruleset, content_hash};
use crate::shard::{Cancelled, Commit, Published, Record, SeenKey, ShardState};
use crate::sweep::{Rows, SWEEP_ROWS_PER_RECORD, SWEEP_ROWS_PER_TICK};
use crate::time::{DAY, MINUTE, Timestamp};
use crate::timer::Timer;
use crate::vocabulary::Status;

use self::sweep::Ahead;

/// Event times slightly ahead of their record are clamped; further ahead they are refused (PROTOCOL P3).
const AHEAD_MAX: i64 = 5 * MINUTE;
/// The bytes of an original that a dead letter carries (PROTOCOL P20).
const ORIGINAL_MAX: usize = 64 * 1024;

/// What a step works on. Everything that it may touch is loaded by the caller.
#[derive(Clone, Debug, Default)]
pub struct Batch<'a> {
    /// Records in merged order.
    pub records: &'a [Record],
    /// Every stored timer that is due at or before the last record and the tick, in order.
    pub timers: Vec<(AccountId, Timer)>,
    /// The accounts of records and timers, as far as they exist, and those of rows that are
    /// [`concerned`](crate::concerned) by the sweep under way. Each once.
    pub accounts: Vec<Box<Account>>,
    /// Which of the records' keys were seen before, with the content's hash.
    pub seen: BTreeMap<SeenKey, u64>,
    /// While a sweep is under way: the rows behind its `after`. Each record passes up to [`SWEEP_ROWS_PER_RECORD`].
    pub rows: Rows,
    /// The clock moves here after all records. A sweep goes on for up to [`SWEEP_ROWS_PER_TICK`] rows, as far as they
    /// are given.
    pub tick: Option<Timestamp>,
    /// What is not to be carried out.
    pub cancelled: BTreeSet<Cancelled>,
    /// Tell what every condition gave, in [`Commit::asked`]: for tools, it allocates for each.
    pub watched: bool,
}

/// Steps over a batch: its records, then its tick. Stops before a record for which a sweep needs rows that were not
/// given. If a sweep is under way and rows are given for one record, at least one is taken; if none is, the first is.
pub fn step(ruleset: &Arc<Ruleset>, state: &ShardState, batch: Batch<'_>) -> Commit {
    let times = batch.records.iter().map(|each| each.timestamp);
    let horizon = times.chain(batch.tick).max().map(|at| Key::end_of(at.max(state.now)));
    let mut work = Work::new(ruleset, state, batch.timers, batch.accounts, horizon);
    (work.seen, work.ahead, work.cancelled) = (batch.seen, Ahead::new(batch.rows), batch.cancelled);
    work.watched = batch.watched;
    work.commit.spans.reserve_exact(batch.records.len());
    for record in batch.records {
        if work.lacks_rows() {
            break;
        }
        work.record(record);
    }
    let taken = work.commit.spans.len();
    work.commit.taken = taken;
    if let Some(tick) = batch.tick.filter(|_| taken == batch.records.len()) {
        work.tick(tick);
    }
    work.commit()
}

/// Steps over timers alone: those given, and those that they set up to the last one given. Moves `now` to the last due
/// time, and no further. Broadcasts that come due may begin a sweep; no row is passed.
pub fn timers_step(
    ruleset: &Arc<Ruleset>,
    state: &ShardState,
    timers: Vec<(AccountId, Timer)>,
    accounts: Vec<Box<Account>>,
    cancelled: BTreeSet<Cancelled>,
) -> Commit {
    let horizon = timers.last().map(|(account, timer)| Key::of(account, timer));
    let until = timers.last().map_or(state.now, |(_, timer)| timer.due);
    let mut work = Work::new(ruleset, state, timers, accounts, horizon);
    work.cancelled = cancelled;
    work.fire_until(until);
    work.commit()
}

/// A timer's place in the order of firing: due, account, kind, rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Key {
    due: Timestamp,
    account: Option<AccountId>,
    timer: Option<Timer>,
}

impl Key {
    fn of(account: &AccountId, timer: &Timer) -> Self {
        Self { due: timer.due, account: Some(Arc::clone(account)), timer: Some(*timer) }
    }

    /// After every timer that is due at an instant.
    fn end_of(at: Timestamp) -> Self {
        Self { due: at.plus(1), account: None, timer: None }
    }
}

struct Loaded {
    /// Boxed: an account is about a kilobyte, and moves through every decision. Away only while it is deciding.
    account: Option<Box<Account>>,
    /// Its timers as the store has them.
    stored: Vec<Timer>,
    touched: bool,
}

impl Loaded {
    fn has_timer(&self, timer: &Timer) -> bool {
        self.account.as_ref().is_some_and(|each| each.timers.contains(timer))
    }
}

struct Work {
    ruleset: Arc<Ruleset>,
    state: ShardState,
    accounts: BTreeMap<AccountId, Loaded>,
    pending: BTreeSet<Key>,
    horizon: Option<Key>,
    seen: BTreeMap<SeenKey, u64>,
    ahead: Ahead,
    cancelled: BTreeSet<Cancelled>,
    watched: bool,
    /// The first output that the record in progress itself caused.
    span_from: usize,
    commit: Commit,
}

impl Work {
    #[expect(clippy::vec_box, reason = "an account is about a kilobyte: moving the pointer is what the box is for")]
    fn new(
        ruleset: &Arc<Ruleset>,
        state: &ShardState,
        timers: Vec<(AccountId, Timer)>,
        accounts: Vec<Box<Account>>,
        horizon: Option<Key>,
    ) -> Self {
        let loaded = |account: Box<Account>| {
            let id = Arc::clone(&account.id);
            (id, Loaded { stored: account.timers.clone(), account: Some(account), touched: false })
        };
        Self {
            ruleset: Arc::clone(ruleset),
            state: state.clone(),
            accounts: accounts.into_iter().map(loaded).collect(),
            pending: timers.iter().map(|(account, timer)| Key::of(account, timer)).collect(),
            horizon,
            seen: BTreeMap::new(),
            ahead: Ahead::default(),
            cancelled: BTreeSet::new(),
            watched: false,
            span_from: 0,
            commit: Commit::default(),
        }
    }

    fn record(&mut self, record: &Record) {
        self.pass_time(record.timestamp, SWEEP_ROWS_PER_RECORD);
        self.state.totals.events += 1;
        let place = (Arc::clone(&record.position.input), record.position.partition);
        self.commit.positions.insert(place, record.position.offset + 1);
        self.span_from = self.commit.outputs.len();
        let taken = match &record.event {
            Ok(event) => self.event(event, record),
            Err(refusal) => Err(refusal.clone()),
        };
        if let Err(refusal) = taken {
            self.dead_letter(record, refusal);
        }
        self.commit.spans.push(self.span_from..self.commit.outputs.len());
    }

    fn tick(&mut self, tick: Timestamp) {
        self.pass_time(tick, SWEEP_ROWS_PER_TICK);
        self.commit.tick = Some(tick);
    }

    /// Moves to an instant with all that is due by then, and on with the sweep that was under way before: the rows of
    /// one that only begins here have not been looked up.
    fn pass_time(&mut self, at: Timestamp, rows: usize) {
        let now = self.state.now.max(at);
        let sweeps = self.state.sweep.is_some();
        self.fire_until(now);
        self.move_to(now);
        if sweeps {
            self.sweep(rows);
        }
    }

    /// Fires timers that are due at or before an instant, each with `now` = its due time.
    fn fire_until(&mut self, now: Timestamp) {
        while let Some(key) = self.pending.first().filter(|each| each.due <= now).cloned() {
            self.pending.remove(&key);
            let (Some(account), Some(timer)) = (key.account, key.timer) else { continue };
            self.move_to(timer.due);
            let stands = self.accounts.get(&account).is_some_and(|each| each.has_timer(&timer));
            assert!(stands || !self.accounts.contains_key(&account), "a stored timer is its account's");
            if stands {
                self.fire(account, timer);
            }
        }
    }

    fn fire(&mut self, account: AccountId, timer: Timer) {
        let cancelled = Cancelled::Timer(account, timer);
        let Cancelled::Timer(account, _) = &cancelled else { return };
        if self.cancelled.contains(&cancelled) {
            self.turn(account, |context, account| cancel::timer(context, account, timer));
            self.commit.cancelled.push(cancelled);
        } else if let Some(at) = self.missed(account, timer.due) {
            // What a missed broadcast sets may be due before this timer, which waits for its turn.
            self.pending.insert(Key::of(account, &timer));
            self.decide(account, &Trigger::Touch, at);
        } else {
            self.decide(account, &Trigger::Timer(timer), timer.due);
        }
    }

    /// The time of the first broadcast that an account has not applied, if it lies at or before an instant.
    fn missed(&self, id: &AccountId, now: Timestamp) -> Option<Timestamp> {
        let account = self.accounts.get(id)?.account.as_ref()?;
        self.state.broadcasts.next_after(account.broadcast, now).map(|(_, entry)| entry.at)
    }

    /// Brings an account up to now, as if it had been touched at every broadcast: what one of them sets for the time
    /// since then fires before the next one is applied.
    fn catch_up(&mut self, id: &AccountId) {
        let now = self.state.now;
        while let Some(at) = self.missed(id, now) {
            self.decide(id, &Trigger::Touch, at);
            self.fire_until(now);
        }
    }

    /// Moves the clock; moments that come due become broadcasts.
    fn move_to(&mut self, now: Timestamp) {
        self.state.now = self.state.now.max(now);
        if self.state.broadcasts.upcoming.first().is_some_and(|(at, _)| *at <= now) {
            let known = self.state.broadcasts.sequence();
            Arc::make_mut(&mut self.state.broadcasts).advance(now);
            self.begin_sweep(known);
        }
    }

    fn event(&mut self, event: &Event, record: &Record) -> Result<(), Refusal> {
        let now = self.state.now;
        if event.occurred_at.since(record.timestamp.max(now)) > AHEAD_MAX {
            let detail = "the event lies more than five minutes ahead of its record";
            return Err(Refusal::new(RefusalCode::TimeInFuture, detail));
        }
        let key = SeenKey { day: utc_day(event.occurred_at), hash: event_key(event) };
        let first_day = utc_day(now).saturating_sub(self.ruleset.settings.dedup_days);
        if key.day < first_day && !record.replayed {
            let detail = format!("events older than {} days are not taken", self.ruleset.settings.dedup_days);
            return Err(Refusal::new(RefusalCode::TooOldToDedup, detail));
        }
        self.state.seen_from_day = self.state.seen_from_day.max(first_day);
        match self.seen.get(&key) {
            Some(content) if *content == record.content => {
                self.state.totals.duplicates += 1;
                return Ok(());
            }
            Some(_) => {
                let detail = format!("`{}` of `{}` was used before with other content", event.id, event.source);
                return Err(Refusal::new(RefusalCode::IdReused, detail));
            }
            None => {}
        }
        if event.body.is_broadcast() {
            let known = self.state.broadcasts.sequence();
            self.broadcast(event)?;
            self.begin_sweep(known);
        } else {
            self.account_event(event, record)?;
        }
        // Days behind the horizon are being deleted: a key there would be known or not by the size of batches.
        if key.day >= first_day {
            self.seen.insert(key, record.content);
            self.commit.seen.push((key, record.content));
        }
        Ok(())
    }

    fn account_event(&mut self, event: &Event, record: &Record) -> Result<(), Refusal> {
        let now = self.state.now;
        self.catch_up(&event.account);
        self.span_from = self.commit.outputs.len();
        let is_new = !self.accounts.contains_key(&event.account);
        if is_new {
            if self.state.provisional >= self.ruleset.settings.provisional_max {
                let detail = "there are too many accounts that nobody opened";
                return Err(Refusal::new(RefusalCode::TooManyProvisional, detail));
            }
            let account = Account::provisional(Arc::clone(&event.account), now, self.state.broadcasts.sequence());
            let loaded = Loaded { account: Some(Box::new(account)), stored: Vec::new(), touched: false };
            self.accounts.insert(Arc::clone(&event.account), loaded);
            self.ahead.created.insert(Arc::clone(&event.account));
            self.state.accounts += 1;
            self.state.provisional += 1;
        }
        if let Body::Signal(_) = event.body
            && self.ruleset.settings.feeds.contains_key(&event.source)
        {
            let last = self.state.feeds.entry(event.source.clone()).or_default();
            *last = (*last).max(event.occurred_at.min(now));
        }
        let refused = self.decide(&event.account, &Trigger::Event(event, &record.position), now);
        match refused {
            Some(refusal) if is_new => {
                self.forget(&event.account);
                Err(refusal)
            }
            Some(refusal) => Err(refusal),
            None => Ok(()),
        }
    }

    /// An account whose first event was refused never was: neither were its timers.
    fn forget(&mut self, id: &AccountId) {
        let forgotten = self.accounts.remove(id).and_then(|each| each.account);
        for timer in forgotten.iter().flat_map(|each| &each.timers) {
            self.pending.remove(&Key::of(id, timer));
        }
        self.ahead.created.remove(id);
        self.state.accounts -= 1;
        self.state.provisional -= 1;
    }

    /// Lets one account decide.
    fn decide(&mut self, id: &AccountId, trigger: &Trigger<'_>, now: Timestamp) -> Option<Refusal> {
        let decide = if self.watched { decide_watched } else { decide };
        self.turn(id, |context, account| decide(context, account, trigger, now))
    }

    /// One account's turn, and what follows from it.
    fn turn(&mut self, id: &AccountId, turn: impl FnOnce(&Context<'_>, Box<Account>) -> Outcome) -> Option<Refusal> {
        let loaded = self.accounts.get_mut(id)?;
        let account = loaded.account.take()?;
        let was_provisional = account.status == Status::Provisional;
        let timers = account.timers.clone();
        let context = Context { ruleset: &self.ruleset, broadcasts: &self.state.broadcasts, feeds: &self.state.feeds };
        let outcome = turn(&context, account);
        for timer in timers.iter().filter(|each| !outcome.account.timers.contains(each)) {
            self.pending.remove(&Key::of(id, timer));
        }
        for timer in outcome.account.timers.iter().filter(|each| !timers.contains(each)) {
            let key = Key::of(id, timer);
            if self.horizon.as_ref().is_some_and(|horizon| key <= *horizon) {
                self.pending.insert(key);
            }
        }
        if was_provisional && outcome.account.status != Status::Provisional {
            self.state.provisional = self.state.provisional.saturating_sub(1);
        }
        let Outcome { account, effects, refused, budget_used, tally, asked } = outcome;
        let currency = account.currency;
        (loaded.account, loaded.touched) = (Some(account), true);
        self.spend(currency, budget_used);
        self.count(&tally);
        self.commit.asked.extend(asked);
        effects.into_iter().for_each(|effect| self.output(effect));
        refused
    }

    fn spend(&mut self, currency: Option<Currency>, amount: i64) {
        let Some(currency) = currency.filter(|_| amount > 0) else { return };
        if self.state.broadcasts.budget(Some(currency)).is_none() {
            return;
        }
        let broadcasts = Arc::make_mut(&mut self.state.broadcasts);
        for (each, left) in &mut broadcasts.budgets {
            if *each == currency {
                *left = left.saturating_sub(amount);
            }
        }
    }

    fn count(&mut self, tally: &crate::decision::Tally) {
        let totals = &mut self.state.totals;
        let mut fired = tally.fired.clone();
        fired.sort_unstable();
        fired.dedup();
        for rule in &fired {
            *totals.fired.entry(*rule).or_default() += 1;
        }
        for rule in &tally.not_evaluated {
            *totals.not_evaluated.entry(*rule).or_default() += 1;
        }
        for guard in &tally.guards {
            *totals.guards.entry((*guard).to_owned()).or_default() += 1;
        }
        for lost in &tally.overridden {
            *totals.overridden.entry(lost.clone()).or_default() += 1;
        }
        totals.compensations_missed += u64::from(tally.compensations_missed);
        totals.cascades_cut += u64::from(tally.cascades_cut);
        totals.pending_drift += u64::from(tally.pending_drift);
    }

    fn output(&mut self, output: Output) {
        let totals = &mut self.state.totals;
        match &output {
            Output::LimitChange(change) => *totals.changes.entry(change.kind.word().to_owned()).or_default() += 1,
            Output::Offer(_) => totals.offers += 1,
            Output::Notice(_) => totals.notices += 1,
            Output::Review(_) => totals.reviews += 1,
            Output::DeadLetter(letter) => {
                *totals.dead_letters.entry(letter.refusal.code.code().to_owned()).or_default() += 1;
            }
        }
        self.commit.outputs.push(output);
    }

    fn broadcast(&mut self, event: &Event) -> Result<(), Refusal> {
        let now = self.state.now;
        match &event.body {
            Body::Promotion(promotion) => {
                let mut broadcasts = Broadcasts::clone(&self.state.broadcasts);
                let refused = |detail: &str| Refusal::new(RefusalCode::BadPromotion, detail);
                broadcasts.promote(promotion, now).map_err(refused)?;
                self.state.broadcasts = Arc::new(broadcasts);
            }
            Body::Market(market) => self.market(market),
            Body::Control(control) => self.control(control)?,
            Body::Order(_) | Body::Repayment { .. } | Body::Signal(_) | Body::Account(_) => {}
        }
        Ok(())
    }

    fn market(&mut self, market: &MarketEvent) {
        let now = self.state.now;
        let broadcasts = Arc::make_mut(&mut self.state.broadcasts);
        match market {
            MarketEvent::RegimeChanged(regime) => {
                broadcasts.regime = Some(*regime);
                broadcasts.log.push(Broadcast { at: now, moment: Moment::MarketChanged });
            }
            MarketEvent::HolidayCalendar(holidays) => broadcasts.set_holidays(holidays, now),
            MarketEvent::PortfolioBudget { currency, increase_left } => {
                broadcasts.budgets.retain(|(each, _)| each != currency);
                broadcasts.budgets.push((*currency, *increase_left));
                broadcasts.budgets.sort_unstable();
            }
        }
    }

    fn control(&mut self, control: &ControlEvent) -> Result<(), Refusal> {
        let now = self.state.now;
        let moment = match control {
            ControlEvent::RulesetPublished { content_hash, files } => return self.publish(content_hash, files),
            ControlEvent::FaultDeclared { .. } => return Ok(()),
            ControlEvent::FaultCleared { since, until, .. } => Moment::FaultCleared(*since, *until),
            ControlEvent::RolloutRolledBack { rollout_id, since, until, rule } => {
                let until = until.unwrap_or(now);
                let suspect = Suspect { since: since.unwrap_or(until), until, rule: *rule };
                Moment::RolloutRolledBack(name_key(rollout_id), suspect)
            }
        };
        Arc::make_mut(&mut self.state.broadcasts).log.push(Broadcast { at: now, moment });
        Ok(())
    }

    /// A ruleset comes into force with its control record (PROTOCOL P24).
    fn publish(&mut self, hash: &str, files: &[(String, String)]) -> Result<(), Refusal> {
        let refused = |detail: String| Refusal::new(RefusalCode::BadRuleset, detail);
        let own = content_hash(files);
        if own != hash {
            return Err(refused(format!("the files' hash is {own}, the record says `{hash}`")));
        }
        let loaded = Ruleset::load(files);
        let ruleset = Arc::new(loaded.map_err(|reports| {
            let first = reports.iter().flat_map(|report| &report.diagnostics).next();
            refused(first.map_or_else(|| "it does not load".to_owned(), |each| each.message.clone()))
        })?);
        self.ruleset = Arc::clone(&ruleset);
        // Other rules concern other accounts, which are not loaded.
        self.ahead.drop_rows();
        self.commit.ruleset = Some(Published { ruleset, files: files.to_vec() });
        Ok(())
    }

    fn dead_letter(&mut self, record: &Record, refusal: Refusal) {
        if refusal.code == RefusalCode::Poisoned {
            self.commit.poisoned.push(record.position.clone());
        }
        let around = record.around.as_ref().map_or(0, |around| around.bytes().len());
        let cut = record.original.len() > ORIGINAL_MAX || around > AROUND_BYTES_MAX;
        let letter = DeadLetter {
            refusal,
            account: record.event.as_ref().map_or_else(|_| key_of(record), |event| event.account.to_string()),
            original: record.original[..record.original.len().min(ORIGINAL_MAX)].to_vec(),
            encoding: record.encoding,
            around: record.around.clone(),
            original_sha256: cut.then(|| hex(&Sha256::digest(&record.original))),
            position: record.position.clone(),
            at: self.state.now,
        };
        self.output(Output::DeadLetter(Box::new(letter)));
    }

    fn commit(self) -> Commit {
        let mut commit = self.commit;
        for (id, loaded) in self.accounts {
            let Some(account) = loaded.account.filter(|_| loaded.touched) else { continue };
            let now = &account.timers;
            let removed = loaded.stored.iter().filter(|each| !now.contains(each));
            commit.timers_removed.extend(removed.map(|each| (Arc::clone(&id), *each)));
            let added = now.iter().filter(|each| !loaded.stored.contains(each));
            commit.timers_added.extend(added.map(|each| (Arc::clone(&id), *each)));
            commit.accounts.push(account);
        }
        commit.state = self.state;
        commit
    }
}

/// Whose a record is that is no event: its key, if that can be an account's id.
fn key_of(record: &Record) -> String {
    let key = record.around.as_ref().and_then(|around| std::str::from_utf8(around.key()?).ok());
    key.filter(|key| key.len() <= 128 && !key.chars().any(char::is_control)).unwrap_or_default().to_owned()
}

fn utc_day(at: Timestamp) -> i32 {
    let day = at.0.div_euclid(DAY);
    i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX })
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
