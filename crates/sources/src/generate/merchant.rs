//! A merchant's sales: ordinary days, promotions that it enrolled in, surges that nobody announced.

use super::calendar::{DAY, HOUR, Promotion};
use super::draft::What;
use super::profile::Part;
use super::scene::Scene;
use headroom_wire::proto::Segment;

const OPEN: i64 = 0;
const SHUT: i64 = 15;
/// Orders of a surge: so many that none is far above an ordinary one, or the next promotion would look ordinary.
const SURGE_ORDERS: i64 = 8;
/// Of a million merchant days, so many see sales that nothing explains.
const UNEXPLAINED_PER_MILLION: u64 = 250;

pub(super) fn play(scene: &mut Scene<'_>) {
    if scene.profile.idle {
        return;
    }
    sell(scene);
    if let Some(promotion) = scene.today.enrolling {
        enrol(scene, promotion);
    }
    match scene.today.running {
        Some(promotion) => join_in(scene, promotion),
        None if scene.dice.per_million(UNEXPLAINED_PER_MILLION) => sell_unexplained(scene),
        None => {}
    }
}

fn sell(scene: &mut Scene<'_>) {
    let orders = match scene.profile.segment {
        Segment::MerchantKey => 4,
        Segment::MerchantStandard => 2,
        _ => 1,
    };
    let sales = scene.about(scene.profile.sales, 88, 112) / orders;
    for number in 0..orders {
        let amount = scene.about(sales, 90, 110);
        let (order, at) = scene.add_between(OPEN, SHUT, What::Sold { amount });
        if number == 0 {
            settle(scene, order, amount, at);
        }
    }
}

/// The marketplace pays out one order a day; a few of these come back.
fn settle(scene: &mut Scene<'_>, order: u64, amount: i64, sold_at: i64) {
    let paid_at = sold_at + scene.dice.between(HOUR, 20 * HOUR);
    scene.add(paid_at, What::SalePaid { order, amount });
    if scene.dice.permille(40) {
        let back = scene.about(amount, 20, 100);
        let after = scene.dice.between(DAY, 5 * DAY);
        scene.add(paid_at + after, What::SaleRefunded { order, amount: back });
    }
}

fn enrol(scene: &mut Scene<'_>, promotion: &Promotion) {
    let Some(part) = scene.profile.part_in(promotion) else { return };
    if let Some(at) = part.enrols.filter(|at| scene.today.contains(*at)) {
        scene.add(at, What::Enrolled { promotion: promotion.number, forecast: part.forecast });
    }
    if let Some(at) = part.withdraws.filter(|at| scene.today.contains(*at)) {
        scene.add(at, What::Withdrawn { promotion: promotion.number });
    }
}

/// The rush is in the first three hours; then come better days than usual until the end.
fn join_in(scene: &mut Scene<'_>, promotion: &Promotion) {
    let part = scene.profile.part_in(promotion).filter(|part| part.surge_tenths > 0);
    match part {
        Some(part) if scene.today.contains(promotion.start) => rush(scene, promotion.start, &part),
        Some(_) => {
            let amount = scene.about(scene.profile.sales, 30, 60);
            scene.add_between(OPEN, SHUT, What::Sold { amount });
        }
        None => {}
    }
}

fn rush(scene: &mut Scene<'_>, start: i64, part: &Part) {
    let share = scene.profile.sales * part.surge_tenths / 10 / SURGE_ORDERS;
    for _ in 0..SURGE_ORDERS {
        let amount = scene.about(share, 92, 108);
        let at = start + scene.dice.between(60, 3 * HOUR);
        scene.add(at, What::Sold { amount });
    }
}

/// Invented orders, or luck: eight to twelve ordinary days in three orders.
fn sell_unexplained(scene: &mut Scene<'_>) {
    let days = scene.dice.between(8, 12);
    let mut at = scene.moment(OPEN, SHUT - 3);
    for _ in 0..3 {
        let amount = scene.about(scene.profile.sales * days / 3, 95, 105);
        scene.add(at, What::Sold { amount });
        at += scene.dice.between(60, HOUR);
    }
}
