//! The first hours: every account opens, and says what is known about it.

use headroom_wire::proto::Segment;

use super::calendar::{DAY, HOUR, OPENING_HOURS, Season};
use super::draft::{Fact, What};
use super::profile::{Habit, Profile, Salt};
use super::random::Dice;
use super::signal::{consumer_fact, merchant_facts};
use super::timeline::Timeline;

/// Opens the accounts whose turn is in this hour of the first day; one hour's at a time, to bound what is held.
pub(super) fn play(season: &Season, hour: u32, timeline: &mut Timeline) {
    let border = |hours: u32| u64::from(season.accounts) * u64::from(hours) / u64::from(OPENING_HOURS);
    let (first, after) = (border(hour), border(hour + 1));
    for number in first..after {
        let second = (number - first) * HOUR.unsigned_abs() / (after - first);
        let account = u32::try_from(number).expect("below the number of accounts");
        let at = season.start + i64::from(hour) * HOUR + second.cast_signed();
        open(&Profile::of(season.seed, account), at, timeline);
    }
}

fn open(profile: &Profile, at: i64, timeline: &mut Timeline) {
    let mut dice = Dice::of(profile.seed, profile.account, Salt::Opening as u64);
    let opened_at = at - age_days(profile, &mut dice) * DAY;
    let probation = profile.segment == Segment::ConsumerNew && dice.permille(400);
    timeline.add(profile.account, at, What::Opened { base: profile.base, opened_at, probation });
    let mut say = |after: i64, what: What| {
        timeline.add(profile.account, at + after, what);
    };
    if profile.is_merchant() {
        for (after, (fact, value)) in (20..).step_by(10).zip(merchant_facts(profile, &mut dice)) {
            say(after, What::Signal { fact, value });
        }
        return;
    }
    if dice.permille(750) {
        say(10, What::Consent { standing: true });
    }
    if profile.habit == Habit::Full && dice.permille(350) {
        say(15, What::Autopay(true));
    }
    let facts = [(Fact::CustomerShare, 950), (Fact::Lenders, 800), (Fact::Inquiries, 500), (Fact::Score, 900)];
    for (after, (fact, permille)) in (20..).step_by(10).zip(facts) {
        if dice.permille(permille) && (fact != Fact::Score || profile.scored) {
            say(after, What::Signal { fact, value: consumer_fact(profile, fact, &mut dice) });
        }
    }
}

/// How long the customer has been one.
fn age_days(profile: &Profile, dice: &mut Dice) -> i64 {
    match profile.segment {
        Segment::ConsumerNew | Segment::MerchantNew => dice.between(5, 170),
        _ if profile.idle => dice.between(400, 2_500),
        _ => dice.between(180, 2_500),
    }
}
