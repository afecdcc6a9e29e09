//! What rules may read, as unknowns of one model: each feature once, block features once per cause.

use std::collections::{BTreeMap, BTreeSet};

use headroom_engine::{
    Account, Action, Broadcasts, Cause, Choice, Class, Context, EventFacts, Hit, Reader, RowOutcome, Rule, Ruleset,
    Segment, Status, TableRow, Timestamp, TriggerKind, View,
};
use headroom_policy::{Constant, Currency, Expect, Params, Program, Scope, Type, Value, compile};

/// One unknown of the model.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Var {
    /// The account's currency, as a position in [`World::currencies`]; one beyond them is any other.
    Currency,
    /// Whether a block of this cause stands.
    Block(Cause, Moment),
    /// A feature by slot; of those that depend on the rule's cause, by cause too.
    Feature(usize, Option<Cause>, Moment),
}

/// When a feature is read: most findings need one moment, a change and what follows from it need two.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Moment {
    Now,
    Later,
}

/// The events whose own features are known while they are decided.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum EventGroup {
    Order,
    Payment,
    Review,
}

/// Slots with a meaning of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots {
    pub block_active: usize,
    pub block_other: usize,
    pub block_any: usize,
    pub block_age_hours: usize,
    pub block_quiet_days: usize,
    pub undo_active: usize,
    pub base: usize,
    pub segment: usize,
}

/// What is known of a feature beside its range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nature {
    /// It has a value on every account.
    pub always: bool,
    /// It lives only while its event is decided.
    pub event: Option<EventGroup>,
    /// It is of an event, or moves within minutes: another event sees another value.
    pub fleeting: bool,
}

/// A ruleset and what follows from it for the model.
pub(crate) struct World<'a> {
    pub ruleset: &'a Ruleset,
    pub natures: Vec<Nature>,
    pub currencies: Vec<Currency>,
    pub slots: Slots,
    /// What holds on every account, each with the slots that it reads.
    pub invariants: Vec<Program>,
    /// What the guards ask of every increase and boost.
    pub guards: Program,
    /// What they ask of increases beside it.
    pub increase_guards: Program,
    /// What holds when a trigger fires.
    pub triggers: BTreeMap<TriggerKind, Program>,
}

/// What holds on every open account (`docs/conflicts.md` gives the reasons).
const INVARIANTS: &[&str] = &[
    r#"account.status in ["active", "hardship"]"#,
    "orders.amount_1h <= orders.amount_24h",
    "orders.large_24h <= orders.count_24h",
    "balance.pending <= balance.used",
    "boost.active || limit.granted <= limit.base",
    "has(boost.used_peak) || !(boost.active || boost.expired || boost.stepped_down)",
    "has(order.shortfall) == has(order.credit_amount)",
    "order.shortfall <= order.credit_amount",
    "has(order.purpose) == has(order.amount)",
    "has(repay.paid) == has(repay.statement_balance)",
    "has(repay.min_due) == has(repay.statement_balance)",
    "repay.early_streak <= repay.on_time_streak",
    "repay.full_streak <= repay.on_time_streak",
    r#"(delinquency.bucket == "C") == (delinquency.dpd == 0)"#,
    r#"(delinquency.bucket == "M1") == (delinquency.dpd >= 1 && delinquency.dpd <= 30)"#,
    r#"(delinquency.bucket == "M2") == (delinquency.dpd >= 31 && delinquency.dpd <= 60)"#,
    r#"(delinquency.bucket == "M3") == (delinquency.dpd >= 61 && delinquency.dpd <= 90)"#,
    // Noted at each event and each day past due; a monthly look or a broadcast may come just before.
    "delinquency.dpd <= delinquency.max_12m + 2",
    "!has(promotion.forecast_daily) || promotion.enrolled",
    "has(collateral.age_days) == has(collateral.value)",
    "!has(collateral.change_30d) || has(collateral.value)",
    "!has(model.score_delta_30d) || has(model.score)",
    "!has(util.avg_3m) || account.history_days >= 90",
    "block.quiet_days * 24 <= block.age_hours || block.age_hours == 9999",
];

/// What a trigger says about the account.
const OF_TRIGGERS: &[(TriggerKind, &str)] = &[
    (TriggerKind::OrderDeclined, "orders.declined_days_35d >= 1"),
    (TriggerKind::PaymentReturned, "repay.returned_30d >= 1"),
    (TriggerKind::PromiseBroken, "repay.broken_90d >= 1"),
    (TriggerKind::PromotionNear, "promotion.starts_in_hours <= 72"),
    (TriggerKind::BoostExpired, "boost.expired"),
    (TriggerKind::AccountFrozen, "block.any"),
];

impl<'a> World<'a> {
    pub fn new(ruleset: &'a Ruleset) -> Self {
        let slot = |name: &str| {
            let found = ruleset.schema.slot(name);
            found.unwrap_or_else(|| unreachable!("the catalogue has `{name}`"))
        };
        let text = |text: &str| compiled(ruleset, text);
        let settings = &ruleset.settings.guards;
        let day = headroom_engine::DAY;
        Self {
            natures: natures(ruleset),
            currencies: currencies(ruleset),
            slots: Slots {
                block_active: slot("block.active"),
                block_other: slot("block.other"),
                block_any: slot("block.any"),
                block_age_hours: slot("block.age_hours"),
                block_quiet_days: slot("block.quiet_days"),
                undo_active: slot("undo.active"),
                base: slot("limit.base"),
                segment: slot("account.segment"),
            },
            invariants: INVARIANTS.iter().map(|each| text(each)).collect(),
            guards: text(&format!(
                "delinquency.dpd == 0 && !block.any && fraud.signals_7d == 0 && account.idle_days < {} \
                 && limit.days_since_decrease >= {}",
                settings.dormant_days, settings.after_decrease_days,
            )),
            increase_guards: text(&format!("limit.days_since_increase >= {}", settings.cool_down_increase / day)),
            triggers: OF_TRIGGERS.iter().map(|(kind, condition)| (*kind, text(condition))).collect(),
            ruleset,
        }
    }

    /// Whether a slot is told apart by the cause for which a rule is asked.
    pub fn by_cause(&self, slot: usize) -> bool {
        slot == self.slots.block_age_hours || slot == self.slots.block_quiet_days || slot == self.slots.undo_active
    }

    /// Name of a slot.
    pub fn name(&self, slot: usize) -> &str {
        &self.ruleset.schema.symbol(slot).name
    }

    /// Smallest and largest value of a slot.
    pub fn range(&self, slot: usize) -> (i64, i64) {
        let symbol = self.ruleset.schema.symbol(slot);
        match &symbol.ty {
            Type::Bool => (0, 1),
            Type::Enum(words) => (0, i64::try_from(words.len()).unwrap_or(i64::MAX) - 1),
            Type::Text => (-1, i64::try_from(self.ruleset.schema.texts().len()).unwrap_or(i64::MAX)),
            Type::Int | Type::Money | Type::Any => (symbol.min, symbol.max),
        }
    }
}

fn compiled(ruleset: &Ruleset, text: &str) -> Program {
    let scope = Scope { schema: &ruleset.schema, params: &Params::new() };
    match compile(text, 0, &scope, Expect::Bool) {
        Ok(compiled) => compiled.program,
        Err(findings) => unreachable!("`{text}` does not compile: {findings:?}"),
    }
}

/// What has a value on an account of which nothing is known yet has one on every account.
fn natures(ruleset: &Ruleset) -> Vec<Nature> {
    let (broadcasts, feeds) = (Broadcasts::default(), BTreeMap::new());
    let context = Context { ruleset, broadcasts: &broadcasts, feeds: &feeds };
    let now = Timestamp(0);
    let mut account = Account::provisional("".into(), now, 0);
    account.status = Status::Active;
    let view = View::new(&context, &account, now, EventFacts::default());
    ruleset.readers.iter().map(|reader| nature(reader, &view)).collect()
}

fn nature(reader: &Reader, view: &View<'_>) -> Nature {
    match reader {
        Reader::Fact(_, default) => Nature { always: default.is_some(), event: None, fleeting: false },
        Reader::Score(_) => Nature { always: false, event: None, fleeting: false },
        Reader::Feature(feature) => {
            let moved = |by: &str| feature.moved_by.split(' ').any(|each| each == by);
            let group = feature.name.split('.').next().unwrap_or_default();
            let event = match (moved("E"), group) {
                (true, "order") => Some(EventGroup::Order),
                (true, "payment") => Some(EventGroup::Payment),
                (true, "review") => Some(EventGroup::Review),
                _ => None,
            };
            Nature { always: feature.value(view).is_some(), event, fleeting: moved("E") }
        }
    }
}

fn currencies(ruleset: &Ruleset) -> Vec<Currency> {
    let tables = ruleset.rules.iter().flat_map(|rule| rule.params.values()).filter_map(|each| match each {
        Constant::Money(table) => Some(table),
        Constant::Int(_) | Constant::Bool(_) => None,
    });
    let named: BTreeSet<Currency> = tables.flatten().map(|(currency, _)| *currency).collect();
    named.into_iter().collect()
}

/// A rule as it is asked: for one of its causes, and of a table one row that does something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub rule: &'a Rule,
    pub position: usize,
    pub cause: Option<Cause>,
    /// Position of the row, if it is a table.
    pub row: Option<usize>,
}

impl<'a> Asked<'a> {
    /// Its condition; of a row the table's own and all of its cells.
    pub fn when(&self) -> &'a Program {
        self.of_row().map_or(&self.rule.when, |row| &row.when)
    }

    /// What it does.
    pub fn actions(&self) -> &'a [Action] {
        self.of_row().map_or(&self.rule.actions, |row| &row.gives.actions)
    }

    fn of_row(&self) -> Option<&'a TableRow<RowOutcome>> {
        self.rule.table.as_ref().zip(self.row).map(|(table, row)| &table.rows.rows[row])
    }

    /// Conditions that have to be false, not only not true, for its row to count.
    pub fn earlier(&self) -> Vec<&'a Program> {
        let Some((table, at)) = self.rule.table.as_ref().zip(self.row) else { return Vec::new() };
        match table.rows.hit == Hit::First || table.rows.rows[at].otherwise {
            true => table.rows.rows[..at].iter().map(|row| &row.when).collect(),
            false => Vec::new(),
        }
    }

    /// What its first action makes it.
    pub fn class(&self) -> Class {
        self.actions().first().and_then(Action::class).unwrap_or(self.rule.class)
    }

    /// What the engine makes of it, asked as a decision asks it.
    pub fn evaluate(&self, slots: &headroom_policy::Slots, currency: Currency) -> Value {
        let value = self.rule.when.evaluate(slots, currency);
        let Some((table, row)) = self.rule.table.as_ref().zip(self.row).filter(|_| value.is_true()) else {
            return value;
        };
        match table.rows.choose(|when| when.evaluate(slots, currency)) {
            Choice::Row(chosen) => Value::Known(i64::from(std::ptr::eq(chosen, &raw const table.rows.rows[row]))),
            Choice::Unknown(_, value) => value,
            Choice::Nothing => Value::Known(0),
        }
    }
}

/// Every rule once for each cause and each row for which a decision asks it.
pub(crate) fn asked(ruleset: &Ruleset) -> Vec<Asked<'_>> {
    let mut all = Vec::new();
    // A retired rule is for nobody.
    let used = |rule: &Rule| Segment::ALL.iter().any(|each| rule.is_for(*each));
    for (position, rule) in ruleset.rules.iter().enumerate().filter(|(_, rule)| used(rule)) {
        for cause in causes(rule) {
            all.extend(rows(rule).into_iter().map(|row| Asked { rule, position, cause, row }));
        }
    }
    all
}

fn causes(rule: &Rule) -> Vec<Option<Cause>> {
    match rule.causes.as_slice() {
        _ if rule.cause_of_review => Cause::ALL.iter().copied().map(Some).collect(),
        [] => vec![None],
        causes if rule.reads_block => causes.iter().copied().map(Some).collect(),
        causes => vec![causes.first().copied()],
    }
}

fn rows(rule: &Rule) -> Vec<Option<usize>> {
    let Some(table) = &rule.table else { return vec![None] };
    let rows = table.rows.rows.iter().enumerate();
    rows.filter(|(_, row)| !row.gives.actions.is_empty()).map(|(at, _)| Some(at)).collect()
}
