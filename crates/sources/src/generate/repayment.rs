//! Statements, payments, and what happens when they do not come.

use super::calendar::{DAY, HOUR};
use super::draft::What;
use super::ledger::{Ledger, NO_DAY};
use super::profile::{Habit, Profile, Salt};
use super::random::Dice;
use super::scene::Scene;

/// Statements are made in the last hour of Shanghai's day, after the day's orders.
const STATEMENT_HOUR: i64 = 15;
/// What comes early of a statement, percent: less than its minimum, so that the rest stays due.
const EARLY_PART: i64 = 8;
/// Days past due at which a customer is called and asked for a promise.
const PROMISE_DPD: u32 = 5;
const PROMISE_DAYS: u32 = 7;
/// Days past due at which a debt is given up.
const CHARGE_OFF_DPD: u32 = 120;

pub(super) fn play(scene: &mut Scene<'_>) {
    if scene.today.day_of_month == scene.profile.statement_day {
        scene.add_between(STATEMENT_HOUR, STATEMENT_HOUR + 1, What::Statement);
    }
    if scene.ledger.owed == 0 {
        return;
    }
    let pays = pays_today(scene);
    if pays {
        pay(scene);
    } else if scene.profile.habit == Habit::Stretched && pays_a_part_today(scene) {
        let amount = scene.ledger.statement / 100 * EARLY_PART;
        scene.add_between(1, 10, What::PaymentPosted { amount, clears_after: 0 });
    }
    chase(scene, pays);
}

/// The day on which the minimum due since `ledger.owed_since` is paid; `None` is never.
fn pay_day(profile: &Profile, ledger: &Ledger) -> Option<u32> {
    let salt = Salt::Cycle as u64 | u64::from(ledger.owed_since) << 32;
    let days = lateness(profile.habit, &mut Dice::of(profile.seed, profile.account, salt))?;
    ledger.owed_since.checked_add_signed(days).filter(|_| ledger.owed_since != NO_DAY)
}

/// Days after the due date, below 0 before it.
fn lateness(habit: Habit, dice: &mut Dice) -> Option<i32> {
    let days = match habit {
        Habit::Never => return None,
        Habit::Early => -dice.between(6, 14),
        Habit::Full | Habit::Minimum if dice.permille(20) => dice.between(1, 9),
        Habit::Forgetful if dice.permille(700) => dice.between(1, 3),
        Habit::Late if dice.permille(700) => dice.between(4, 28),
        Habit::VeryLate => dice.between(35, 56),
        Habit::Defaulting => dice.between(63, 84),
        _ => -dice.between(0, 2),
    };
    Some(i32::try_from(days).expect("less than a year"))
}

/// On the day itself; after a returned payment, some day after it.
fn pays_today(scene: &mut Scene<'_>) -> bool {
    match pay_day(&scene.profile, scene.ledger) {
        Some(day) if day == scene.today.day => true,
        Some(day) => day < scene.today.day && scene.dice.permille(250),
        None => false,
    }
}

/// Days before the next due date, once in a cycle.
fn pays_a_part_today(scene: &Scene<'_>) -> bool {
    let due = scene.ledger.due_day;
    let mut dice = Dice::of(scene.profile.seed, scene.profile.account, Salt::Part as u64 | u64::from(due) << 32);
    let before = u32::try_from(dice.between(4, 12)).expect("some days");
    due != NO_DAY && scene.today.day + before == due
}

fn pay(scene: &mut Scene<'_>) {
    let amount = payment(scene);
    let at = scene.moment(1, 14);
    match scene.dice.between(0, 999) {
        0..8 => {
            let payment = scene.add(at, What::PaymentPosted { amount, clears_after: 3 * DAY });
            let after = scene.dice.between(DAY, 2 * DAY);
            scene.add(at + after, What::PaymentReturned { payment, amount });
        }
        8..300 => {
            let payment = scene.add(at, What::PaymentPosted { amount, clears_after: 2 * DAY });
            scene.add(at + 2 * DAY, What::PaymentCleared { payment, amount });
        }
        _ => {
            scene.add(at, What::PaymentPosted { amount, clears_after: 0 });
        }
    }
}

fn payment(scene: &mut Scene<'_>) -> i64 {
    let ledger = scene.ledger;
    let minimum = match scene.profile.habit {
        Habit::Minimum => true,
        Habit::Forgetful | Habit::Late => scene.dice.permille(500),
        _ => false,
    };
    if minimum {
        return scene.about(ledger.owed, 100, 109);
    }
    if scene.profile.habit == Habit::Stretched {
        return scene.about(ledger.statement, 50, 60).max(ledger.owed);
    }
    (ledger.statement - ledger.paid).min(ledger.balance).max(ledger.owed)
}

/// What the servicer does with an account past due.
fn chase(scene: &mut Scene<'_>, pays: bool) {
    let dpd = scene.ledger.dpd(scene.today.day);
    if dpd == 0 {
        return;
    }
    if scene.profile.reported {
        scene.add_between(14, 15, What::Overdue { dpd: if pays { 0 } else { dpd } });
    }
    if dpd == PROMISE_DPD && !pays && scene.dice.permille(400) {
        promise(scene);
    }
    if dpd == CHARGE_OFF_DPD {
        scene.add_between(14, 15, What::Closed { charged_off: true });
    }
}

fn promise(scene: &mut Scene<'_>) {
    let amount = scene.ledger.owed;
    let until = scene.today.midnight + i64::from(PROMISE_DAYS) * DAY + STATEMENT_HOUR * HOUR;
    let (promise, _) = scene.add_between(1, 10, What::PromiseMade { amount, due_at: until });
    let kept = pay_day(&scene.profile, scene.ledger).is_some_and(|day| day <= scene.today.day + PROMISE_DAYS);
    if !kept {
        scene.add(until + 10 * HOUR, What::PromiseBroken { promise });
    }
}
