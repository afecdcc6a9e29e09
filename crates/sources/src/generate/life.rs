//! What happens to an account once in a season, if at all.

use headroom_wire::proto::{Segment, Tier};

use super::calendar::DAY;
use super::draft::What;
use super::profile::Salt;
use super::scene::Scene;

type Happen = fn(&mut Scene<'_>);

/// Each with the number of accounts of which one meets it on a day.
const ONCE: [(Salt, u64, Happen); 8] = [
    (Salt::Tier, 1_000, climb),
    (Salt::Graduation, 700, graduate),
    (Salt::Autopay, 1_500, change_autopay),
    (Salt::Snapshot, 8_000, |scene| say(scene, What::Snapshot)),
    (Salt::ManualBlock, 15_000, block),
    (Salt::Hardship, 20_000, fall_into_hardship),
    (Salt::Appeal, 30_000, |scene| say(scene, What::Appeal)),
    (Salt::Closing, 40_000, |scene| say(scene, What::Closed { charged_off: false })),
];

pub(super) fn play(scene: &mut Scene<'_>) {
    let day = u64::from(scene.today.day);
    for (salt, span, happen) in ONCE {
        if scene.profile.once(salt, span) == day {
            happen(scene);
        }
    }
}

fn say(scene: &mut Scene<'_>, what: What) {
    scene.add_between(1, 10, what);
}

fn climb(scene: &mut Scene<'_>) {
    let next = match scene.profile.tier {
        Tier::None => Tier::Silver,
        Tier::Silver => Tier::Gold,
        _ => Tier::Platinum,
    };
    if next != scene.profile.tier {
        say(scene, What::TierChanged(next));
    }
}

fn graduate(scene: &mut Scene<'_>) {
    match scene.profile.segment {
        Segment::ConsumerNew => say(scene, What::SegmentChanged(Segment::Consumer)),
        Segment::MerchantNew => say(scene, What::SegmentChanged(Segment::MerchantStandard)),
        _ => {}
    }
}

fn change_autopay(scene: &mut Scene<'_>) {
    let on = scene.dice.permille(700);
    say(scene, What::Autopay(on));
}

fn block(scene: &mut Scene<'_>) {
    let full = scene.dice.permille(500);
    let (_, at) = scene.add_between(1, 10, What::ManualBlock { full });
    if scene.dice.permille(800) {
        let after = scene.dice.between(2 * DAY, 9 * DAY);
        scene.add(at + after, What::ManualUnblock);
    }
}

fn fall_into_hardship(scene: &mut Scene<'_>) {
    let (_, at) = scene.add_between(1, 10, What::Hardship(true));
    scene.add(at + 60 * DAY, What::Hardship(false));
}
