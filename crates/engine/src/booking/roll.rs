//! Moving an account to `now`: what passes with time alone.

use crate::account::{Account, LAST_35_DAYS, PENDING_DAYS, Utilisation};
use crate::ruleset::Settings;
use crate::time::{Timestamp, Zone, month_of_day};

/// Ends of days that are counted after a long silence: three months of utilisation and 35 days fit.
const DAYS_CAUGHT_UP: i32 = 100;
/// Dated marks are kept for thirteen months.
const MARK_DAYS: i32 = 400;

/// Rolls windows, ends of days, lapsed holds and old marks to `now`. Going back does nothing.
pub fn roll(account: &mut Account, now: Timestamp, settings: &Settings) {
    if now <= account.clock {
        return;
    }
    let zone = &settings.zone;
    let (last, today) = (zone.day(account.clock), zone.day(now));
    if today > last {
        close_days(account, last, today, zone);
        account.declined_days = shift(account.declined_days, today - last);
        account.money.pending.retain(|(day, _)| today - day <= PENDING_DAYS);
        account.marks.retain(|each| today - each.day <= MARK_DAYS);
    }
    account.money.uncleared.retain(|each| now < each.clears_at);
    if now.hour() != account.clock.hour() || today > last {
        account.orders.iter_mut().for_each(|side| side.roll(now, zone));
    }
    account.clock = now;
}

/// Days that leave the last 35 are forgotten.
fn shift(bits: u64, by: i32) -> u64 {
    u32::try_from(by).ok().and_then(|by| bits.checked_shl(by)).unwrap_or(0) & LAST_35_DAYS
}

fn close_days(account: &mut Account, last: i32, today: i32, zone: &Zone) {
    if !account.is_open() {
        return;
    }
    let first = last.max(today - DAYS_CAUGHT_UP);
    account.utilisation.above_80 = shift(account.utilisation.above_80, first - last);
    for day in first..today {
        let percent = use_at_end_of(account, day, zone);
        close_day(&mut account.utilisation, day, percent);
    }
    account.utilisation.day = today;
}

/// Use of the limit in percent at the last millisecond of a day, holds that lapse by then left out.
fn use_at_end_of(account: &Account, day: i32, zone: &Zone) -> i64 {
    let end = zone.day_start(day.saturating_add(1)).plus(-1);
    let pending = account.money.pending.iter().filter(|(held, _)| day - held <= PENDING_DAYS);
    let used = account.money.balance.max(0).saturating_add(pending.map(|(_, amount)| amount).sum());
    let (granted, _) = account.stack.granted(end);
    match (used, granted) {
        (0, _) => 0,
        (_, ..=0) => 1_000,
        _ => i64::try_from(i128::from(used) * 100 / i128::from(granted)).unwrap_or(1_000).min(1_000),
    }
}

fn close_day(utilisation: &mut Utilisation, day: i32, percent: i64) {
    let month = month_of_day(day);
    match utilisation.months.last_mut().filter(|each| each.0 == month) {
        Some(bucket) => {
            bucket.1 += percent;
            bucket.2 += 1;
        }
        None => {
            utilisation.months.retain(|each| each.0 >= month - 2);
            utilisation.months.push((month, percent, 1));
        }
    }
    utilisation.above_80 = shift(utilisation.above_80, 1) | u64::from(percent > 80);
}
