//! The limit stack and its arithmetic (RULEBOOK section 1). Every minimum names its binding term.

use headroom_policy::Currency;

use crate::output::RuleNames;
use crate::time::Timestamp;
use crate::vocabulary::{CapName, Cause, HoldOf, Scope};

/// At most so many boosts at a time; a further one is refused.
pub const BOOSTS_MAX: usize = 4;
/// At most so many blocks: one per cause.
pub const BLOCKS_MAX: usize = 8;
/// At most so many waivers.
pub const WAIVERS_MAX: usize = 4;
/// At most so many entries to undo; a further one drops the oldest.
pub const UNDO_MAX: usize = 4;

/// Everything that bounds what an account may use.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stack {
    /// The permanent limit; never touched by a freeze.
    pub base: i64,
    /// Temporary additions; never summed.
    pub boosts: Vec<Boost>,
    /// Ceilings with a name, at most one of each.
    pub caps: Vec<Cap>,
    /// Blocks, at most one per cause.
    pub blocks: Vec<Block>,
    /// What stops favourable changes.
    pub holds: Vec<Hold>,
    /// Freezes that are overridden for a while.
    pub waivers: Vec<Waiver>,
    /// What can be given back.
    pub undo: Vec<Undo>,
}

/// A temporary addition to base.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Boost {
    /// What it adds now; above 0.
    pub amount: i64,
    /// What it added at grant: steps are shares of it.
    pub granted: i64,
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
    /// Number of the rule.
    pub rule: u32,
    /// Key of the promotion; 0: none.
    pub promotion: u64,
    /// Its end was noticed; what follows is up to rules.
    pub expired: bool,
    /// The most that was ever drawn above base while it lasted.
    pub used_peak: i64,
    /// It shrinks step by step.
    pub steps: Option<Steps>,
}

/// How a boost shrinks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Steps {
    /// Percent of the granted amount that each step takes.
    pub percent: i64,
    /// Milliseconds between steps.
    pub every: i64,
    /// When the next step is due.
    pub next: Timestamp,
    /// Steps to come.
    pub left: u32,
}

impl Boost {
    /// Whether it counts at an instant.
    pub fn active(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until && self.amount > 0
    }
}

/// A ceiling with a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cap {
    /// Which.
    pub name: CapName,
    /// How high.
    pub amount: i64,
    /// Until when; `None`: until lifted.
    pub until: Option<Timestamp>,
}

/// A block; a full freeze has the ceiling 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// Its key.
    pub cause: Cause,
    /// What it bounds.
    pub scope: Scope,
    /// Down to what; watch without a ceiling bounds nothing.
    pub ceiling: Option<i64>,
    /// Since when.
    pub since: Timestamp,
    /// Until when; `None`: until lifted.
    pub until: Option<Timestamp>,
    /// `granted` just before it.
    pub granted_before: i64,
    /// Number of the rule; 0: a person.
    pub rule: u32,
    /// When it was last proposed, waived proposals included.
    pub proposed: Timestamp,
    /// Who, if a person did it.
    pub by: String,
}

/// Until when a hold lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HoldUntil {
    /// A time.
    Time(Timestamp),
    /// So many days after the account is cured (dpd 0).
    Cured {
        /// Days after.
        days_after: i32,
    },
}

/// A hold on favourable changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold {
    /// Of what.
    pub of: HoldOf,
    /// Until when.
    pub until: HoldUntil,
    /// Number of the rule.
    pub rule: u32,
}

/// A freeze of this cause does not take effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiver {
    /// Of which cause.
    pub cause: Cause,
    /// Number of the rule that wrote it.
    pub rule: u32,
    /// Until when.
    pub until: Timestamp,
}

/// Which field an undo entry gives back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UndoField {
    /// Base.
    Base,
    /// A boost that was ended.
    Boost,
    /// A block.
    Block,
}

/// An adverse change that may be given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Undo {
    /// The sequence of the change.
    pub sequence: u64,
    /// What it touched.
    pub field: UndoField,
    /// How much it took, above 0.
    pub delta: i64,
    /// Its cause, if its rule declares one.
    pub cause: Option<Cause>,
    /// Number of the rule.
    pub rule: u32,
    /// When.
    pub at: Timestamp,
}

/// The numbers that follow from a stack, each with the term that bound it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// `max(0, balance) + pending`.
    pub used: i64,
    /// `min(base + largest active boost, caps)`.
    pub granted: i64,
    /// Which term: base, a boost's rule, or a cap.
    pub granted_bound_by: Term,
    /// `min(granted, ceilings of blocks of scope spend or all)`.
    pub effective: i64,
    /// Which term.
    pub effective_bound_by: Term,
    /// `effective − used`; may be negative.
    pub available: i64,
    /// What an order may use.
    pub spendable: i64,
    /// What a cash order may use.
    pub spendable_cash: i64,
    /// Which term.
    pub spendable_bound_by: Term,
    /// Money paid but not final.
    pub uncleared: i64,
}

/// A term of a minimum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Term {
    /// Base.
    Base,
    /// A boost of this rule.
    Boost(u32),
    /// A cap.
    Cap(CapName),
    /// A block of scope spend or all.
    Block(Cause),
    /// A block of scope watch.
    Watch(Cause),
    /// What is used already.
    Used,
    /// Money that is not final.
    Uncleared,
    /// Nothing can be below 0.
    Zero,
}

impl Term {
    /// As outputs name it: `base`, `boost:RULE`, `cap:NAME`, `block:CAUSE`, `watch:CAUSE`, `used`, `uncleared`, `zero`.
    pub fn text(self, rules: &RuleNames) -> String {
        match self {
            Self::Base => "base".to_owned(),
            Self::Boost(rule) => format!("boost:{}", rules.name(rule)),
            Self::Cap(name) => format!("cap:{}", name.word()),
            Self::Block(cause) => format!("block:{}", cause.word()),
            Self::Watch(cause) => format!("watch:{}", cause.word()),
            Self::Used => "used".to_owned(),
            Self::Uncleared => "uncleared".to_owned(),
            Self::Zero => "zero".to_owned(),
        }
    }
}

impl Stack {
    /// `min(base + MAX(active boosts), caps)` and its binding term.
    pub fn granted(&self, now: Timestamp) -> (i64, Term) {
        let boost = self.boosts.iter().filter(|each| each.active(now)).max_by_key(|each| (each.amount, each.rule));
        let mut lowest = match boost {
            Some(boost) => (self.base.saturating_add(boost.amount), Term::Boost(boost.rule)),
            None => (self.base, Term::Base),
        };
        for cap in self.caps.iter().filter(|each| each.until.is_none_or(|until| now < until)) {
            if cap.amount < lowest.0 {
                lowest = (cap.amount, Term::Cap(cap.name));
            }
        }
        lowest
    }

    /// All derived numbers. `balance` may be negative (in credit); `uncleared` is what counts against spendable.
    pub fn limits(&self, balance: i64, pending: i64, uncleared: i64, now: Timestamp) -> Limits {
        let used = balance.max(0).saturating_add(pending);
        let (granted, granted_bound_by) = self.granted(now);
        let (effective, effective_bound_by) =
            self.lowest_ceiling((granted, granted_bound_by), |scope| scope >= Scope::Spend, Term::Block, now);
        let available = effective.saturating_sub(used);
        let start = (available, if used > 0 { Term::Used } else { effective_bound_by });
        let watched = self.lowest_ceiling(start, |scope| scope == Scope::Watch, Term::Watch, now);
        let (spendable, spendable_bound_by) = less_uncleared(watched, uncleared);
        let cash = self.lowest_ceiling(watched, |scope| scope == Scope::Cash, Term::Block, now);
        let (spendable_cash, _) = less_uncleared(cash, uncleared);
        Limits {
            used,
            granted,
            granted_bound_by,
            effective,
            effective_bound_by,
            available,
            spendable,
            spendable_cash,
            spendable_bound_by,
            uncleared,
        }
    }

    fn lowest_ceiling(
        &self,
        start: (i64, Term),
        of: impl Fn(Scope) -> bool,
        term: impl Fn(Cause) -> Term,
        now: Timestamp,
    ) -> (i64, Term) {
        let mut lowest = start;
        for block in self.blocks.iter().filter(|each| of(each.scope) && each.lasts(now)) {
            if let Some(ceiling) = block.ceiling
                && ceiling < lowest.0
            {
                lowest = (ceiling, term(block.cause));
            }
        }
        lowest
    }

    /// The block of a cause.
    pub fn block(&self, cause: Cause) -> Option<&Block> {
        self.blocks.iter().find(|each| each.cause == cause)
    }

    /// The waiver of a cause that lasts.
    pub fn waiver(&self, cause: Cause, now: Timestamp) -> Option<&Waiver> {
        self.waivers.iter().find(|each| each.cause == cause && now < each.until)
    }
}

impl Block {
    /// Whether it has not run out.
    pub fn lasts(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

fn less_uncleared((amount, term): (i64, Term), uncleared: i64) -> (i64, Term) {
    let left = amount.saturating_sub(uncleared);
    match left {
        ..=0 => (0, if amount <= 0 { term } else { Term::Uncleared }),
        _ if uncleared > 0 => (left, Term::Uncleared),
        _ => (left, term),
    }
}

/// An amount with its currency, for settings that differ by currency.
pub type MoneyTable = Vec<(Currency, i64)>;

/// The amount of a currency.
pub fn money_in(table: &MoneyTable, currency: Option<Currency>) -> Option<i64> {
    let currency = currency?;
    table.iter().find(|(each, _)| *each == currency).map(|(_, amount)| *amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn boost(amount: i64, rule: u32) -> Boost {
        Boost {
            amount,
            granted: amount,
            from: Timestamp(0),
            until: Timestamp(2_000_000),
            rule,
            promotion: 0,
            expired: false,
            used_peak: 0,
            steps: None,
        }
    }

    fn block(cause: Cause, scope: Scope, ceiling: Option<i64>) -> Block {
        Block {
            cause,
            scope,
            ceiling,
            since: Timestamp(0),
            until: None,
            granted_before: 0,
            rule: 1,
            proposed: Timestamp(0),
            by: String::new(),
        }
    }

    #[test]
    fn boosts_are_never_summed() {
        let stack = Stack { base: 100, boosts: vec![boost(30, 1), boost(20, 2)], ..Stack::default() };
        assert_eq!(stack.granted(NOW), (130, Term::Boost(1)));
    }

    #[test]
    fn caps_and_blocks_name_themselves() {
        let mut stack = Stack { base: 100, boosts: vec![boost(30, 1)], ..Stack::default() };
        stack.caps.push(Cap { name: CapName::Customer, amount: 120, until: None });
        stack.blocks.push(block(Cause::Volatility, Scope::Spend, Some(80)));
        let limits = stack.limits(50, 10, 5, NOW);
        assert_eq!((limits.granted, limits.granted_bound_by), (120, Term::Cap(CapName::Customer)));
        assert_eq!((limits.effective, limits.effective_bound_by), (80, Term::Block(Cause::Volatility)));
        assert_eq!((limits.used, limits.available), (60, 20));
        assert_eq!((limits.spendable, limits.spendable_bound_by), (15, Term::Uncleared));
    }

    #[test]
    fn watch_bounds_spendable_alone_and_without_a_ceiling_nothing() {
        let mut stack = Stack { base: 100, ..Stack::default() };
        stack.blocks.push(block(Cause::Verification, Scope::Watch, None));
        assert_eq!(stack.limits(0, 0, 0, NOW).spendable, 100);
        stack.blocks.push(block(Cause::Delinquency, Scope::Watch, Some(1)));
        let limits = stack.limits(0, 0, 0, NOW);
        assert_eq!(
            (limits.effective, limits.spendable, limits.spendable_bound_by),
            (100, 1, Term::Watch(Cause::Delinquency))
        );
    }

    #[test]
    fn available_may_be_negative_and_spendable_may_not() {
        let stack = Stack { base: 100, ..Stack::default() };
        let limits = stack.limits(150, 0, 0, NOW);
        assert_eq!((limits.available, limits.spendable, limits.spendable_bound_by), (-50, 0, Term::Used));
    }
}
