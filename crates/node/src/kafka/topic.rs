//! The topics: one row each.

use headroom_wire::proto::output;
use headroom_wire::{BodyKind, ValueFormat};

use crate::config::KafkaFormats;

/// A topic of the contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Topic {
    /// Orders, by account.
    Orders,
    /// Repayments, by account.
    Repayments,
    /// Signals, by account.
    Signals,
    /// What happens to accounts themselves.
    Accounts,
    /// Promotions and the market, for everybody.
    Promotions,
    /// Rulesets and faults, for everybody.
    Control,
    /// What the ledger reads.
    LimitChanges,
    /// Increases that wait for consent.
    Offers,
    /// What to tell customers.
    Notices,
    /// What a person must look at.
    Reviews,
    /// What could not be taken.
    DeadLetters,
    /// What each shard committed.
    Journal,
}

/// What a topic is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TopicKind {
    /// Read by the shard of the account that is the key.
    Keyed,
    /// Read by every shard; one partition.
    Broadcast,
    /// Written; partition p by shard p.
    Output,
    /// Written and read by the shard that owns it.
    Journal,
}

impl Topic {
    /// All of them; a topic's place in it is its number.
    pub const ALL: [Self; 12] = [
        Self::Orders,
        Self::Repayments,
        Self::Signals,
        Self::Accounts,
        Self::Promotions,
        Self::Control,
        Self::LimitChanges,
        Self::Offers,
        Self::Notices,
        Self::Reviews,
        Self::DeadLetters,
        Self::Journal,
    ];
    /// Inputs that are read by account.
    pub const KEYED: [Self; 4] = [Self::Orders, Self::Repayments, Self::Signals, Self::Accounts];
    /// Inputs that every shard reads.
    pub const BROADCAST: [Self; 2] = [Self::Promotions, Self::Control];
    /// What is written for others.
    pub const OUTPUTS: [Self; 5] = [Self::LimitChanges, Self::Offers, Self::Notices, Self::Reviews, Self::DeadLetters];

    /// What it is for.
    pub fn kind(self) -> TopicKind {
        match self {
            Self::Orders | Self::Repayments | Self::Signals | Self::Accounts => TopicKind::Keyed,
            Self::Promotions | Self::Control => TopicKind::Broadcast,
            Self::LimitChanges | Self::Offers | Self::Notices | Self::Reviews | Self::DeadLetters => TopicKind::Output,
            Self::Journal => TopicKind::Journal,
        }
    }

    /// Its own part of its name: "limit-changes".
    pub fn word(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Repayments => "repayments",
            Self::Signals => "signals",
            Self::Accounts => "accounts",
            Self::Promotions => "promotions",
            Self::Control => "control",
            Self::LimitChanges => "limit-changes",
            Self::Offers => "offers",
            Self::Notices => "notices",
            Self::Reviews => "reviews",
            Self::DeadLetters => "dead-letters",
            Self::Journal => "journal",
        }
    }

    /// Its name on the cluster: "headroom.limit-changes.v1".
    pub fn name(self, prefix: &str) -> String {
        format!("{prefix}{}.v1", self.word())
    }

    /// The topic with this name.
    pub fn of_name(prefix: &str, name: &str) -> Option<Self> {
        let word = name.strip_prefix(prefix)?.strip_suffix(".v1")?;
        Self::ALL.into_iter().find(|topic| topic.word() == word)
    }

    /// Who goes first among records of one time and one kind (PROTOCOL P1): the place in [`Topic::ALL`].
    pub fn rank(self) -> u8 {
        self as u8
    }

    /// Whether events of this kind belong in it.
    pub fn takes(self, kind: BodyKind) -> bool {
        Self::of_kind(kind) == self
    }

    /// The topic that events of this kind belong in.
    pub fn of_kind(kind: BodyKind) -> Self {
        match kind {
            BodyKind::Order => Self::Orders,
            BodyKind::Repayment => Self::Repayments,
            BodyKind::Signal => Self::Signals,
            BodyKind::Account => Self::Accounts,
            BodyKind::Promotion | BodyKind::Market => Self::Promotions,
            BodyKind::Control => Self::Control,
        }
    }

    /// The topic that an output belongs in.
    pub fn of_output(body: &output::Body) -> Self {
        match body {
            output::Body::LimitChange(_) => Self::LimitChanges,
            output::Body::Offer(_) => Self::Offers,
            output::Body::Notice(_) => Self::Notices,
            output::Body::Review(_) => Self::Reviews,
            output::Body::DeadLetter(_) => Self::DeadLetters,
        }
    }

    /// How its values are written; the journal's always in one way.
    pub fn format(self, formats: &KafkaFormats) -> ValueFormat {
        match self {
            Self::Orders => formats.orders,
            Self::Repayments => formats.repayments,
            Self::Signals => formats.signals,
            Self::Accounts => formats.accounts,
            Self::Promotions => formats.promotions,
            Self::Control => formats.control,
            Self::LimitChanges => formats.limit_changes,
            Self::Offers => formats.offers,
            Self::Notices => formats.notices,
            Self::Reviews => formats.reviews,
            Self::DeadLetters => formats.dead_letters,
            Self::Journal => ValueFormat::Protobuf,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_and_ranks_are_places() {
        for (at, topic) in Topic::ALL.into_iter().enumerate() {
            assert_eq!(Topic::of_name("h.", &topic.name("h.")), Some(topic));
            assert_eq!(usize::from(topic.rank()), at);
        }
        assert_eq!(Topic::LimitChanges.name("headroom."), "headroom.limit-changes.v1");
        assert_eq!([Topic::of_name("h.", "orders.v1"), Topic::of_name("h.", "h.orders.v2")], [None, None]);
    }

    #[test]
    fn every_topic_is_of_the_kind_of_its_list() {
        let of = |kind| Topic::ALL.into_iter().filter(|topic| topic.kind() == kind).collect::<Vec<_>>();
        assert_eq!(of(TopicKind::Keyed), Topic::KEYED);
        assert_eq!(of(TopicKind::Broadcast), Topic::BROADCAST);
        assert_eq!(of(TopicKind::Output), Topic::OUTPUTS);
        assert_eq!(of(TopicKind::Journal), [Topic::Journal]);
    }
}
