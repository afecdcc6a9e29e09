//! Days past due: derived from unpaid minimum dues, or reported, whichever is larger.

use crate::account::{Account, Due};
use crate::context::Context;
use crate::time::{DAY, Timestamp, Zone, month_of_day};
use crate::trigger::{On, TriggerKind};

/// Months of which the largest dpd is kept.
const MONTHS_MAX: usize = 13;
/// After a promotion's end its debts are watched for so long.
const PROMOTION_WATCH: i64 = 90 * DAY;

impl Account {
    /// Days past due on a business day.
    pub fn dpd(&self, today: i32, zone: &Zone) -> i32 {
        let unpaid = self.delinquency.dues.iter().filter(|each| each.paid < each.amount);
        let derived = unpaid.map(|each| today.saturating_sub(zone.day(each.due_at))).max().unwrap_or(0);
        let reported = self.delinquency.reported.map_or(0, |each| {
            if each.advances { each.dpd.saturating_add((today - each.day).max(0)) } else { each.dpd }
        });
        derived.max(reported).max(0)
    }

    /// When the oldest unpaid minimum becomes past due: the start of the day after its date.
    pub fn next_past_due(&self, zone: &Zone) -> Option<Timestamp> {
        let unpaid = self.delinquency.dues.iter().filter(|each| each.paid < each.amount);
        unpaid.map(|each| zone.day_start(zone.day(each.due_at).saturating_add(1))).min()
    }

    /// Applies money to minimum dues, the oldest first.
    pub(super) fn pay_dues(&mut self, amount: i64) {
        let mut left = amount;
        for due in &mut self.delinquency.dues {
            let part = left.min(due.amount - due.paid).max(0);
            due.paid += part;
            left -= part;
        }
    }

    /// Takes money back from minimum dues, the newest first: their dates count again.
    pub(super) fn unpay_dues(&mut self, amount: i64) {
        let mut left = amount;
        for due in self.delinquency.dues.iter_mut().rev() {
            let part = left.min(due.paid);
            due.paid -= part;
            left -= part;
        }
    }

    /// Adds a minimum due; paid ones older than a year give way first, then the oldest.
    pub(super) fn add_due(&mut self, due: Due) {
        const DUES_MAX: usize = 6;
        let dues = &mut self.delinquency.dues;
        dues.retain(|each| each.paid < each.amount || due.due_at.since(each.due_at) < 62 * DAY);
        if dues.len() == DUES_MAX {
            // The oldest unpaid date decides dpd, so its remainder moves into the date it has.
            let second = dues.remove(1);
            dues[0].amount += second.amount;
            dues[0].paid += second.paid;
        }
        dues.push(due);
    }
}

/// Notices a change of days past due since rules saw it last; keeps months, cure and promotions up to date.
pub fn note_dpd(context: &Context<'_>, account: &mut Account, now: Timestamp) -> Option<On> {
    let zone = &context.ruleset.settings.zone;
    let today = zone.day(now);
    let dpd = account.dpd(today, zone);
    if dpd > 0 {
        note_month(account, month_of_day(today), dpd);
        note_promotions(context, account, now, dpd);
    }
    if dpd == account.delinquency.seen {
        return None;
    }
    if dpd == 0 {
        account.delinquency.cured_at = Some(now);
    }
    account.delinquency.seen = dpd;
    Some(On::Kind(TriggerKind::DpdChanged))
}

fn note_month(account: &mut Account, month: i32, dpd: i32) {
    let months = &mut account.delinquency.months;
    match months.last_mut().filter(|each| each.0 == month) {
        Some(entry) => entry.1 = entry.1.max(dpd),
        None => {
            months.push((month, dpd));
            months.retain(|each| each.0 > month - 13);
            assert!(months.len() <= MONTHS_MAX, "one entry per month");
        }
    }
}

fn note_promotions(context: &Context<'_>, account: &mut Account, now: Timestamp, dpd: i32) {
    for entry in &mut account.promotions {
        let promotion = context.broadcasts.promotion(entry.promotion);
        if promotion.is_some_and(|each| each.start <= now && now < each.end.plus(PROMOTION_WATCH)) {
            entry.worst_dpd = entry.worst_dpd.max(dpd);
        }
    }
}
