//! `headroom rules coverage`: what event files never reach of a ruleset.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::slice;

use anyhow::Result;
use clap::Args;
use headroom_engine::{
    Account, AccountId, Body, Context, DAY, Event, EventFacts, Feature, GUARD_NAMES, Reader, Record, Repayment, Rule,
    Ruleset, ShardState, Timestamp, Totals, View, catalogue,
};
use headroom_node::view::Item;
use headroom_node::{Lane, LaneOptions, Merge};
use headroom_policy::{Currency, Program, Slots};
use headroom_sources::read_ruleset_dir;
use headroom_store::{Durability, Store, StoreOptions};

use crate::failure::Status;
use crate::output::Output;
use crate::{progress, rules_dir};

/// Accounts are looked at after each batch: smaller ones see more of what passes.
const BATCH_RECORDS: usize = 100;
/// Stands for "no currency yet".
const NO_CURRENCY: Currency = Currency(*b"XXX");

/// Which ruleset, and what happens to it.
#[derive(Args)]
pub struct Command {
    /// The ruleset
    #[arg(long, value_name = "DIR")]
    rules: PathBuf,
    /// Event files: .ndjson or .pb, also .gz or .zst; merged by record time
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    events: Vec<PathBuf>,
}

impl Command {
    /// Runs the events in a store that goes away. What was not reached is the result, and no failure.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let ruleset = rules_dir::load(&self.rules)?;
        let scratch = tempfile::tempdir()?;
        let mut seen = Seen::new(&ruleset);
        let state = self.feed(scratch.path(), &mut seen, output)?;
        output.print(&seen.report(&ruleset, &state.totals))?;
        Ok(Status::Done)
    }

    fn feed(&self, dir: &Path, seen: &mut Seen, output: &Output) -> Result<ShardState> {
        let files = read_ruleset_dir(&self.rules)?;
        let options = StoreOptions { durability: Durability::Process, ..StoreOptions::default() };
        let store = Store::open(&dir.join("data"), options)?;
        let mut lane = Lane::open(store, &files, true, None, LaneOptions::default())?;
        let mut merge = Merge::open(&self.events, |_, _| 0)?;
        let bar = progress::bytes(merge.bytes_total(), output);
        loop {
            let records = batch(&mut merge)?;
            if records.is_empty() {
                break;
            }
            lane.round(&records, None, &mut |_| None)?;
            lane.settle()?;
            seen.look(&lane, &records)?;
            bar.set_position(merge.bytes_read());
        }
        bar.finish_and_clear();
        Ok(lane.state().clone())
    }
}

fn batch(merge: &mut Merge) -> Result<Vec<Record>> {
    let mut records = Vec::with_capacity(BATCH_RECORDS);
    while records.len() < BATCH_RECORDS {
        match merge.next_record()? {
            Some(record) => records.push(record),
            None => break,
        }
    }
    Ok(records)
}

/// What was seen so far.
struct Seen {
    features: Vec<Moved>,
    /// For each rule its conditions, and which of them was ever true.
    conditions: Vec<Vec<(Program, bool)>>,
}

/// How a feature behaved.
struct Moved {
    feature: &'static Feature,
    first: Option<i64>,
    moved: bool,
}

impl Moved {
    fn note(&mut self, view: &View<'_>) {
        if self.moved {
            return;
        }
        match (self.first, self.feature.value(view)) {
            (None, value) => self.first = value,
            (Some(first), Some(value)) => self.moved = first != value,
            (Some(_), None) => {}
        }
    }
}

impl Seen {
    fn new(ruleset: &Ruleset) -> Self {
        let unmoved = |feature| Moved { feature, first: None, moved: false };
        let rows = |rule: &Rule| -> Vec<Program> {
            let rows = rule.table.iter().flat_map(|table| &table.rows.rows);
            rows.map(|row| row.when.clone()).collect()
        };
        let parts = |rule: &Rule| rule.when.conjuncts().into_iter().chain(rows(rule));
        let conditions = |rule: &Rule| parts(rule).map(|each| (each, false)).collect();
        Self {
            features: catalogue().map(unmoved).collect(),
            conditions: ruleset.rules.iter().map(conditions).collect(),
        }
    }

    /// Looks at the account of every record, as it stands after the batch, with what the record says beside it.
    fn look(&mut self, lane: &Lane, records: &[Record]) -> Result<()> {
        let mut ids: BTreeSet<&AccountId> = BTreeSet::new();
        let events = || records.iter().filter_map(|each| each.event.as_ref().ok());
        ids.extend(events().filter(|each| !each.body.is_broadcast()).map(|each| &each.account));
        let state = lane.state();
        for id in ids {
            let Some(account) = lane.store().reader().account(id)? else { continue };
            for event in events().filter(|each| each.account == *id) {
                self.note(lane.ruleset(), state, &account, event);
            }
        }
        Ok(())
    }

    fn note(&mut self, ruleset: &Ruleset, state: &ShardState, account: &Account, event: &Event) {
        let context = Context { ruleset, broadcasts: &state.broadcasts, feeds: &state.feeds };
        let mut view = View::new(&context, account, state.now, facts(event, account, state.now));
        self.features.iter_mut().for_each(|each| each.note(&view));
        for block in &account.stack.blocks {
            (view.cause, view.causes) = (Some(block.cause), slice::from_ref(&block.cause));
            let of_block = self.features.iter_mut().filter(|each| each.feature.name.starts_with("block."));
            of_block.for_each(|each| each.note(&view));
        }
        (view.cause, view.causes) = (None, &[]);
        for (rule, conditions) in ruleset.rules.iter().zip(&mut self.conditions) {
            if rule.is_for(account.segment) && conditions.iter().any(|(_, ever)| !ever) {
                note_conditions(rule, conditions, &mut view);
            }
        }
    }

    fn report(&self, ruleset: &Ruleset, totals: &Totals) -> Item {
        let silent = |(at, rule): (usize, &Rule)| {
            let fired = totals.fired.contains_key(&rule.number);
            (!fired).then(|| self.silent(at, rule, totals))
        };
        let rules: Vec<Item> = ruleset.rules.iter().enumerate().filter_map(silent).collect();
        let guards = GUARD_NAMES.iter().filter(|name| !totals.guards.contains_key(**name));
        let unmoved = || self.features.iter().filter(|each| !each.moved);
        let unknown = unmoved().filter(|each| each.first.is_none()).map(|each| each.feature.name);
        let constant = unmoved().filter_map(|each| Some(one_value(each.feature, each.first?)));
        Item::fields([
            ("events", totals.events.into()),
            ("rules", ruleset.rules.len().into()),
            ("rules_fired", (ruleset.rules.len() - rules.len()).into()),
            ("guards_hit", totals.guards.len().into()),
            ("features", self.features.len().into()),
            ("features_moved", self.features.iter().filter(|each| each.moved).count().into()),
            ("rules_never_fired", Item::List(rules)),
            ("guards_never_hit", Item::list(guards.copied())),
            ("features_never_known", Item::list(unknown)),
            ("features_with_one_value", Item::list(constant)),
        ])
    }

    fn silent(&self, at: usize, rule: &Rule, totals: &Totals) -> Item {
        let never = self.conditions[at].iter().filter(|(_, ever)| !ever).map(|(part, _)| part.text());
        Item::fields([
            ("rule", (&*rule.id).into()),
            ("ended_unknown", totals.not_evaluated.get(&rule.number).copied().unwrap_or(0).into()),
            ("conditions_never_true", Item::list(never)),
        ])
    }
}

/// A feature that never moved is shown as the words that rules use.
fn one_value(feature: &Feature, value: i64) -> String {
    let word = match feature.ty {
        headroom_engine::FeatureType::Bool => (value != 0).to_string(),
        headroom_engine::FeatureType::Enum(words) => usize::try_from(value)
            .ok()
            .and_then(|at| words.get(at))
            .map_or_else(|| value.to_string(), |&word| word.to_owned()),
        _ => value.to_string(),
    };
    format!("{} = {word}", feature.name)
}

/// Asks the conditions that were not true yet, for each cause that the rule is about.
fn note_conditions<'a>(rule: &'a Rule, conditions: &mut [(Program, bool)], view: &mut View<'a>) {
    view.causes = &rule.causes;
    let causes: Vec<_> = match rule.causes.as_slice() {
        [] => vec![None],
        causes => causes.iter().copied().map(Some).collect(),
    };
    for cause in causes {
        view.cause = cause;
        let slots = slots(rule, view);
        for (part, ever) in conditions.iter_mut().filter(|(_, ever)| !ever) {
            *ever = part.evaluate(&slots, view.account.currency.unwrap_or(NO_CURRENCY)).is_true();
        }
    }
    (view.cause, view.causes) = (None, &[]);
}

fn slots(rule: &Rule, view: &View<'_>) -> Slots {
    let ruleset = view.context.ruleset;
    let mut slots = Slots::new(ruleset.schema.len());
    for &slot in &rule.reads {
        let value = match ruleset.readers[slot] {
            Reader::Feature(feature) => feature.value(view),
            Reader::Fact(key, default) => view.account.fact(key, view.now).map(|each| each.value).or(default),
            Reader::Score(at) => ruleset.scores[at].value(&slots, view.account.currency.unwrap_or(NO_CURRENCY)),
        };
        if let Some(value) = value {
            slots.set(slot, value);
        }
    }
    slots
}

/// What only the event knows, as far as it can be told from outside of its decision.
fn facts<'a>(event: &'a Event, account: &Account, now: Timestamp) -> EventFacts<'a> {
    let mut facts = EventFacts::default();
    match &event.body {
        Body::Order(order) => {
            facts.order = Some(order);
            facts.spendable_before = account.limits(now).spendable;
        }
        Body::Repayment { kind: Repayment::PaymentPosted { .. }, .. } => {
            let due = account.repay.cycle.and_then(|cycle| cycle.due_at);
            facts.payment_days_before_due = due.map(|due| due.since(event.occurred_at).div_euclid(DAY));
        }
        Body::Account(headroom_engine::AccountEvent::ReviewResolved { outcome, .. }) => {
            facts.review_outcome = Some(*outcome);
        }
        _ => {}
    }
    facts
}
