//! The one entry: a trigger and an account in, the account and its effects out.

use std::sync::Arc;

use crate::account::Account;
use crate::booking::{Booked, book, note_dpd, roll};
use crate::broadcast::{Broadcast, Moment};
use crate::context::Context;
use crate::event::Event;
use crate::features::{EventFacts, View};
use crate::ids::{CauseKey, event_key};
use crate::output::{Output, Overridden, Position, RuleRef, StackView, TriggerRef};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::timer::Timer;
use crate::trigger::On;
use crate::vocabulary::Status;

use super::proposal::Collected;
use super::propose::{Memo, Pass};
use super::timers::retime;

/// What makes an account decide.
#[derive(Clone, Copy, Debug)]
pub enum Trigger<'a> {
    /// An event of the account, and where it stood.
    Event(&'a Event, &'a Position),
    /// One of its timers, with `now` = its due time.
    Timer(Timer),
    /// Nothing of its own: broadcasts it has missed are applied.
    Touch,
}

/// What a decision counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Numbers of rules whose change, offer, review or notice came out.
    pub fired: Vec<u32>,
    /// Numbers of rules that ended unknown.
    pub not_evaluated: Vec<u32>,
    /// Guards that stopped or lowered something.
    pub guards: Vec<&'static str>,
    /// Restores that missed their deadline.
    pub compensations_missed: u32,
    /// Decisions that would have wanted a third pass.
    pub cascades_cut: u32,
    /// Releases larger than what was held.
    pub pending_drift: u32,
    /// Proposals that lost: "rule < what beat it".
    pub overridden: Vec<String>,
}

/// Everything that was decided.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The account after it.
    pub account: Box<Account>,
    /// Outputs in order: changes, offers, reviews, notices.
    pub effects: Vec<Output>,
    /// Why the event was not taken; then it has moved nothing.
    pub refused: Option<Refusal>,
    /// What it took of the portfolio budget, minor units.
    pub budget_used: i64,
    /// What it counts.
    pub tally: Tally,
    /// Every condition that was asked, in order; empty unless the decision was watched.
    pub asked: Vec<Asked>,
}

/// A rule's condition as a watched decision asked it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The rule's number.
    pub rule: u32,
    /// The cause for which it was asked.
    pub cause: Option<crate::vocabulary::Cause>,
    /// Every part of its own condition with its value.
    pub trace: headroom_policy::Trace,
    /// What had been read of the account by then, over which it was asked: each feature that this rule reads, and those
    /// that rules before it in the same pass read.
    pub slots: headroom_policy::Slots,
    /// The account's currency.
    pub currency: headroom_policy::Currency,
}

/// Decides. Timers of the account that are due before `now` must have fired; broadcasts it has missed are applied here,
/// each with `now` = its own time (PROTOCOL P6), so it does not matter when the account is touched.
pub fn decide(context: &Context<'_>, account: Box<Account>, trigger: &Trigger<'_>, now: Timestamp) -> Outcome {
    run(Decision::new(context, account), trigger, now)
}

/// As [`decide`], with the same outcome; it tells besides what each condition gave, fired or not. For tests and tools:
/// it allocates for every condition.
pub fn decide_watched(context: &Context<'_>, account: Box<Account>, trigger: &Trigger<'_>, now: Timestamp) -> Outcome {
    let mut decision = Decision::new(context, account);
    decision.asked = Some(Vec::new());
    run(decision, trigger, now)
}

fn run<'a>(mut decision: Decision<'a>, trigger: &Trigger<'a>, now: Timestamp) -> Outcome {
    decision.catch_up(now);
    match trigger {
        Trigger::Event(event, position) => decision.event(event, position, now),
        Trigger::Timer(timer) => decision.timer(*timer),
        // Its clock stays at what it caught up with: timers that this set for the time since then fire as of theirs.
        Trigger::Touch => {}
    }
    retime(decision.context, &mut decision.account);
    decision.finish()
}

/// What the decision in progress is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    Event(&'a Event, &'a Position),
    Timer(Timer),
    Broadcast(u64, Moment),
    Touch,
    /// Broadcasts up to a sequence were passed over.
    Cancelled(u64),
}

pub(super) struct Decision<'a> {
    pub context: &'a Context<'a>,
    pub account: Box<Account>,
    pub now: Timestamp,
    pub source: Source<'a>,
    pub facts: EventFacts<'a>,
    /// Named triggers of the decision, for outputs.
    pub on: Vec<On>,
    pub changes: Vec<Output>,
    pub offers: Vec<Output>,
    pub reviews: Vec<Output>,
    pub notices: Vec<Output>,
    /// The cause of each notice, beside it.
    pub told: Vec<Option<crate::vocabulary::Cause>>,
    /// The customer has agreed to what is being decided.
    pub agreed: bool,
    pub overridden: Vec<Overridden>,
    /// Causes of freezes that this decision applied, in either pass.
    pub frozen: Vec<crate::vocabulary::Cause>,
    /// This decision lowered base.
    pub decreased: bool,
    pub refused: Option<Refusal>,
    pub budget_used: i64,
    pub tally: Tally,
    /// Conditions that were asked, if anybody watches.
    asked: Option<Vec<Asked>>,
    /// Outputs of broadcasts that were caught up, in order.
    done: Vec<Output>,
}

impl<'a> Decision<'a> {
    pub fn new(context: &'a Context<'a>, account: Box<Account>) -> Self {
        let now = account.clock;
        Self {
            context,
            account,
            now,
            source: Source::Touch,
            facts: EventFacts::default(),
            on: Vec::new(),
            changes: Vec::new(),
            offers: Vec::new(),
            reviews: Vec::new(),
            notices: Vec::new(),
            told: Vec::new(),
            agreed: false,
            overridden: Vec::new(),
            frozen: Vec::new(),
            decreased: false,
            refused: None,
            budget_used: 0,
            tally: Tally::default(),
            asked: None,
            done: Vec::new(),
        }
    }

    /// Starts one decision at an instant.
    fn begin(&mut self, now: Timestamp, source: Source<'a>) {
        self.close();
        self.now = now.max(self.account.clock);
        self.source = source;
        self.facts = EventFacts::default();
        self.on.clear();
        self.overridden.clear();
        self.frozen.clear();
        self.decreased = false;
        roll(&mut self.account, self.now, &self.context.ruleset.settings);
    }

    /// Puts the outputs of the decision in progress in their order.
    fn close(&mut self) {
        for part in [&mut self.changes, &mut self.offers, &mut self.reviews, &mut self.notices] {
            self.done.append(part);
        }
        self.told.clear();
    }

    pub fn finish(mut self) -> Outcome {
        self.close();
        Outcome {
            account: self.account,
            effects: self.done,
            refused: self.refused,
            budget_used: self.budget_used,
            tally: self.tally,
            asked: self.asked.unwrap_or_default(),
        }
    }

    fn event(&mut self, event: &'a Event, position: &'a Position, now: Timestamp) {
        self.begin(now, Source::Event(event, position));
        let drift = self.account.money.drift;
        let booked = match book(self.context, &mut self.account, event, self.now) {
            Ok(booked) => booked,
            Err(refusal) => {
                self.refused = Some(refusal);
                return;
            }
        };
        self.tally.pending_drift += self.account.money.drift - drift;
        if self.account.status == Status::Provisional {
            self.rotate(&booked);
            return;
        }
        self.decide_booked(booked);
    }

    fn decide_booked(&mut self, booked: Booked<'a>) {
        self.facts = booked.facts;
        self.on.clone_from(&booked.on);
        for direct in &booked.direct {
            self.apply_direct(direct);
        }
        for kind in &booked.asks {
            self.ask_review(kind, "");
        }
        match booked.accepted {
            Some((rule, amount)) => self.answer_offer(rule, amount),
            None => {
                let changed = note_dpd(self.context, &mut self.account, self.now);
                self.on.extend(changed);
                let mut positions = self.positions(&self.on);
                positions.extend(self.compensating());
                self.passes(positions, false);
            }
        }
        self.rotate(&booked);
        let changed = note_dpd(self.context, &mut self.account, self.now);
        if let Some(on) = changed {
            self.on = vec![on];
            self.passes(self.positions(&[on]), false);
        }
        self.start_compensations();
    }

    fn rotate(&mut self, booked: &Booked<'_>) {
        if let Some(cycle) = booked.next_cycle {
            self.account.repay.cycle = Some(cycle);
            self.account.repay.cycles = self.account.repay.cycles.saturating_add(1);
        }
    }

    /// Broadcasts that the account has missed, in order.
    fn catch_up(&mut self, now: Timestamp) {
        while let Some((sequence, entry)) = self.context.broadcasts.next_after(self.account.broadcast, now) {
            self.broadcast(sequence, entry);
        }
    }

    fn broadcast(&mut self, sequence: u64, entry: Broadcast) {
        self.account.broadcast = sequence;
        if !self.account.is_open() {
            return;
        }
        let kind = entry.moment.trigger();
        let positions = self.positions(&[On::Kind(kind)]);
        if positions.is_empty() && self.account.memory.compensations.is_empty() {
            return;
        }
        self.begin(entry.at, Source::Broadcast(sequence, entry.moment));
        self.on = vec![On::Kind(kind)];
        self.facts.before_promotion = matches!(entry.moment, Moment::PromotionAnnounced(_) | Moment::PromotionNear(_));
        self.facts.promotion = entry.moment.promotion();
        self.facts.suspect = entry.moment.suspect();
        self.passes(positions, false);
        self.start_compensations();
    }

    fn timer(&mut self, timer: Timer) {
        self.begin(timer.due, Source::Timer(timer));
        self.account.timers.retain(|each| *each != timer);
        self.fire_timer(timer);
        self.start_compensations();
    }

    /// Positions of the rules that triggers fire, ascending, each once.
    pub fn positions(&self, on: &[On]) -> Vec<usize> {
        let ruleset = self.context.ruleset;
        let mut positions = Vec::new();
        for each in on {
            positions.extend_from_slice(ruleset.on(*each));
        }
        if on.len() > 1 {
            positions.sort_unstable();
            positions.dedup();
        }
        positions
    }

    /// Pass 1 over rules, and pass 2 on its consequence.
    pub fn passes(&mut self, positions: Vec<usize>, carries_out: bool) {
        if positions.is_empty() || !self.account.is_open() {
            return;
        }
        let collected = self.ask(&positions, carries_out, false);
        let mut fired: Vec<usize> = collected.proposals.iter().map(|each| each.rule).collect();
        let consequence = self.settle(collected);
        if consequence.is_empty() {
            return;
        }
        // No rule fires twice; one that was asked in vain may fire on the consequence.
        let mut second = self.positions(&consequence);
        second.retain(|each| !fired.contains(each));
        let collected = self.ask(&second, false, true);
        fired.extend(collected.proposals.iter().map(|each| each.rule));
        let third = self.settle(collected);
        let mut cut = self.positions(&third);
        cut.retain(|each| !fired.contains(each));
        if !cut.is_empty() {
            self.tally.cascades_cut += 1;
            self.account.memory.cascade_cut = self.account.memory.cascade_cut.saturating_add(1);
        }
    }

    pub fn ask(&mut self, positions: &[usize], carries_out: bool, second: bool) -> Collected {
        let mut collected = Collected::default();
        let mut memos = Vec::new();
        if !positions.is_empty() {
            let mut pass = Pass::new(View::new(self.context, &self.account, self.now, self.facts));
            (pass.carries_out, pass.answers) = (carries_out, self.agreed);
            for position in positions {
                memos.push(pass.ask(*position, &mut collected, &mut self.tally, self.asked.as_mut()));
            }
        }
        for memo in memos {
            match memo {
                Memo::Remember(number) => self.remember(number),
                Memo::IfItFires(number) => collected.once.push(number),
                Memo::Forget(number) => self.account.memory.once.retain(|each| *each != number),
                Memo::Nothing => {}
            }
        }
        if second {
            collected.proposals.retain(|each| each.act.allowed_in_second_pass());
        }
        collected
    }

    pub fn remember(&mut self, rule: u32) {
        let once = &mut self.account.memory.once;
        if !once.contains(&rule) {
            once.push(rule);
        }
    }

    pub fn cause_key(&self) -> CauseKey {
        match self.source {
            Source::Event(event, _) => CauseKey::Event(event_key(event)),
            Source::Timer(timer) => CauseKey::Timer(timer.kind.number(), timer.due.0),
            Source::Broadcast(sequence, _) | Source::Cancelled(sequence) => CauseKey::Broadcast(sequence),
            Source::Touch => CauseKey::Timer(0, self.now.0),
        }
    }

    pub fn trigger_ref(&self) -> TriggerRef {
        let first = self.on.first().map_or_else(String::new, |on| self.on_word(*on));
        let (name, event) = match self.source {
            Source::Event(event, position) => (first, Some((event, position))),
            Source::Timer(timer) => (format!("timer:{}", timer.kind.word()), None),
            Source::Broadcast(_, moment) => (format!("broadcast:{}", moment.trigger().word()), None),
            Source::Touch | Source::Cancelled(_) => ("touch".to_owned(), None),
        };
        TriggerRef {
            name,
            event_id: event.map_or_else(String::new, |(event, _)| event.id.clone()),
            source: event.map_or_else(String::new, |(event, _)| event.source.clone()),
            at: self.now,
            position: event.map(|(_, position)| position.clone()),
        }
    }

    fn on_word(&self, on: On) -> String {
        match on {
            On::Kind(kind) => kind.word().to_owned(),
            On::Fact(key) => match self.context.ruleset.facts.get(&key) {
                Some(def) => format!("fact {}", def.name),
                None => "fact".to_owned(),
            },
        }
    }

    pub fn stack_view(&self) -> StackView {
        StackView { stack: self.account.stack.clone(), limits: self.account.limits(self.now) }
    }

    pub fn rule_ref(&self, position: usize) -> RuleRef {
        let rule = &self.context.ruleset.rules[position];
        RuleRef { id: Arc::clone(&rule.id), number: rule.number, hash: Arc::clone(&rule.hash) }
    }

    pub fn lost(&mut self, rule: usize, class: crate::vocabulary::Class, by: String) {
        let rule = Arc::clone(&self.context.ruleset.rules[rule].id);
        self.tally.overridden.push(format!("{rule} < {by}"));
        self.overridden.push(Overridden { rule, class, by });
    }
}
