//! `headroom rules coverage`: what event files never reach of a ruleset, and what stopped it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::slice;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use headroom_engine::{
    Account, AccountId, Body, Context, DAY, Event, EventFacts, Feature, GUARD_NAMES, Record, Repayment, Rule, Ruleset,
    ShardState, Timestamp, Totals, View, catalogue,
};
use headroom_node::Merge;
use headroom_node::view::Item;
use headroom_sim::{AskedCondition, MemoryShard, Questions, RowCoverage};

use crate::failure::Status;
use crate::output::{Format, Output};
use crate::{progress, rules_dir};

use super::test::{named_row, whole_row};

/// Accounts are looked at after each batch: smaller ones see more of what passes.
const BATCH_RECORDS: usize = 100;

/// Which ruleset, and what happens to it.
#[derive(Args)]
pub struct Command {
    /// The ruleset
    #[arg(long, value_name = "DIR")]
    rules: PathBuf,
    /// Event files: .ndjson or .pb, also .gz or .zst; merged by record time
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    events: Vec<PathBuf>,
    /// Show the conditions of rules that fired, too
    #[arg(long)]
    all: bool,
}

impl Command {
    /// Runs the events through a shard in memory. What was not reached is the result, and no failure.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let ruleset = Arc::new(rules_dir::load(&self.rules)?);
        let mut seen = Seen::new(&ruleset);
        let mut shard = MemoryShard::new(&ruleset, true);
        self.feed(&ruleset, &mut shard, &mut seen, output)?;
        let totals = &shard.state().totals;
        let refused: u64 = totals.dead_letters.values().sum();
        if refused > 0 {
            eprintln!("warning: {refused} of {} events were refused, see `dead_letters`", totals.events);
        }
        output.print(&seen.report(&ruleset, totals, self.all, output.format))?;
        Ok(Status::Done)
    }

    fn feed(&self, ruleset: &Arc<Ruleset>, shard: &mut MemoryShard, seen: &mut Seen, output: &Output) -> Result<()> {
        let mut merge = Merge::open(&self.events, |_, _| 0)?;
        let bar = progress::bytes(merge.bytes_total(), output);
        loop {
            let records = batch(&mut merge)?;
            if records.is_empty() {
                break;
            }
            shard.records(&records, &mut |commit| commit.asked.iter().for_each(|each| seen.asking.note(each, ruleset)));
            seen.look(shard, &records);
            bar.set_position(merge.bytes_read());
        }
        bar.finish_and_clear();
        Ok(())
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
    asking: Questions,
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
        Self { features: catalogue().map(unmoved).collect(), asking: Questions::new(ruleset) }
    }

    /// Looks at the account of every record, as it stands after the batch, with what the record says beside it.
    fn look(&mut self, shard: &MemoryShard, records: &[Record]) {
        let mut ids: BTreeSet<&AccountId> = BTreeSet::new();
        let events = || records.iter().filter_map(|each| each.event.as_ref().ok());
        ids.extend(events().filter(|each| !each.body.is_broadcast()).map(|each| &each.account));
        for id in ids {
            let Some(account) = shard.account(id) else { continue };
            for event in events().filter(|each| each.account == *id) {
                self.note(shard.ruleset(), shard.state(), account, event);
            }
        }
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
    }

    fn report(&self, ruleset: &Ruleset, totals: &Totals, all: bool, format: Format) -> Item {
        let fired = |rule: &&Rule| totals.fired.contains_key(&rule.number);
        let nested = format == Format::Json;
        let show = |rule: &Rule| self.rule(rule, totals, nested);
        let shown = ruleset.rules.iter().filter(|rule| !nested && (all || !fired(rule)));
        let conditions: Vec<Item> = shown.flat_map(|rule| self.conditions(rule)).collect();
        let silent: Vec<Item> = ruleset.rules.iter().filter(|rule| !fired(rule)).map(show).collect();
        let others: Vec<Item> = ruleset.rules.iter().filter(|rule| all && fired(rule)).map(show).collect();
        let rows: Vec<(&Rule, RowCoverage)> = ruleset.rules.iter().flat_map(|rule| self.rows(rule)).collect();
        let never = rows.iter().filter(|(_, row)| row.chosen == 0);
        let never = never.map(|(rule, row)| if nested { whole_row(&rule.id, row) } else { named_row(&rule.id, row) });
        let guards = GUARD_NAMES.iter().filter(|name| !totals.guards.contains_key(**name));
        let unmoved = || self.features.iter().filter(|each| !each.moved);
        let unknown = unmoved().filter(|each| each.first.is_none()).map(|each| each.feature.name);
        let constant = unmoved().filter_map(|each| Some(one_value(each.feature, each.first?)));
        let mut parts = vec![
            ("events", totals.events.into()),
            ("dead_letters", Item::counts(totals.dead_letters.iter().map(|(code, count)| (code.as_str(), *count)))),
            ("rules", ruleset.rules.len().into()),
            ("rules_fired", (ruleset.rules.len() - silent.len()).into()),
            ("guards_hit", totals.guards.len().into()),
            ("features", self.features.len().into()),
            ("features_moved", self.features.iter().filter(|each| each.moved).count().into()),
            ("table_rows", rows.len().into()),
            ("table_rows_chosen", rows.iter().filter(|(_, row)| row.chosen > 0).count().into()),
            ("rules_never_fired", Item::List(silent)),
            ("rules_that_fired", Item::List(others)),
            ("rows_never_chosen", Item::list(never)),
            ("guards_never_hit", Item::list(guards.copied())),
            ("features_never_known", Item::list(unknown)),
            ("features_with_one_value", Item::list(constant)),
        ];
        if !nested {
            parts.push(("conditions", Item::List(conditions)));
        }
        Item::Fields(parts.into_iter().map(|(name, item)| (name.to_owned(), item)).collect())
    }

    fn rows<'r>(&self, rule: &'r Rule) -> Vec<(&'r Rule, RowCoverage)> {
        self.asking.of(rule.number).rows.into_iter().map(|row| (rule, row)).collect()
    }

    /// How a rule was asked, and what stopped it; machines have its conditions and rows in it.
    fn rule(&self, rule: &Rule, totals: &Totals, nested: bool) -> Item {
        let asked = self.asking.of(rule.number);
        let beaten = format!("{} < ", rule.id);
        let beaten = totals.overridden.iter().filter_map(|(pair, count)| Some((pair.strip_prefix(&beaten)?, *count)));
        let mut parts = vec![
            ("rule", (&*rule.id).into()),
            ("fired", totals.fired.get(&rule.number).copied().unwrap_or(0).into()),
            ("asked", asked.asked.into()),
            ("held", asked.held.into()),
            ("ended_unknown", totals.not_evaluated.get(&rule.number).copied().unwrap_or(0).into()),
            ("stopped_by", asked.stopped_by().into()),
            ("overridden_by", Item::counts(beaten)),
        ];
        if nested {
            parts.push(("conditions", Item::list(asked.conditions.iter().map(|each| Item::fields(counts(each))))));
            parts.push(("rows", Item::list(asked.rows.iter().map(|row| whole_row(&rule.id, row)))));
        }
        Item::Fields(parts.into_iter().map(|(name, item)| (name.to_owned(), item)).collect())
    }

    /// Its conditions, for a table of all rules'.
    fn conditions(&self, rule: &Rule) -> Vec<Item> {
        let conditions = self.asking.of(rule.number).conditions;
        let row = |each: &AskedCondition| {
            let [condition, held, failed, unknown, alone] = counts(each);
            Item::fields([("rule", (&*rule.id).into()), condition, held, failed, unknown, alone])
        };
        conditions.iter().map(row).collect()
    }
}

fn counts(each: &AskedCondition) -> [(&'static str, Item); 5] {
    [
        ("condition", each.text.as_str().into()),
        ("true", each.held.into()),
        ("false", each.failed.into()),
        ("unknown", each.unknown.into()),
        ("alone", each.alone.into()),
    ]
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
