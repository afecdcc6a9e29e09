//! The numbers of a limit, each with what binds it and why, in words.

use headroom_engine::{Account, Limits, Ruleset, Term, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{Item, instant};

/// A limit as it stands. Money is minor units of the account's currency.
#[derive(Serialize, ToSchema)]
pub struct LimitsAnswer {
    /// The permanent limit; never touched by a freeze.
    base: i64,
    /// Base and the largest boost, under the caps.
    granted: Bound,
    /// What is granted, under the blocks.
    effective: Bound,
    /// Drawn and held.
    used: i64,
    /// `effective` less `used`; may be below 0.
    available: i64,
    /// What an order may use now.
    spendable: Bound,
    /// What a cash order may use now.
    spendable_cash: i64,
    /// Paid but not final: kept out of `spendable`.
    uncleared: i64,
}

/// An amount and what decided it.
#[derive(Serialize, ToSchema)]
pub struct Bound {
    /// Minor units.
    amount: i64,
    /// The term that binds: `base`, `boost:RULE`, `cap:NAME`, `block:CAUSE`, `watch:CAUSE`, `used`, `uncleared`, `zero`.
    bound_by: String,
    /// The same in words.
    why: String,
}

/// What words about an account need to know.
pub struct Told<'a> {
    pub account: &'a Account,
    pub ruleset: &'a Ruleset,
    pub now: Timestamp,
}

impl Told<'_> {
    /// The limit at `now`.
    pub fn limits(&self) -> LimitsAnswer {
        let limits = self.account.limits(self.now);
        LimitsAnswer {
            base: self.account.stack.base,
            granted: self.bound(limits.granted, limits.granted_bound_by, self.granted(&limits)),
            effective: self.bound(limits.effective, limits.effective_bound_by, self.effective(&limits)),
            used: limits.used,
            available: limits.available,
            spendable: self.bound(limits.spendable, limits.spendable_bound_by, self.spendable(&limits)),
            spendable_cash: limits.spendable_cash,
            uncleared: limits.uncleared,
        }
    }

    fn bound(&self, amount: i64, term: Term, why: String) -> Bound {
        Bound { amount, bound_by: term.text(&self.ruleset.names), why }
    }

    fn granted(&self, limits: &Limits) -> String {
        let (base, granted) = (self.money(self.account.stack.base), self.money(limits.granted));
        match limits.granted_bound_by {
            Term::Boost(rule) => {
                let rule = self.ruleset.names.name(rule);
                format!(
                    "base {base} and the boost of `{rule}` make {granted}; the largest boost counts, they are not summed"
                )
            }
            Term::Cap(name) => format!("the cap `{}` of {granted} lies below base {base} with its boosts", name.word()),
            _ => format!("the base limit is {base}; no boost is active, no cap lies below it"),
        }
    }

    fn effective(&self, limits: &Limits) -> String {
        let (granted, effective) = (self.money(limits.granted), self.money(limits.effective));
        match limits.effective_bound_by {
            Term::Block(cause) => {
                let since = self.account.stack.block(cause).and_then(|block| time(block.since));
                let since = since.map_or_else(String::new, |since| format!(" since {since}"));
                format!("the `{}` block holds it at {effective} of {granted} granted{since}", cause.word())
            }
            _ => format!("no block lies below the {granted} granted"),
        }
    }

    fn spendable(&self, limits: &Limits) -> String {
        let [effective, used, uncleared] =
            [limits.effective, limits.used, limits.uncleared].map(|each| self.money(each));
        let left = format!("{effective} less {used} used");
        match limits.spendable_bound_by {
            Term::Watch(cause) => format!("the `{}` watch holds it below {left}", cause.word()),
            Term::Uncleared => format!("{left}, and {uncleared} that was paid but is not final is kept out"),
            Term::Zero => format!("{left} leaves nothing"),
            Term::Used if limits.spendable == 0 => format!("{left} leaves nothing"),
            Term::Used => left,
            Term::Base | Term::Boost(_) | Term::Cap(_) | Term::Block(_) => {
                "nothing is used: all that is effective".to_owned()
            }
        }
    }

    /// An amount as people read it: `800_000.00 CNY`.
    pub fn money(&self, amount: i64) -> String {
        let units = amount.unsigned_abs();
        let sign = if amount < 0 { "-" } else { "" };
        let currency = self.account.currency.map(|currency| format!(" {currency}")).unwrap_or_default();
        format!("{sign}{}.{:02}{currency}", grouped(units / 100), units % 100)
    }
}

/// RFC 3339 in UTC; none for the beginning of time, which stands for "never".
pub fn time(at: Timestamp) -> Option<String> {
    match instant(at) {
        Item::Text(text) => Some(text),
        _ => None,
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|part| std::str::from_utf8(part).ok()).collect();
    parts.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1_000", "1_234_567"]);
    }
}
