//! A limit change in the words of people.

use std::collections::BTreeMap;

use headroom_node::view::Item;
use headroom_wire::Timestamp;
use headroom_wire::proto::limit_change::Kind;
use headroom_wire::proto::{BlockChange, Cause, LimitChange, LimitStack, Notice, Scope, Trigger};
use jiff::tz::TimeZone;

use crate::output::grouped;
use crate::zone;

/// English and Chinese titles by rule id.
pub type Titles = BTreeMap<String, (String, String)>;

/// A limit change, ready to be shown.
pub struct Entry {
    /// RFC 3339, in the zone that was asked for.
    pub time: String,
    /// Whose.
    pub account: String,
    /// Per account, from 1.
    pub sequence: u64,
    /// Such as "block_changed volatility".
    pub kind: String,
    /// Such as "volatility block set: spend at most 0.00".
    pub what: String,
    /// Of the amounts.
    pub currency: String,
    /// The account's limit before.
    pub before: Limit,
    /// The account's limit after.
    pub after: Limit,
    /// Most important first.
    pub reasons: Vec<String>,
    /// Empty, if no rule made it.
    pub rule: String,
    /// Of the rule, if the ruleset has it.
    pub titles: Option<(String, String)>,
    /// What the decision was about: its name, its time and the event's id.
    pub trigger: Trigger,
    /// What the customer is told of it.
    pub notice: Option<Notice>,
}

/// What bounds an account, minor units.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The permanent limit.
    pub base: i64,
    /// With boosts and caps.
    pub granted: i64,
    /// With blocks too.
    pub effective: i64,
}

impl Limit {
    fn of(stack: Option<&LimitStack>) -> Self {
        let of = |part: fn(&LimitStack) -> i64| stack.map(part).unwrap_or_default();
        Self { base: of(|s| s.base), granted: of(|s| s.granted), effective: of(|s| s.effective) }
    }

    /// Effective as whole percent of granted, rounded down; of nothing: 0.
    pub fn percent(self) -> i128 {
        (i128::from(self.effective) * 100).checked_div(self.granted.into()).unwrap_or_default()
    }

    fn item(self) -> Item {
        Item::fields([
            ("base", self.base.into()),
            ("granted", self.granted.into()),
            ("effective", self.effective.into()),
            ("effective_percent_of_granted", Item::Number(self.percent())),
        ])
    }
}

/// A change as outputs have it, with the titles of its rule.
pub fn entry(change: &LimitChange, titles: &Titles, zone: &TimeZone) -> Entry {
    let kind = word(change.kind().as_str_name(), "KIND_");
    let (kind, what) = match &change.block {
        Some(block) if change.kind() == Kind::BlockChanged => (format!("{kind} {}", cause(block)), block_words(block)),
        _ => (kind.clone(), kind.replace('_', " ")),
    };
    Entry {
        time: zone::time(change.effective_at.and_then(Timestamp::to_millis).map(headroom_engine::Timestamp), zone),
        account: change.account_id.clone(),
        sequence: change.sequence,
        kind,
        what,
        currency: change.currency.clone(),
        before: Limit::of(change.before.as_ref()),
        after: Limit::of(change.after.as_ref()),
        reasons: change.reasons.clone(),
        rule: change.rule_id.clone(),
        titles: titles.get(&change.rule_id).cloned(),
        trigger: change.trigger.clone().unwrap_or_default(),
        notice: None,
    }
}

impl Entry {
    /// As one line of a list.
    pub fn row(&self) -> Item {
        let limit = format!("{} → {} {}", money(self.before.effective), money(self.after.effective), self.currency);
        Item::fields([
            ("time", self.time.as_str().into()),
            ("account", self.account.as_str().into()),
            ("kind", self.kind.as_str().into()),
            ("limit", limit.into()),
            ("percent", format!("{} → {}", self.before.percent(), self.after.percent()).into()),
            ("reason", self.reasons.join(", ").into()),
            ("rule", some(&self.rule)),
            ("trigger", self.trigger().into()),
        ])
    }

    /// What made the decision happen: its name, of an event the id too.
    pub fn trigger(&self) -> String {
        format!("{} {}", self.trigger.name, self.trigger.event_id).trim_end().to_owned()
    }

    /// With everything.
    pub fn item(&self) -> Item {
        let title = |pick: fn(&(String, String)) -> &String| self.titles.as_ref().map(|each| pick(each).clone()).into();
        Item::fields([
            ("time", self.time.as_str().into()),
            ("account", self.account.as_str().into()),
            ("sequence", self.sequence.into()),
            ("kind", self.kind.as_str().into()),
            ("what", self.what.as_str().into()),
            ("currency", self.currency.as_str().into()),
            ("before", self.before.item()),
            ("after", self.after.item()),
            ("reasons", Item::list(self.reasons.clone())),
            ("rule", some(&self.rule)),
            ("rule_title_en", title(|each| &each.0)),
            ("rule_title_zh", title(|each| &each.1)),
            ("trigger", self.trigger.name.as_str().into()),
            ("event_id", some(&self.trigger.event_id)),
            ("notice", self.notice.as_ref().map(notice).into()),
        ])
    }
}

fn notice(notice: &Notice) -> Item {
    Item::fields([
        ("template", notice.template.as_str().into()),
        ("text_en", notice.text_en.as_str().into()),
        ("text_zh", notice.text_zh.as_str().into()),
        ("public_reasons", Item::list(notice.public_reasons.clone())),
        ("can_do", Item::list(notice.can_do.clone())),
    ])
}

/// Major units, as rule files write them: `2_400_000.00`.
pub fn money(amount: i64) -> String {
    let units = amount.unsigned_abs();
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", grouped((units / 100).into()), units % 100)
}

fn some(text: &str) -> Item {
    Some(text).filter(|text| !text.is_empty()).into()
}

fn word(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_lowercase()
}

fn cause(block: &BlockChange) -> String {
    word(Cause::try_from(block.cause).unwrap_or_default().as_str_name(), "CAUSE_")
}

/// How a block came, moved, or went.
fn block_words(block: &BlockChange) -> String {
    let cause = cause(block);
    if block.scope_after() == Scope::Unspecified {
        return format!("{cause} block lifted");
    }
    let verb = match block.scope_before() {
        Scope::Unspecified => "set",
        _ => "moved",
    };
    let scope = word(block.scope_after().as_str_name(), "SCOPE_");
    let ceiling =
        block.ceiling_after.map_or_else(|| "no ceiling".to_owned(), |ceiling| format!("ceiling {}", money(ceiling)));
    format!("{cause} block {verb}: {scope}, {ceiling}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_two_decimals() {
        assert_eq!([0, 5, -123_456, 240_000_000].map(money), ["0.00", "0.05", "-1_234.56", "2_400_000.00"]);
    }

    #[test]
    fn blocks_come_move_and_go() {
        let (cause, spend) = (Cause::Volatility.into(), Scope::Spend.into());
        let came = BlockChange { cause, scope_after: spend, ceiling_after: Some(0), ..BlockChange::default() };
        let moved = BlockChange { scope_before: spend, ceiling_after: Some(80_000_000), ..came };
        let went = BlockChange { cause, scope_before: spend, ceiling_before: Some(0), ..BlockChange::default() };
        let watch = BlockChange { cause, scope_after: Scope::Watch.into(), ..BlockChange::default() };
        let words = [came, moved, went, watch].map(|each| block_words(&each));
        assert_eq!(words[0], "volatility block set: spend, ceiling 0.00");
        assert_eq!(words[1], "volatility block moved: spend, ceiling 800_000.00");
        assert_eq!(words[2], "volatility block lifted");
        assert_eq!(words[3], "volatility block set: watch, no ceiling");
    }

    #[test]
    fn percent_is_rounded_down_and_of_nothing_is_0() {
        let limit = |granted, effective| Limit { base: granted, granted, effective };
        assert_eq!([limit(3, 2), limit(0, 0), limit(100, 100)].map(Limit::percent), [66, 0, 100]);
    }
}
