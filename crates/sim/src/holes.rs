//! What the tests beside a rule leave out: it never fires, a feature is never missing, nobody of another segment comes,
//! nothing stronger wins. Thresholds are the business of the mutation check.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headroom_engine::{
    Account, Asked, Broadcasts, Class, Context, Output, Reader, Rule, Ruleset, Timestamp, feature_now,
};
use headroom_policy::{Constant, Currency, Slots, TraceNode, Value, Verdict};

use crate::bare::{Run, run_bare};
use crate::rule_tests::Test;

/// Something that no test beside a rule shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hole {
    /// The rule.
    pub rule: Arc<str>,
    /// What is not shown, after "no test in which".
    pub text: String,
}

/// Features of an event that every event on which a rule may read them has.
const ALWAYS_SAID: [&str; 3] = ["order.amount", "order.purpose", "review.outcome"];

/// What the tests beside a rule have shown so far.
#[derive(Debug)]
pub struct Shown<'a> {
    rule: &'a Rule,
    ruleset: &'a Arc<Ruleset>,
    fired: bool,
    silent: bool,
    stronger: bool,
    other_segment: bool,
    /// Features that may be unknown, and ratios that may be of nothing, and have not been.
    known: BTreeSet<String>,
}

impl<'a> Shown<'a> {
    pub fn new(rule: &'a Rule, ruleset: &'a Arc<Ruleset>) -> Self {
        let (mut known, narrowed) = (may_be_unknown(rule, ruleset), !rule.segments.is_empty());
        // Amounts and rows are not traced here: of what only they read, conditions and mutations tell.
        known.retain(|name| rule.when.text().contains(name.as_str()));
        let blank = rule.when.trace(&Slots::new(ruleset.schema.len()), Currency(*b"XXX"));
        known.extend(blank.conditions().map(|each| each.text.to_owned()).filter(|text| text.starts_with("pct(")));
        Self { rule, ruleset, fired: false, silent: false, stronger: false, other_segment: !narrowed, known }
    }

    /// Adds a watched run of a test.
    pub fn take(&mut self, test: &Test, run: &Run) {
        let number = self.rule.number;
        let fired = run.tallies.iter().any(|each| each.fired.contains(&number));
        self.fired |= fired;
        self.silent |= !fired;
        let own: Vec<&Asked> = run.asked.iter().filter(|each| each.rule == number).collect();
        let held = own.iter().any(|each| each.trace.root.verdict == Some(Verdict::True));
        self.stronger |= self.lost(run) || (held && self.stands_beside_stronger(run));
        own.iter().for_each(|each| self.missing(&each.trace.root));
        self.other_segment =
            self.other_segment || test.run(&for_everybody(self.ruleset, number), run_bare).transcript != run.transcript;
    }

    /// A proposal of it lost.
    fn lost(&self, run: &Run) -> bool {
        let mut lost = run.tallies.iter().flat_map(|each| &each.overridden);
        lost.any(|each| each.split(' ').next() == Some(&*self.rule.id))
    }

    /// What restricts is not beaten, but met: another rule restricts the account at least as much, or a person does.
    fn stands_beside_stronger(&self, run: &Run) -> bool {
        let Some(own) = strength(self.rule.class) else { return false };
        let others = self.ruleset.rules.iter().filter(|each| each.number != self.rule.number);
        let mut stronger = others.filter(|each| strength(each.class).is_some_and(|other| other >= own));
        let fired = |rule: &Rule| run.tallies.iter().any(|each| each.fired.contains(&rule.number));
        let by_hand = |(_, output): &(usize, Output)| {
            let Output::LimitChange(change) = output else { return false };
            change.rule.is_none() && change.block.is_some_and(|block| block.after.is_some())
        };
        stronger.any(fired) || run.outputs.iter().any(by_hand)
    }

    fn missing(&mut self, node: &TraceNode) {
        if node.verdict == Some(Verdict::Unknown) || matches!(node.value, Value::Unknown(_)) {
            self.known.remove(&node.text);
            if let Some(name) = node.text.strip_prefix("default(").and_then(|rest| rest.split(',').next()) {
                self.known.remove(name);
            }
        }
        // Whether there is a value was answered with no.
        if let (Some(Verdict::False), Some(asked)) = (node.verdict, node.text.strip_prefix("has(")) {
            self.known.remove(asked.trim_end_matches(')'));
        }
        node.children.iter().for_each(|child| self.missing(child));
    }

    /// What is still to be shown.
    pub fn holes(&self) -> Vec<Hole> {
        let plain = [
            (self.fired, "it fires"),
            (self.silent, "it stays silent"),
            (self.other_segment, "its segments keep it from an account"),
            (self.stronger, "something stronger wins, or stands beside it"),
        ];
        let plain = plain.into_iter().filter(|(shown, _)| !shown).map(|(_, text)| text.to_owned());
        let missing = self.known.iter().map(|each| format!("`{each}` is unknown"));
        plain.chain(missing).map(|text| Hole { rule: Arc::clone(&self.rule.id), text }).collect()
    }
}

/// How much a class restricts; `None` of what loosens, which only a lost proposal shows beaten.
fn strength(class: Class) -> Option<u8> {
    match class {
        Class::Cap => Some(4),
        Class::Freeze => Some(3),
        Class::Decrease => Some(2),
        Class::Hold => Some(1),
        Class::Review => Some(0),
        Class::Restore | Class::Increase | Class::Boost => None,
    }
}

/// The ruleset in which segments and strategies do not narrow a rule.
fn for_everybody(ruleset: &Ruleset, number: u32) -> Arc<Ruleset> {
    let mut ruleset = ruleset.clone();
    for rule in ruleset.rules.iter_mut().filter(|each| each.number == number) {
        (rule.segments, rule.retired) = (Vec::new(), false);
    }
    Arc::new(ruleset)
}

/// Whether a rule's condition has a value on every account: what may be missing is asked for with `has` alone, no ratio
/// lacks what it is of, no amount its currency.
pub fn never_unknown(rule: &Rule, ruleset: &Ruleset) -> bool {
    let text = rule.when.text();
    let used = |name: &String| text.replace(&format!("has({name})"), "").contains(name.as_str());
    let money = |(name, value): (&String, &Constant)| {
        matches!(value, Constant::Money(_)) && *name != "zero" && text.contains(&format!("p.{name}"))
    };
    let row = rule.table.is_some();
    !row && !text.contains("pct(") && !may_be_unknown(rule, ruleset).iter().any(used) && !rule.params.iter().any(money)
}

/// The features that a rule reads and that have no value on an account of which nothing is known, while a risk feed is
/// silent.
fn may_be_unknown(rule: &Rule, ruleset: &Ruleset) -> BTreeSet<String> {
    let mut silent = ruleset.clone();
    silent.settings.feeds.insert("silent".to_owned(), 0);
    let (broadcasts, feeds) = (Broadcasts::default(), BTreeMap::new());
    let context = Context { ruleset: &silent, broadcasts: &broadcasts, feeds: &feeds };
    let now = Timestamp::default();
    let blank = Account::provisional(Arc::from("nobody"), now, 0);
    let read = rule.reads.iter().filter(|slot| !matches!(ruleset.readers[**slot], Reader::Score(_)));
    let names = read.map(|slot| ruleset.schema.symbol(*slot).name.clone());
    let names = names.filter(|name| !ALWAYS_SAID.contains(&name.as_str()));
    names.filter(|name| feature_now(&context, &blank, now, name).is_some_and(|found| found.value.is_none())).collect()
}
