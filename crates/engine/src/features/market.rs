//! `market.*` and `portfolio.*`.

use super::{Feature, money, words};

/// The group.
pub const FEATURES: &[Feature] = &[
    words("market.regime", &["normal", "boom", "downturn"], |view| {
        view.broadcasts().regime.map(|each| i64::from(each.index()))
    })
    .says("M", "regime of the market; unknown until somebody says"),
    money("portfolio.increase_left", |view| view.broadcasts().budget(view.account.currency))
        .signed()
        .says("M X", "what the shard may still grant upward; unknown where no budget is kept"),
];
