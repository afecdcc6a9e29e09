//! Outputs as scenarios write them.

use headroom_engine::{
    BlockChange, Cap, ChangeKind, DAY, HOUR, Hold, HoldUntil, LimitChange, MINUTE, Notice, Output, Review, Stack,
    Timestamp, UndoField,
};

use crate::scenario::{Clock, write_money};

/// Writes outputs; times in the zone of the scenario.
#[derive(Clone, Copy, Debug)]
pub struct Renderer<'a> {
    clock: &'a Clock,
}

impl<'a> Renderer<'a> {
    /// A renderer.
    pub fn new(clock: &'a Clock) -> Self {
        Self { clock }
    }

    /// One output, for example `block_changed M1 volatility spend ceiling 0 because ORDER_VOLATILITY`.
    pub fn output(&self, output: &Output) -> String {
        match output {
            Output::LimitChange(change) => self.change(change),
            Output::Offer(offer) => {
                let (class, amount) = (offer.class.word(), write_money(offer.amount));
                format!("offer {} {class} {amount} because {}", offer.account, offer.reasons.join(", "))
            }
            Output::Notice(notice) => format!("notice {} {}", notice.account, notice.template),
            Output::Review(review) if review.detail.is_empty() => format!("review {} {}", review.account, review.kind),
            Output::Review(review) => {
                let detail: Vec<&str> = review.detail.split_whitespace().collect();
                format!("review {} {}: {}", review.account, review.kind, detail.join(" "))
            }
            Output::DeadLetter(letter) => format!("dead_letter {}", letter.refusal.code.code()),
        }
    }

    /// What stands beside it: of a review its urgency, whether it blocks, its cause and proposal; of a notice when it is
    /// due, what the customer can do, and the reasons that it names; of a change what lowered it and what it beat.
    pub fn detail(&self, output: &Output) -> String {
        let (parts, between) = match output {
            Output::Review(review) => (review_parts(review), ", "),
            Output::Notice(notice) => (notice_parts(notice), "; "),
            Output::LimitChange(change) => (change_parts(change), "; "),
            Output::Offer(_) | Output::DeadLetter(_) => (Vec::new(), ""),
        };
        parts.join(between)
    }

    /// When it was decided.
    pub fn decided_at(output: &Output) -> Timestamp {
        match output {
            Output::LimitChange(change) => change.trigger.at,
            Output::Offer(offer) => offer.created_at,
            Output::Notice(notice) => notice.created_at,
            Output::Review(review) => review.created_at,
            Output::DeadLetter(letter) => letter.at,
        }
    }

    fn change(&self, change: &LimitChange) -> String {
        let (before, after) = (&change.before.stack, &change.after.stack);
        let what = match change.kind {
            ChangeKind::Increase | ChangeKind::Decrease => base(before, after),
            ChangeKind::Boost => self.boosts(change),
            ChangeKind::BoostEnded => ended(before, after),
            ChangeKind::BlockChanged => self.block(change),
            ChangeKind::CapChanged => self.listed(&before.caps, &after.caps, |each| each.name, |cap| self.cap(cap)),
            ChangeKind::HoldChanged => {
                let key = |each: &Hold| (each.of, each.rule);
                self.listed(&before.holds, &after.holds, key, |hold| self.hold(hold))
            }
            ChangeKind::Undone => undone(before, after),
        };
        format!("{} {} {what} because {}", change.kind.word(), change.account, change.reasons.join(", "))
    }

    fn until(&self, until: Option<Timestamp>) -> String {
        until.map_or_else(String::new, |at| format!(" until {}", self.clock.write(at)))
    }

    fn block(&self, change: &LimitChange) -> String {
        let Some(BlockChange { cause, after, .. }) = change.block else { return "block".to_owned() };
        let Some((scope, ceiling)) = after else { return format!("{} lifted", cause.word()) };
        let ceiling = ceiling.map_or_else(String::new, |amount| format!(" ceiling {}", write_money(amount)));
        format!("{} {}{ceiling}{}", cause.word(), scope.word(), self.until(change.expires_at))
    }

    /// Boosts that are new or differ; `from` where they begin later than they were granted.
    fn boosts(&self, change: &LimitChange) -> String {
        let new = change.after.stack.boosts.iter().filter(|each| !change.before.stack.boosts.contains(each));
        let texts: Vec<String> = new
            .map(|each| {
                let later = each.from > change.trigger.at;
                let from = if later { format!(" from {}", self.clock.write(each.from)) } else { String::new() };
                format!("{}{from}{}", write_money(each.amount), self.until(Some(each.until)))
            })
            .collect();
        texts.join(", ")
    }

    fn cap(&self, cap: &Cap) -> String {
        format!("{} {}{}", cap.name.word(), write_money(cap.amount), self.until(cap.until))
    }

    fn hold(&self, hold: &Hold) -> String {
        let until = match hold.until {
            HoldUntil::Time(at) => self.clock.write(at),
            HoldUntil::Cured { days_after: 0 } => "cured".to_owned(),
            HoldUntil::Cured { days_after } => format!("cured + {days_after}d"),
        };
        format!("{} until {until}", hold.of.word())
    }

    /// Entries that are new or differ, then those that are gone.
    fn listed<T: PartialEq, K: PartialEq + Word>(
        &self,
        before: &[T],
        after: &[T],
        key: impl Fn(&T) -> K,
        write: impl Fn(&T) -> String,
    ) -> String {
        let new = after.iter().filter(|each| !before.contains(each)).map(write);
        let gone = before.iter().filter(|each| !after.iter().any(|other| key(other) == key(each)));
        let texts: Vec<String> = new.chain(gone.map(|each| format!("{} lifted", key(each).word()))).collect();
        texts.join(", ")
    }
}

/// A key with a word.
trait Word {
    fn word(&self) -> &'static str;
}

impl Word for headroom_engine::CapName {
    fn word(&self) -> &'static str {
        headroom_engine::CapName::word(*self)
    }
}

impl Word for (headroom_engine::HoldOf, u32) {
    fn word(&self) -> &'static str {
        self.0.word()
    }
}

fn review_parts(review: &Review) -> Vec<String> {
    let mut parts = vec![review.priority.word().to_owned()];
    parts.extend(review.blocking.then(|| "blocking".to_owned()));
    parts.extend(review.cause.map(|cause| format!("cause {}", cause.word())));
    parts.extend(review.proposal.map(|amount| format!("proposal {}", write_money(amount))));
    parts
}

fn notice_parts(notice: &Notice) -> Vec<String> {
    let mut parts = vec![format!("due in {}", write_span(notice.due.since(notice.created_at)))];
    parts.extend((!notice.can_do.is_empty()).then(|| format!("can {}", notice.can_do.join(", "))));
    parts.extend((!notice.public_reasons.is_empty()).then(|| format!("says {}", notice.public_reasons.join(", "))));
    parts
}

fn change_parts(change: &LimitChange) -> Vec<String> {
    let mut parts = Vec::new();
    if !change.guards_applied.is_empty() {
        parts.push(format!("lowered by {}", change.guards_applied.join(", ")));
    }
    let beaten = change.overridden.iter().map(|each| format!("{} < {}", each.rule, each.by));
    parts.extend(beaten);
    parts
}

/// Whole days, hours or minutes.
fn write_span(millis: i64) -> String {
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "m")];
    let whole = units.iter().find(|(unit, _)| millis % unit == 0 && millis != 0);
    whole.map_or_else(|| format!("{millis}ms"), |(unit, word)| format!("{}{word}", millis / unit))
}

fn base(before: &Stack, after: &Stack) -> String {
    format!("base {} -> {}", write_money(before.base), write_money(after.base))
}

/// Boosts that are gone, and those that shrank.
fn ended(before: &Stack, after: &Stack) -> String {
    let mut texts = Vec::new();
    for boost in &before.boosts {
        let now = after.boosts.iter().find(|each| (each.rule, each.promotion) == (boost.rule, boost.promotion));
        match now {
            None => texts.push(write_money(boost.amount)),
            Some(now) if now.amount != boost.amount => {
                texts.push(format!("{} -> {}", write_money(boost.amount), write_money(now.amount)));
            }
            Some(_) => {}
        }
    }
    texts.join(", ")
}

/// What was given back.
fn undone(before: &Stack, after: &Stack) -> String {
    let mut texts = Vec::new();
    if before.base != after.base {
        texts.push(base(before, after));
    }
    let used = before.undo.iter().filter(|each| !after.undo.contains(each));
    texts.extend(used.filter_map(|each| match (each.field, each.cause) {
        (UndoField::Base, _) => None,
        (UndoField::Boost, _) => Some(format!("boost {}", write_money(each.delta))),
        (UndoField::Block, Some(cause)) => Some(format!("block {}", cause.word())),
        (UndoField::Block, None) => Some("block".to_owned()),
    }));
    texts.join(", ")
}
