//! When two rules meet: by the same trigger, or by two that one decision may have at once.

use headroom_engine::{On, Ruleset, TriggerKind};

use crate::world::EventGroup;

/// One occasion on which rules are asked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Occasion {
    /// Its triggers, one or two.
    pub on: Vec<On>,
    /// Whose own features are known.
    pub events: Vec<EventGroup>,
}

impl Occasion {
    /// The occasion of one trigger.
    pub fn of(on: On) -> Self {
        Self { on: vec![on], events: brings(on) }
    }

    fn of_two(one: On, other: On) -> Self {
        let mut events = brings(one);
        events.extend(brings(other));
        events.sort_unstable();
        events.dedup();
        Self { on: vec![one, other], events }
    }
}

/// Whose features a trigger brings; internal ones come with any event.
fn brings(on: On) -> Vec<EventGroup> {
    use TriggerKind as T;
    let On::Kind(kind) = on else { return Vec::new() };
    match kind {
        T::OrderPlaced | T::OrderPaid | T::OrderDeclined | T::OrderCancelled | T::OrderRefunded => {
            vec![EventGroup::Order]
        }
        T::PaymentPosted | T::PaymentCleared | T::PaymentReturned => vec![EventGroup::Payment],
        T::ReviewResolved => vec![EventGroup::Review],
        T::AccountFrozen | T::LimitChanged | T::BeforeIncrease => {
            vec![EventGroup::Order, EventGroup::Payment, EventGroup::Review]
        }
        _ => Vec::new(),
    }
}

/// Days past due may move with any event of the account, and with a new day.
fn comes_with_dpd(on: On) -> bool {
    use TriggerKind as T;
    match on {
        On::Fact(_) => true,
        On::Kind(kind) => {
            kind <= T::OfferAnswered && kind != T::DpdChanged || matches!(kind, T::PromotionEnrolled | T::Daily)
        }
    }
}

/// The occasions on which both are asked in one pass, without repetition.
pub(crate) fn occasions(one: &[On], other: &[On]) -> Vec<Occasion> {
    let dpd = On::Kind(TriggerKind::DpdChanged);
    let mut found: Vec<Occasion> = Vec::new();
    for a in one {
        for b in other {
            if a == b {
                found.push(Occasion::of(*a));
            } else if (*a == dpd && comes_with_dpd(*b)) || (*b == dpd && comes_with_dpd(*a)) {
                found.push(Occasion::of_two(*a, *b));
            }
        }
    }
    found
}

/// As rules write it.
pub(crate) fn word(ruleset: &Ruleset, on: On) -> String {
    match on {
        On::Kind(kind) => kind.word().to_owned(),
        On::Fact(key) => match ruleset.facts.get(&key) {
            Some(fact) => format!("fact {}", fact.name),
            None => "fact".to_owned(),
        },
    }
}

/// All of them, for people.
pub(crate) fn words(ruleset: &Ruleset, on: &[On]) -> Vec<String> {
    on.iter().map(|each| word(ruleset, *each)).collect()
}

/// A person or an operator decides what fires it: nothing undoes itself by it.
pub(crate) fn by_people(on: On) -> bool {
    use TriggerKind as T;
    matches!(on, On::Kind(T::ReviewResolved | T::AppealOpened | T::FaultCleared | T::RolloutRolledBack))
}

/// Comes once per promotion or holiday.
pub(crate) fn once_per_occasion(on: On) -> bool {
    use TriggerKind as T;
    matches!(
        on,
        On::Kind(
            T::PromotionAnnounced
                | T::PromotionStarted
                | T::PromotionNear
                | T::PromotionEnded
                | T::PromotionEnrolled
                | T::HolidayNear
        )
    )
}
