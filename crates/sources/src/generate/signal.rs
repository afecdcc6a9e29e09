//! What bureaus, models and the security desk report.

use super::calendar::{DAY, HOUR};
use super::draft::{Fact, What};
use super::profile::{Habit, Profile, Salt};
use super::random::{Dice, choice};
use super::scene::Scene;

/// A merchant's pledged goods are valued on its signal day; one in ten stops sending values after the first.
const DAYS_OF_A_MONTH: u32 = 30;

pub(super) fn play(scene: &mut Scene<'_>) {
    alarm(scene);
    watch(scene);
    if scene.today.day_of_month != scene.profile.signal_day {
        return;
    }
    if scene.profile.is_merchant() {
        report_merchant(scene);
    } else {
        report_consumer(scene);
    }
}

/// Rare things, all from one throw: shares of a million days.
fn alarm(scene: &mut Scene<'_>) {
    match scene.dice.throw() % 1_000_000 {
        0..40 => hit_list(scene),
        40..140 => move_house_with_a_new_phone(scene),
        140..440 => raise(scene, Fact::ProfileChanged),
        440..640 => log_in_strangely(scene),
        640..1_740 => raise(scene, Fact::DeviceChanged),
        1_740..2_640 => raise(scene, Fact::PlaceChanged),
        _ => {}
    }
}

/// Who uses the limit up is looked up every week.
fn watch(scene: &mut Scene<'_>) {
    let is_watched = scene.profile.habit == Habit::Stretched && !scene.profile.is_merchant();
    if is_watched && i64::from(scene.today.day % 7) == scene.profile.signal_day % 7 {
        let value = consumer_fact(&scene.profile, Fact::Inquiries, &mut scene.dice);
        scene.add_between(16, 20, What::Signal { fact: Fact::Inquiries, value });
    }
}

fn raise(scene: &mut Scene<'_>, fact: Fact) {
    scene.add_between(0, 16, What::Signal { fact, value: 1 });
}

fn hit_list(scene: &mut Scene<'_>) {
    let (_, at) = scene.add_between(0, 16, What::Signal { fact: Fact::ListHit, value: 1 });
    if scene.dice.permille(300) {
        scene.add(at + 10 * DAY, What::Signal { fact: Fact::ListHit, value: 0 });
    }
}

fn move_house_with_a_new_phone(scene: &mut Scene<'_>) {
    let (_, at) = scene.add_between(0, 16, What::Signal { fact: Fact::DeviceChanged, value: 1 });
    let between = scene.dice.between(60, 6 * HOUR);
    scene.add(at + between, What::Signal { fact: Fact::PlaceChanged, value: 1 });
    verify(scene, at + between, 600);
}

fn log_in_strangely(scene: &mut Scene<'_>) {
    let (_, at) = scene.add_between(0, 16, What::Signal { fact: Fact::LoginAnomaly, value: 1 });
    verify(scene, at, 500);
}

/// In `permille` of cases the customer proves who it is.
fn verify(scene: &mut Scene<'_>, since: i64, permille: u64) {
    if scene.dice.permille(permille) {
        let after = scene.dice.between(HOUR, 20 * HOUR);
        scene.add(since + after, What::Signal { fact: Fact::Verified, value: 1 });
    }
}

fn report_merchant(scene: &mut Scene<'_>) {
    for (fact, value) in merchant_facts(&scene.profile, &mut scene.dice) {
        scene.add_between(16, 20, What::Signal { fact, value });
    }
    if let Some(value) = collateral(&scene.profile, scene.today.day / DAYS_OF_A_MONTH) {
        scene.add_between(16, 20, What::Signal { fact: Fact::CollateralValue, value });
    }
}

fn report_consumer(scene: &mut Scene<'_>) {
    let facts = [(Fact::Score, 300), (Fact::Lenders, 250), (Fact::Inquiries, 200), (Fact::OtherLines, 30)];
    for (fact, permille) in facts {
        if scene.dice.permille(permille) && (fact != Fact::Score || scene.profile.scored) {
            let value = consumer_fact(&scene.profile, fact, &mut scene.dice);
            scene.add_between(16, 20, What::Signal { fact, value });
        }
    }
}

/// Rating is in hundredths of the best.
pub(super) fn merchant_facts(profile: &Profile, dice: &mut Dice) -> [(Fact, i64); 4] {
    let violations = if dice.permille(900) { 0 } else { dice.between(1, 4) };
    [
        (Fact::Score, score(profile, dice)),
        (Fact::Violations, violations),
        (Fact::Rating, dice.between(60, 99)),
        (Fact::Repurchase, dice.between(10, 70)),
    ]
}

pub(super) fn consumer_fact(profile: &Profile, fact: Fact, dice: &mut Dice) -> i64 {
    match fact {
        Fact::Score => score(profile, dice),
        Fact::Lenders => lenders(dice),
        Fact::Inquiries => inquiries(dice),
        Fact::OtherLines => profile.base * dice.between(20, 400) / 100,
        Fact::CustomerShare => profile.base * dice.between(12, 30) / 10,
        other => unreachable!("{other:?} is no fact about consumers"),
    }
}

/// 300 to 850; an account keeps its level.
fn score(profile: &Profile, dice: &mut Dice) -> i64 {
    let level = (choice(profile.seed, profile.account, Salt::Profile as u64) % 400).cast_signed();
    (400 + level + dice.between(-40, 40)).clamp(300, 850)
}

fn lenders(dice: &mut Dice) -> i64 {
    match dice.between(0, 999) {
        0..600 => 0,
        600..800 => 1,
        800..900 => 2,
        900..960 => 3,
        960..985 => dice.between(4, 5),
        _ => dice.between(6, 8),
    }
}

fn inquiries(dice: &mut Dice) -> i64 {
    match dice.between(0, 999) {
        0..600 => 0,
        600..850 => 1,
        850..930 => 2,
        930..970 => dice.between(3, 4),
        _ => dice.between(5, 9),
    }
}

/// What two in five merchants have pledged is worth in a month of the season.
fn collateral(profile: &Profile, month: u32) -> Option<i64> {
    let mut dice = Dice::of(profile.seed, profile.account, Salt::Collateral as u64);
    let pledged = dice.permille(400);
    let percent_of_base = dice.between(110, 250);
    let goes_silent = dice.permille(100);
    if !pledged || (goes_silent && month > 0) {
        return None;
    }
    let mut dice = Dice::of(profile.seed, profile.account, Salt::Collateral as u64 | u64::from(month + 1) << 32);
    let moved = match dice.between(0, 99) {
        0..20 => dice.between(6, 19),
        20..35 => -dice.between(6, 20),
        _ => dice.between(-3, 3),
    };
    Some(profile.base / 100 * percent_of_base / 100 * (100 + moved))
}
