//! Orders that an account places as a buyer: shoppers their shopping, merchants their stock. And orders of thieves.

use super::calendar::{DAY, HOUR};
use super::draft::What;
use super::profile::{Habit, YUAN};
use super::scene::Scene;

/// Working hours of Shanghai, in UTC.
const OPEN: i64 = 0;
const SHUT: i64 = 15;
/// A promotion multiplies orders by this.
const PROMOTION_RUSH: u64 = 4;
/// By how many percent of base the limit of who uses it up grows in a month, and where that ends.
const RAISED_A_MONTH: i64 = 3;
const RAISED_MOST: i64 = 140;

pub(super) fn play(scene: &mut Scene<'_>) {
    if !scene.profile.is_merchant() {
        steal(scene);
    }
    if wants_to_shop(scene) {
        shop(scene);
    }
}

fn wants_to_shop(scene: &mut Scene<'_>) -> bool {
    let rush = if scene.today.running.is_some() { PROMOTION_RUSH } else { 1 };
    let permille = scene.profile.purchases.unsigned_abs() * 1_000 / 30;
    !scene.profile.idle && scene.dice.permille(permille * rush)
}

fn shop(scene: &mut Scene<'_>) {
    let amount = price(scene);
    if !scene.profile.is_merchant() && scene.dice.permille(250) {
        scene.add_between(OPEN, SHUT, What::Bought { amount, credit: false, cash: false });
    } else if scene.ledger.used() + amount <= ceiling(scene) {
        buy(scene, amount);
    } else if scene.dice.permille(600) {
        scene.add_between(OPEN, SHUT, What::Declined { amount });
    }
}

/// What good payers may draw in a promotion lies above their base: they were given boosts. Who uses it up is raised
/// month by month, and draws that too.
fn ceiling(scene: &Scene<'_>) -> i64 {
    let running = scene.today.running.is_some();
    let percent = match scene.profile.habit {
        Habit::Early | Habit::Full if running => 112,
        Habit::Stretched => {
            let raised = (100 + i64::from(scene.today.day) / 30 * RAISED_A_MONTH).min(RAISED_MOST);
            if running { raised + 15 } else { raised }
        }
        _ => 100,
    };
    scene.profile.base / 100 * percent
}

fn price(scene: &mut Scene<'_>) -> i64 {
    let profile = &scene.profile;
    if profile.spree && !profile.is_merchant() && scene.today.running.is_some() {
        return scene.about(scene.profile.base, 40, 70);
    }
    let usual = profile.base / 100 * profile.appetite / profile.purchases;
    scene.about(usual, 60, 140)
}

/// Holds credit; most orders draw it the next day.
fn buy(scene: &mut Scene<'_>, amount: i64) {
    let cash = scene.dice.permille(20);
    let (order, at) = scene.add_between(OPEN, SHUT, What::Bought { amount, credit: true, cash });
    match scene.dice.between(0, 999) {
        0..50 => {
            let after = scene.dice.between(HOUR / 4, 8 * HOUR);
            scene.add(at + after, What::BuyCancelled { order, amount, credit: true });
        }
        // An hour before the limit would let go of it by itself.
        50..65 => {
            scene.add(at + 7 * DAY - HOUR, What::HoldExpired { order, amount });
        }
        65..100 => {
            let paid_at = draw(scene, order, amount);
            let back = scene.about(amount, 30, 100);
            let after = scene.dice.between(2 * DAY, 10 * DAY);
            scene.add(paid_at + after, What::BuyRefunded { order, amount: back });
        }
        _ => {
            draw(scene, order, amount);
        }
    }
}

fn draw(scene: &mut Scene<'_>, order: u64, amount: i64) -> i64 {
    let at = scene.moment(OPEN, SHUT) + DAY;
    scene.add(at, What::BuyPaid { order, amount });
    at
}

/// Attack orders: one far above anything before, or a burst of large ones; often cancelled within the hour. Accounts
/// that nobody uses are the likelier victims.
fn steal(scene: &mut Scene<'_>) {
    if !scene.dice.per_million(if scene.profile.idle { 400 } else { 40 }) {
        return;
    }
    let orders = if scene.dice.permille(500) { 1 } else { scene.dice.between(3, 5) };
    let mut at = scene.moment(OPEN, SHUT - 3);
    for _ in 0..orders {
        let amount = scene.dice.between(150_000, 400_000) * YUAN;
        let order = scene.add(at, What::Bought { amount, credit: false, cash: false });
        if scene.dice.permille(600) {
            let after = scene.dice.between(10 * 60, HOUR);
            scene.add(at + after, What::BuyCancelled { order, amount, credit: false });
        }
        at += scene.dice.between(60, HOUR / 2);
    }
}
