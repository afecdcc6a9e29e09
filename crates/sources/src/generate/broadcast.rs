//! What concerns everybody: promotions, holidays, the market, a fault.

use super::calendar::{DAY, HOUR, MINUTE, Promotion, Season};
use super::draft::What;
use super::profile::YUAN;
use super::timeline::Timeline;

/// Yuan per account that limits may grow by; far more than rules ask for, until it is used up for a day.
const BUDGET_PER_ACCOUNT: i64 = 1_000_000 * YUAN;

pub(super) fn play(season: &Season, timeline: &mut Timeline) {
    let share = |percent: i64| season.start + i64::from(season.days) * DAY * percent / 100;
    let morning = season.start + 6 * HOUR;
    let budget = What::Budget { increase_left: i64::from(season.accounts) * BUDGET_PER_ACCOUNT };
    timeline.announce(morning + 30 * MINUTE, What::Holidays);
    timeline.announce(morning + 31 * MINUTE, budget.clone());
    timeline.announce(morning + 32 * MINUTE, What::Regime { downturn: false });
    if season.is_long() {
        timeline.announce(share(45), What::Budget { increase_left: 0 });
        timeline.announce(share(45) + DAY, budget);
    }
    // After the first three months of a long season, so that trims have a history to look at; over before Double 11.
    timeline.announce(share(55), What::Regime { downturn: true });
    timeline.announce(share(70), What::Regime { downturn: false });
    if season.is_long() {
        // A week of bank files that were read wrongly: what was lowered in it comes back.
        let (since, until) = (share(62), share(62) + 7 * DAY);
        timeline.announce(until + 6 * HOUR, What::FaultDeclared { since });
        timeline.announce(until + 30 * HOUR, What::FaultCleared { since, until });
    }
    for promotion in &season.promotions {
        promote(promotion, timeline);
    }
}

fn promote(promotion: &Promotion, timeline: &mut Timeline) {
    timeline.announce(promotion.announced, What::PromotionAnnounced(promotion.number));
    timeline.announce(promotion.start, What::PromotionStarted(promotion.number));
    if promotion.end != promotion.end_planned {
        timeline.announce(promotion.end_planned - 6 * HOUR, What::PromotionExtended(promotion.number));
    }
    timeline.announce(promotion.end, What::PromotionEnded(promotion.number));
}
