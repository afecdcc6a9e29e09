//! The days of a season: where it lies, its promotions, its holidays, the market.

/// Seconds.
pub(super) const MINUTE: i64 = 60;
/// Seconds.
pub(super) const HOUR: i64 = 60 * MINUTE;
/// Seconds.
pub(super) const DAY: i64 = 24 * HOUR;

/// Accounts open in the first hours of the first day; their lives begin an hour later.
pub(super) const OPENING_HOURS: u32 = 6;
/// The first hour of the first day in which accounts do anything.
pub(super) const FIRST_ACTIVE_HOUR: i64 = 7;

/// 2025-11-11T00:00:00Z, the day on which Double 11 ends.
const DOUBLE_11: i64 = 1_762_819_200;
/// 2025-06-18T00:00:00Z, the day on which the mid-year sale of a long season ends.
const MID_YEAR: i64 = 1_750_204_800;
/// 2025-08-18T00:00:00Z, the same for a season that begins too late for June.
const LATE_SUMMER: i64 = 1_755_475_200;
/// From this many days on a season has a second promotion, and a downturn long enough to matter.
const LONG_SEASON_DAYS: u32 = 150;
/// Of 200 days, so many lie after Double 11: the season then begins with June.
const DAYS_AFTER_OF_200: i64 = 37;

/// A promotion. Times are Unix seconds.
#[derive(Clone, Debug)]
pub(super) struct Promotion {
    pub(super) number: u64,
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) announced: i64,
    pub(super) start: i64,
    /// As announced.
    pub(super) end_planned: i64,
    /// As it came to be.
    pub(super) end: i64,
    /// Leaves the newest consumers out.
    pub(super) excludes_new: bool,
}

impl Promotion {
    /// Whether it is on at some time in the day that begins at `midnight`.
    pub(super) fn touches(&self, midnight: i64) -> bool {
        self.start < midnight + DAY && midnight < self.end
    }

    /// Whether merchants may still enrol in the day that begins at `midnight`.
    fn enrols(&self, midnight: i64) -> bool {
        self.announced < midnight + DAY && midnight < self.start
    }
}

/// A season.
#[derive(Clone, Debug)]
pub(super) struct Season {
    pub(super) seed: u64,
    pub(super) accounts: u32,
    pub(super) days: u32,
    /// Unix seconds, midnight UTC.
    pub(super) start: i64,
    pub(super) promotions: Vec<Promotion>,
}

impl Season {
    pub(super) fn new(seed: u64, accounts: u32, days: u32) -> Self {
        let after = (i64::from(days) * DAYS_AFTER_OF_200 / 200).max(1);
        let start = DOUBLE_11 - (i64::from(days) - after) * DAY;
        let mut promotions = Vec::new();
        if days >= LONG_SEASON_DAYS {
            promotions.push(mid_year(start));
        }
        promotions.push(double_11(start));
        Season { seed, accounts, days, start, promotions }
    }

    /// Unix seconds, the first that is no longer part of it.
    pub(super) fn end(&self) -> i64 {
        self.start + i64::from(self.days) * DAY
    }

    pub(super) fn is_long(&self) -> bool {
        self.days >= LONG_SEASON_DAYS
    }

    pub(super) fn today(&self, day: u32) -> Today<'_> {
        let midnight = self.start + i64::from(day) * DAY;
        Today {
            season: self,
            day,
            midnight,
            day_of_month: day_of_month(midnight.div_euclid(DAY)),
            running: self.promotions.iter().find(|promotion| promotion.touches(midnight)),
            enrolling: self.promotions.iter().find(|promotion| promotion.enrols(midnight)),
        }
    }
}

/// One day of a season, as everybody sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Today<'a> {
    pub(super) season: &'a Season,
    /// From 0.
    pub(super) day: u32,
    /// Unix seconds.
    pub(super) midnight: i64,
    /// 1 to 31, UTC.
    pub(super) day_of_month: i64,
    pub(super) running: Option<&'a Promotion>,
    pub(super) enrolling: Option<&'a Promotion>,
}

impl Today<'_> {
    /// A second between two hours of the day, the second hour not included; on the first day not before the accounts'
    /// lives begin.
    pub(super) fn moment(&self, dice: &mut super::random::Dice, from_hour: i64, to_hour: i64) -> i64 {
        let from = if self.day == 0 { from_hour.max(FIRST_ACTIVE_HOUR) } else { from_hour };
        let to = to_hour.max(from + 1);
        self.midnight + dice.between(from * HOUR, to * HOUR - 1)
    }

    pub(super) fn contains(&self, second: i64) -> bool {
        (self.midnight..self.midnight + DAY).contains(&second)
    }
}

/// 2025-11-10T20:00+08:00 to 2025-11-12T00:00+08:00, announced ten days before; a season shorter than that hears of it
/// as soon as its accounts are open.
fn double_11(season_start: i64) -> Promotion {
    let earliest = season_start + FIRST_ACTIVE_HOUR * HOUR;
    let start = (DOUBLE_11 - 12 * HOUR).max(earliest + HOUR);
    let end = DOUBLE_11 + 16 * HOUR;
    Promotion {
        number: 2,
        id: "double11-2025",
        name: "Double 11",
        announced: (start - 10 * DAY).max(earliest),
        start,
        end_planned: end,
        end,
        excludes_new: true,
    }
}

/// Two days, extended by one.
fn mid_year(season_start: i64) -> Promotion {
    let in_june = season_start <= MID_YEAR - 12 * DAY;
    let (day, id, name) = if in_june {
        (MID_YEAR, "midyear-2025", "Mid-year sale")
    } else {
        (LATE_SUMMER, "summer-2025", "Late summer sale")
    };
    let (start, end_planned) = (day - 36 * HOUR, day - 8 * HOUR);
    Promotion {
        number: 1,
        id,
        name,
        announced: start - 9 * DAY,
        start,
        end_planned,
        end: end_planned + DAY,
        excludes_new: false,
    }
}

/// Holidays: name, first second, first second after (Unix).
pub(super) const HOLIDAYS: [(&str, i64, i64); 5] = [
    ("dragon_boat", 1_748_620_800, 1_748_880_000),
    ("mid_autumn_and_national_day", 1_759_248_000, 1_759_939_200),
    ("winter_gift_days", 1_765_641_600, 1_765_814_400),
    ("new_year", 1_767_196_800, 1_767_369_600),
    ("spring_festival", 1_771_171_200, 1_771_862_400),
];

/// The day of the month, 1 to 31, of a day counted from 1970-01-01. Source: Hinnant, "chrono-compatible low-level date
/// algorithms", `civil_from_days`.
fn day_of_month(days: i64) -> i64 {
    let of_era = (days + 719_468).rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    of_year - (153 * month + 2) / 5 + 1
}

#[cfg(test)]
mod tests {
    use super::{DAY, DOUBLE_11, HOUR, Season, day_of_month};

    #[test]
    fn two_hundred_days_begin_with_june_and_hold_both_promotions() {
        let season = Season::new(1, 10, 200);
        assert_eq!(season.start, 1_748_736_000, "2025-06-01T00:00:00Z");
        let starts: Vec<i64> = season.promotions.iter().map(|promotion| promotion.start).collect();
        assert_eq!(starts, [1_750_204_800 - 36 * HOUR, DOUBLE_11 - 12 * HOUR]);
    }

    #[test]
    fn a_promotion_lies_inside_however_short_the_season() {
        for days in 1..=400 {
            let season = Season::new(1, 10, days);
            for promotion in &season.promotions {
                assert!(season.start < promotion.announced, "{days} days");
                assert!(promotion.announced < promotion.start, "{days} days");
                assert!(promotion.start < promotion.end && promotion.end <= season.end(), "{days} days");
            }
        }
    }

    #[test]
    fn days_of_the_month_follow_the_calendar() {
        assert_eq!(day_of_month(0), 1);
        assert_eq!(day_of_month(DOUBLE_11 / DAY), 11);
        assert_eq!(day_of_month(19_782), 29, "2024-02-29");
        assert_eq!(day_of_month(19_783), 1, "2024-03-01");
    }
}
