//! The plain driver: `decide` for each event and each timer, nothing else. It repeats what `engine::step` does around
//! decisions in the simplest way that is right, so that the two can be held against each other.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use headroom_engine::{
    Account, AccountEvent, AccountId, Asked, Body, Broadcast, Broadcasts, Context, ControlEvent, DAY, DeadLetter,
    Event, MINUTE, MarketEvent, Moment, Outcome, Output, Position, Record, Refusal, RefusalCode, Ruleset,
    SWEEP_ROWS_PER_RECORD, SWEEP_ROWS_PER_TICK, Status, Suspect, Sweep, Tally, Timer, Timestamp, Trigger,
    calls_for_sweep, concerned, decide, decide_watched, event_key, feature_now, name_key,
};

use headroom_policy::Type;

use crate::scenario::{Probe, ProbeName, Resolve, Scenario, Step, StepKind, write_money};
use crate::transcript::Transcript;

/// What a run gave.
#[derive(Clone, Debug)]
pub struct Run {
    /// The records with the line of each, ids filled in: what any other driver takes in.
    pub records: Vec<(usize, Record)>,
    /// `until` lines: how many records come before, the line, the time.
    pub untils: Vec<(usize, usize, Timestamp)>,
    /// The outputs in their order, with the line of each.
    pub outputs: Vec<(usize, Output)>,
    /// The accounts at the end.
    pub accounts: BTreeMap<AccountId, Account>,
    /// Broadcasts at the end.
    pub broadcasts: Arc<Broadcasts>,
    /// The sweep under way at the end.
    pub sweep: Option<Sweep>,
    /// What each decision counted.
    pub tallies: Vec<Tally>,
    /// Every condition that was asked, in order; empty unless the run was watched.
    pub asked: Vec<Asked>,
    /// The outputs as text, and what the `?` lines found.
    pub transcript: Transcript,
}

/// Runs a scenario through bare `decide`. Its own header `ruleset` is the caller's business.
pub fn run_bare(scenario: &Scenario, ruleset: &Arc<Ruleset>) -> Run {
    run(scenario, World::new(ruleset, decide))
}

/// As [`run_bare`]; the run also tells what each condition gave, whether its rule fired or not.
pub fn run_bare_watched(scenario: &Scenario, ruleset: &Arc<Ruleset>) -> Run {
    run(scenario, World::new(ruleset, decide_watched))
}

fn run(scenario: &Scenario, mut world: World) -> Run {
    let mut run = Run {
        records: Vec::new(),
        untils: Vec::new(),
        outputs: Vec::new(),
        accounts: BTreeMap::new(),
        broadcasts: Arc::default(),
        sweep: None,
        tallies: Vec::new(),
        asked: Vec::new(),
        transcript: Transcript::default(),
    };
    for (at, step) in scenario.steps.iter().enumerate() {
        match &step.kind {
            StepKind::Until => {
                world.until(step.at);
                run.untils.push((run.records.len(), step.line, step.at));
            }
            StepKind::Record(event, resolve) => {
                let record = record(step, world.resolved(event, resolve), run.records.len());
                world.record(&record);
                run.records.push((step.line, record));
            }
        }
        for output in std::mem::take(&mut world.outputs) {
            run.transcript.push(&scenario.clock, step, &output);
            run.outputs.push((step.line, output));
        }
        if !scenario.steps[at + 1..].iter().any(|each| each.line == step.line) {
            let probes = scenario.probes.iter().filter(|each| each.line == step.line);
            probes.for_each(|probe| run.transcript.found(probe.at_line, world.look(probe)));
        }
    }
    (run.accounts, run.broadcasts, run.sweep) = (world.accounts, world.broadcasts, world.sweep);
    (run.tallies, run.asked) = (world.tallies, world.asked);
    run
}

/// A step as a record of one input.
fn record(step: &Step, event: Event, offset: usize) -> Record {
    Record {
        position: Position {
            input: Arc::from("scenario"),
            partition: 0,
            offset: u64::try_from(offset).unwrap_or(u64::MAX),
        },
        timestamp: step.at,
        content: content(&event),
        event: Ok(event),
        original: Arc::from(step.text.as_bytes()),
        encoding: "json",
        around: None,
        replayed: false,
    }
}

/// The FNV-1a hash of what an event says: equal for equal events, and stable.
fn content(event: &Event) -> u64 {
    let text = format!("{event:?}");
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// `decide`, watched or not.
type Decide = fn(&Context<'_>, Box<Account>, &Trigger<'_>, Timestamp) -> Outcome;

struct World {
    decide: Decide,
    ruleset: Arc<Ruleset>,
    now: Timestamp,
    broadcasts: Arc<Broadcasts>,
    feeds: BTreeMap<String, Timestamp>,
    seen: BTreeMap<(i64, u64), u64>,
    accounts: BTreeMap<AccountId, Account>,
    sweep: Option<Sweep>,
    outputs: Vec<Output>,
    tallies: Vec<Tally>,
    asked: Vec<Asked>,
}

impl World {
    fn new(ruleset: &Arc<Ruleset>, decide: Decide) -> Self {
        Self {
            decide,
            ruleset: Arc::clone(ruleset),
            now: Timestamp::default(),
            broadcasts: Arc::default(),
            feeds: BTreeMap::new(),
            seen: BTreeMap::new(),
            accounts: BTreeMap::new(),
            sweep: None,
            outputs: Vec::new(),
            tallies: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// The event with its words turned into ids; a word that names nothing stays as it is.
    fn resolved(&self, event: &Event, resolve: &Resolve) -> Event {
        let mut event = event.clone();
        let Some(account) = self.accounts.get(&event.account) else { return event };
        match (resolve, &mut event.body) {
            (Resolve::Offer(rule), Body::Account(AccountEvent::OfferAnswered { offer_id, .. })) => {
                let open = account.memory.offers.iter();
                let found = open.rev().find(|each| self.ruleset.names.name(each.rule) == *rule);
                *offer_id = found.map_or_else(|| rule.clone(), |each| format!("{:032x}", each.id));
            }
            (Resolve::Review(kind), Body::Account(AccountEvent::ReviewResolved { review_id, .. })) => {
                let found = account.memory.reviews.iter().rev().find(|each| each.kind == *kind);
                *review_id = found.map_or_else(|| kind.clone(), |each| format!("{:032x}", each.id));
            }
            (Resolve::Sequence, Body::Account(AccountEvent::LedgerSnapshot { last_applied_sequence, .. })) => {
                *last_applied_sequence = account.sequence;
            }
            _ => {}
        }
        event
    }

    fn move_to(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        let known = self.broadcasts.sequence();
        Arc::make_mut(&mut self.broadcasts).advance(self.now);
        self.begin_sweep(known);
    }

    /// Everything that is due up to an instant, and the rest of a sweep.
    fn until(&mut self, at: Timestamp) {
        loop {
            self.pass_time(at, SWEEP_ROWS_PER_TICK);
            if self.sweep.is_none() {
                return;
            }
        }
    }

    fn pass_time(&mut self, at: Timestamp, rows: usize) {
        let now = self.now.max(at);
        let sweeps = self.sweep.is_some();
        self.fire_until(now);
        self.move_to(now);
        if sweeps {
            self.pass_rows(rows);
        }
    }

    fn begin_sweep(&mut self, known: u64) {
        if self.sweep.is_none() && calls_for_sweep(&self.ruleset, &self.broadcasts, known) {
            self.sweep = Some(Sweep { target: self.broadcasts.sequence(), after: None });
        }
    }

    fn pass_rows(&mut self, rows: usize) {
        let Some(Sweep { target, after }) = self.sweep.take() else { return };
        let from = after.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let ids: Vec<AccountId> =
            self.accounts.range((from, Bound::Unbounded)).take(rows).map(|(id, _)| Arc::clone(id)).collect();
        for id in &ids {
            if concerned(&self.ruleset, &self.broadcasts, &self.accounts[id], target) {
                self.catch_up(id);
            }
        }
        if ids.len() < rows {
            self.begin_sweep(target);
        } else {
            self.sweep = Some(Sweep { target, after: ids.last().cloned() });
        }
    }

    /// Timers of all accounts in (due, account, kind, rule) order, those that a timer sets included.
    fn fire_until(&mut self, until: Timestamp) {
        loop {
            let all = self.accounts.values().flat_map(|each| each.timers.iter().map(move |timer| (each, timer)));
            let due = all.filter(|(_, timer)| timer.due <= until);
            let next = due.min_by_key(|(account, timer)| (timer.due, Arc::clone(&account.id), timer.kind, timer.rule));
            let Some((account, timer)) = next.map(|(account, timer)| (Arc::clone(&account.id), *timer)) else { return };
            self.move_to(timer.due);
            self.fire(&account, timer);
        }
    }

    fn fire(&mut self, id: &AccountId, timer: Timer) {
        if self.apply_missed(id, timer.due) {
            return;
        }
        let account = self.accounts[id].clone();
        let refused = self.decide(account, &Trigger::Timer(timer), timer.due);
        assert!(refused.is_none(), "a timer is never refused");
        assert!(!self.accounts[id].timers.contains(&timer), "a timer that fired is gone");
    }

    /// Applies the first broadcast that an account has missed, if its time has come.
    fn apply_missed(&mut self, id: &AccountId, now: Timestamp) -> bool {
        let missed = self.accounts.get(id).and_then(|each| self.broadcasts.next_after(each.broadcast, now));
        if let Some((_, entry)) = missed {
            self.decide(self.accounts[id].clone(), &Trigger::Touch, entry.at);
        }
        missed.is_some()
    }

    fn catch_up(&mut self, id: &AccountId) {
        while self.apply_missed(id, self.now) {
            self.fire_until(self.now);
        }
    }

    fn decide(&mut self, account: Account, trigger: &Trigger<'_>, now: Timestamp) -> Option<Refusal> {
        let context = Context { ruleset: &self.ruleset, broadcasts: &self.broadcasts, feeds: &self.feeds };
        let outcome = (self.decide)(&context, Box::new(account), trigger, now);
        let currency = outcome.account.currency;
        self.accounts.insert(Arc::clone(&outcome.account.id), *outcome.account);
        let budgets = &mut Arc::make_mut(&mut self.broadcasts).budgets;
        for (each, left) in budgets.iter_mut().filter(|_| outcome.budget_used > 0) {
            if Some(*each) == currency {
                *left = left.saturating_sub(outcome.budget_used);
            }
        }
        self.outputs.extend(outcome.effects);
        self.tallies.push(outcome.tally);
        self.asked.extend(outcome.asked);
        outcome.refused
    }

    fn record(&mut self, record: &Record) {
        self.pass_time(record.timestamp, SWEEP_ROWS_PER_RECORD);
        let taken = match &record.event {
            Ok(event) => self.event(event, record),
            Err(refusal) => Err(refusal.clone()),
        };
        if let Err(refusal) = taken {
            let account = record.event.as_ref().map_or_else(|_| String::new(), |event| event.account.to_string());
            self.outputs.push(Output::DeadLetter(Box::new(DeadLetter {
                refusal,
                account,
                original: record.original.to_vec(),
                encoding: record.encoding,
                around: record.around.clone(),
                original_sha256: None,
                position: record.position.clone(),
                at: self.now,
            })));
        }
    }

    fn event(&mut self, event: &Event, record: &Record) -> Result<(), Refusal> {
        if event.occurred_at.since(self.now) > 5 * MINUTE {
            let detail = "the event lies more than five minutes ahead of its record";
            return Err(Refusal::new(RefusalCode::TimeInFuture, detail));
        }
        let day = event.occurred_at.0.div_euclid(DAY);
        let days = self.ruleset.settings.dedup_days;
        if day < self.now.0.div_euclid(DAY) - i64::from(days) {
            let detail = format!("events older than {days} days are not taken");
            return Err(Refusal::new(RefusalCode::TooOldToDedup, detail));
        }
        let key = (day, event_key(event));
        match self.seen.get(&key) {
            Some(content) if *content == record.content => return Ok(()),
            Some(_) => {
                let detail = format!("`{}` of `{}` was used before with other content", event.id, event.source);
                return Err(Refusal::new(RefusalCode::IdReused, detail));
            }
            None => {}
        }
        if event.body.is_broadcast() {
            let known = self.broadcasts.sequence();
            self.broadcast(&event.body)?;
            self.begin_sweep(known);
        } else {
            self.account_event(event, record)?;
        }
        self.seen.insert(key, record.content);
        Ok(())
    }

    fn account_event(&mut self, event: &Event, record: &Record) -> Result<(), Refusal> {
        self.catch_up(&event.account);
        let known = self.accounts.get(&event.account).cloned();
        let unopened = self.accounts.values().filter(|each| each.status == Status::Provisional).count();
        let is_new = known.is_none();
        if is_new && u64::try_from(unopened).is_ok_and(|count| count >= self.ruleset.settings.provisional_max) {
            let detail = "there are too many accounts that nobody opened";
            return Err(Refusal::new(RefusalCode::TooManyProvisional, detail));
        }
        if matches!(event.body, Body::Signal(_)) && self.ruleset.settings.feeds.contains_key(&event.source) {
            let last = self.feeds.entry(event.source.clone()).or_default();
            *last = (*last).max(event.occurred_at.min(self.now));
        }
        let sequence = self.broadcasts.sequence();
        let account = known.unwrap_or_else(|| Account::provisional(Arc::clone(&event.account), self.now, sequence));
        let refused = self.decide(account, &Trigger::Event(event, &record.position), self.now);
        if refused.is_some() && is_new {
            self.accounts.remove(&event.account);
        }
        refused.map_or(Ok(()), Err)
    }

    fn broadcast(&mut self, body: &Body) -> Result<(), Refusal> {
        let now = self.now;
        match body {
            Body::Promotion(event) => {
                let mut broadcasts = Broadcasts::clone(&self.broadcasts);
                broadcasts.promote(event, now).map_err(|text| Refusal::new(RefusalCode::BadPromotion, text))?;
                self.broadcasts = Arc::new(broadcasts);
            }
            Body::Market(MarketEvent::RegimeChanged(regime)) => {
                Arc::make_mut(&mut self.broadcasts).regime = Some(*regime);
                self.log(Moment::MarketChanged);
            }
            Body::Market(MarketEvent::HolidayCalendar(holidays)) => {
                Arc::make_mut(&mut self.broadcasts).set_holidays(holidays, now);
            }
            Body::Market(MarketEvent::PortfolioBudget { currency, increase_left }) => {
                let budgets = &mut Arc::make_mut(&mut self.broadcasts).budgets;
                let left: BTreeMap<_, _> = budgets.drain(..).chain([(*currency, *increase_left)]).collect();
                budgets.extend(left);
            }
            Body::Control(ControlEvent::FaultCleared { since, until, .. }) => {
                self.log(Moment::FaultCleared(*since, *until));
            }
            Body::Control(ControlEvent::RolloutRolledBack { rollout_id, since, until, rule }) => {
                let until = until.unwrap_or(now);
                let suspect = Suspect { since: since.unwrap_or(until), until, rule: *rule };
                self.log(Moment::RolloutRolledBack(name_key(rollout_id), suspect));
            }
            // Scenarios cannot carry rulesets; a declared fault changes nothing.
            _ => {}
        }
        Ok(())
    }

    fn log(&mut self, moment: Moment) {
        let entry = Broadcast { at: self.now, moment };
        Arc::make_mut(&mut self.broadcasts).log.push(entry);
    }

    /// A feature as rules read it now; of an event that is being decided nothing is known.
    fn feature(&self, account: &Account, name: &str) -> String {
        let context = Context { ruleset: &self.ruleset, broadcasts: &self.broadcasts, feeds: &self.feeds };
        let Some(found) = feature_now(&context, account, self.now, name) else { return "no feature".to_owned() };
        let ty = self.ruleset.schema.slot(name).map(|slot| &self.ruleset.schema.symbol(slot).ty);
        match (found.value, ty) {
            (None, _) => "unknown".to_owned(),
            (Some(_), _) if !found.text.is_empty() => found.text,
            (Some(value), Some(Type::Bool)) => (value != 0).to_string(),
            (Some(value), Some(Type::Money)) => write_money(value),
            (Some(value), _) => value.to_string(),
        }
    }

    fn fired(&self, rule: &str) -> usize {
        let fired = self.tallies.iter().flat_map(|each| &each.fired);
        fired.filter(|number| self.ruleset.names.name(**number) == rule).count()
    }

    fn beaten(&self, rule: &str) -> usize {
        let beaten = self.tallies.iter().flat_map(|each| &each.overridden);
        beaten.filter(|each| each.split(' ').next() == Some(rule)).count()
    }

    /// What a `?` line finds.
    fn look(&self, probe: &Probe) -> String {
        match probe.name {
            ProbeName::Fired => return self.fired(&probe.account).to_string(),
            ProbeName::Beaten => return self.beaten(&probe.account).to_string(),
            _ => {}
        }
        let Some(account) = self.accounts.get(&probe.account) else { return "none".to_owned() };
        let limits = account.limits(self.now);
        let amount = match probe.name {
            ProbeName::Dpd => return account.delinquency.seen.to_string(),
            ProbeName::Status => return account.status.word().to_owned(),
            ProbeName::Sequence => return account.sequence.to_string(),
            ProbeName::Fired | ProbeName::Beaten => return String::new(),
            ProbeName::Base => account.stack.base,
            ProbeName::Granted => limits.granted,
            ProbeName::Effective => limits.effective,
            ProbeName::Available => limits.available,
            ProbeName::Used => limits.used,
            ProbeName::Pending => account.pending(),
            ProbeName::Uncleared => account.uncleared(self.now),
            ProbeName::Spendable => limits.spendable,
            ProbeName::SpendableCash => limits.spendable_cash,
            ProbeName::Feature => return self.feature(account, &probe.feature),
        };
        write_money(amount)
    }
}
