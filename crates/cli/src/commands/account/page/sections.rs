//! Money, repayment, delinquency and windows, a line or two each.

use headroom_engine::{Account, Side, Timestamp, Windows};
use headroom_node::view::day;

use crate::commands::changes::entry::money;
use crate::zone;

use super::draw::{Paint, sparkline};
use super::{Look, word};

/// So many days of orders are drawn.
const DAYS: i32 = 35;

/// All of them.
pub fn sections(account: &Account, look: &Look, paint: Paint) -> String {
    let mut out = String::new();
    let mut section = |title: &str, lines: Vec<String>| {
        out.push_str(&format!("\n{}\n", paint.strong(title)));
        let wrapped = lines.iter().flat_map(|line| wrapped(line, look.width.saturating_sub(4)));
        wrapped.for_each(|line| out.push_str(&format!("  {line}\n")));
    };
    section("MONEY", vec![moved(account, look)]);
    section("REPAYMENT", repayment(account, look));
    section("DELINQUENCY", vec![delinquency(account, look)]);
    section("ORDERS", orders(account));
    out
}

/// Parts are three spaces apart; those that do not fit go on in the next line.
fn wrapped(line: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in line.split("   ") {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 3 + part.chars().count() <= room => {
                last.push_str("   ");
                last.push_str(part);
            }
            Some(_) => lines.push(format!("  {part}")),
            None => lines.push(part.to_owned()),
        }
    }
    lines
}

fn parts(parts: &[(&str, String)]) -> String {
    parts.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join("   ")
}

fn moved(account: &Account, look: &Look) -> String {
    let uncleared = account.money.uncleared.iter().map(|each| each.amount).sum();
    parts(&[
        ("balance", money(account.money.balance)),
        ("pending", money(account.pending())),
        ("not cleared", money(uncleared)),
        ("last moved", moment(account.money.last_moved, look)),
    ])
}

fn repayment(account: &Account, look: &Look) -> Vec<String> {
    let repay = &account.repay;
    let autopay = match repay.autopay {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    let mut lines = vec![parts(&[
        ("cycles", repay.cycles.to_string()),
        ("in a row on time", repay.on_time_streak.to_string()),
        ("early", repay.early_streak.to_string()),
        ("in full", repay.full_streak.to_string()),
        ("minimum only", repay.min_only_streak.to_string()),
        ("direct debit", autopay.to_owned()),
    ])];
    if let Some(cycle) = &repay.cycle {
        let due = cycle.due_at.map_or_else(|| "no due date".to_owned(), |at| format!("due {}", moment(at, look)));
        let (paid, of, least) = (money(cycle.paid), money(cycle.balance), money(cycle.min_due));
        lines.push(format!("this cycle: {paid} of {of} paid, at least {least}, {due}"));
    }
    lines
}

fn delinquency(account: &Account, look: &Look) -> String {
    let delinquency = &account.delinquency;
    let unpaid: i64 = delinquency.dues.iter().map(|each| (each.amount - each.paid).max(0)).sum();
    let worst = delinquency.months.iter().map(|(_, dpd)| *dpd).max().unwrap_or(0);
    let mut line = parts(&[
        ("days past due", delinquency.seen.to_string()),
        ("unpaid minimum dues", money(unpaid)),
        ("worst of 13 months", worst.to_string()),
    ]);
    if let Some(cured) = delinquency.cured_at {
        line.push_str(&format!("   cured {}", moment(cured, look)));
    }
    line
}

fn orders(account: &Account) -> Vec<String> {
    let side = |side: &Side| {
        let windows = &account.orders[usize::from(side.index())];
        placed(windows).map(|line| format!("{:<6} {line}", side.word()))
    };
    let mut lines: Vec<String> = Side::ALL.iter().filter_map(side).collect();
    if lines.is_empty() {
        lines.push("none".to_owned());
    }
    let above = (account.utilisation.above_80 & ((1 << DAYS) - 1)).count_ones();
    let declined = (account.declined_days & ((1 << DAYS) - 1)).count_ones();
    lines.push(parts(&[("of 35 days: above 80 % used", above.to_string()), ("orders declined", declined.to_string())]));
    lines
}

/// What was placed day by day, up to the last day with an order.
fn placed(windows: &Windows) -> Option<String> {
    let last = windows.days.last()?.day;
    let first = windows.days.first()?.day.max(last - DAYS + 1);
    let of = |wanted: i32| windows.days.iter().find(|each| each.day == wanted).map_or(0, |each| each.placed);
    let amounts: Vec<i64> = (first..=last).map(of).collect();
    let most = amounts.iter().copied().max().unwrap_or(0);
    let sum = amounts.iter().fold(0_i64, |sum, each| sum.saturating_add(*each));
    let (from, to) = (word(day(first)), word(day(last)));
    Some(format!("{from} {} {to}   placed {}, at most {} a day", sparkline(&amounts), money(sum), money(most)))
}

/// The beginning of time stands for "never".
fn moment(at: Timestamp, look: &Look) -> String {
    if at.0 == 0 { "never".to_owned() } else { zone::minute(at, &look.zone) }
}
