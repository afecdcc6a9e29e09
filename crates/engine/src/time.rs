//! Instants, days and months. Nothing here reads a clock: every instant comes from a record.

use jiff::tz::TimeZone;

/// Milliseconds since 1970-01-01T00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(pub i64);

/// One minute in milliseconds.
pub const MINUTE: i64 = 60_000;
/// One hour in milliseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// Twenty-four hours in milliseconds.
pub const DAY: i64 = 24 * HOUR;

impl Timestamp {
    /// Later (or earlier, below 0) by milliseconds; stays at the ends of the range.
    pub fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds since `earlier`; negative if it is later.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole hours since 1970, UTC.
    pub fn hour(self) -> i32 {
        clamp(self.0.div_euclid(HOUR))
    }
}

/// A whole number of days or hours fits 32 bits for every date that events may carry.
fn clamp(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX })
}

/// A business time zone, its offsets laid out once so that a look-up is a binary search.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    /// From which instant on which offset (both milliseconds) holds; sorted, the first at the start of time.
    offsets: Vec<(i64, i64)>,
}

impl Zone {
    /// Offsets up to here are exact; later ones repeat the last.
    const LAST_YEAR: i16 = 2100;

    /// The zone of an IANA name, for example "Asia/Shanghai"; `None` if there is none.
    pub fn named(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        let start = jiff::Timestamp::from_second(0).ok()?;
        let mut offsets = vec![(i64::MIN, i64::from(zone.to_offset(start).seconds()) * 1_000)];
        for transition in zone.following(start) {
            if jiff::tz::Offset::UTC.to_datetime(transition.timestamp()).year() > Self::LAST_YEAR {
                break;
            }
            offsets.push((transition.timestamp().as_millisecond(), i64::from(transition.offset().seconds()) * 1_000));
        }
        Some(Self { name: name.to_owned(), offsets })
    }

    /// UTC.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), offsets: vec![(i64::MIN, 0)] }
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn offset(&self, at: Timestamp) -> i64 {
        let after = self.offsets.partition_point(|(from, _)| *from <= at.0);
        self.offsets[after.saturating_sub(1)].1
    }

    /// Days since 1970-01-01 on this zone's calendar.
    pub fn day(&self, at: Timestamp) -> i32 {
        clamp(at.0.saturating_add(self.offset(at)).div_euclid(DAY))
    }

    /// The instant at which a local wall-clock time stands; a skipped time moves forward, a repeated one is the first.
    pub fn instant(&self, local_millis: i64) -> Timestamp {
        let earliest = self
            .offsets
            .iter()
            .map(|(from, offset)| (*from, Timestamp(local_millis.saturating_sub(*offset)), *offset))
            .find(|(_, at, offset)| self.offset(*at) == *offset);
        match earliest {
            Some((_, at, _)) => at,
            None => Timestamp(local_millis.saturating_sub(self.offset(Timestamp(local_millis.saturating_sub(DAY))))),
        }
    }

    /// The instant at which a day begins.
    pub fn day_start(&self, day: i32) -> Timestamp {
        let local = i64::from(day).saturating_mul(DAY);
        let guess = Timestamp(local.saturating_sub(self.offset(Timestamp(local))));
        Timestamp(local.saturating_sub(self.offset(guess)))
    }

    /// Months since year 0 on this zone's calendar.
    pub fn month(&self, at: Timestamp) -> i32 {
        month_of_day(self.day(at))
    }
}

/// Months since year 0 of a day since 1970 (the civil-from-days computation of the proleptic Gregorian calendar).
pub fn month_of_day(day: i32) -> i32 {
    let shifted = i64::from(day) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_based = (5 * day_of_year + 2) / 153;
    clamp((year_of_era + era * 400) * 12 + march_based + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_the_calendar() {
        assert_eq!(month_of_day(0), 1970 * 12);
        assert_eq!(month_of_day(30), 1970 * 12);
        assert_eq!(month_of_day(31), 1970 * 12 + 1);
        assert_eq!(month_of_day(-1), 1969 * 12 + 11);
        // 2024-02-29 and 2024-03-01
        assert_eq!(month_of_day(19_782), 2024 * 12 + 1);
        assert_eq!(month_of_day(19_783), 2024 * 12 + 2);
        assert_eq!(month_of_day(19_723), 2024 * 12);
        assert_eq!(month_of_day(19_722), 2023 * 12 + 11);
    }

    #[test]
    fn days_follow_the_zone() {
        let zone = Zone::named("Asia/Shanghai").unwrap();
        let before_midnight = Timestamp(16 * HOUR - 1);
        assert_eq!(zone.day(before_midnight), 0);
        assert_eq!(zone.day(before_midnight.plus(1)), 1);
        assert_eq!(zone.day_start(1), Timestamp(16 * HOUR));
        let london = Zone::named("Europe/London").unwrap();
        for day in 14_000..16_000 {
            let start = london.day_start(day);
            assert_eq!(london.day(start), day);
            assert_eq!(london.day(start.plus(-1)), day - 1);
        }
        assert!(Zone::named("Moon/Base").is_none());
    }

    #[test]
    fn wall_clock_times_become_instants() {
        let zone = Zone::named("Asia/Shanghai").unwrap();
        assert_eq!(zone.instant(8 * HOUR), Timestamp(0));
        let london = Zone::named("Europe/London").unwrap();
        // 2011-07-01T00:00 is summer time.
        let local = 15_156 * DAY;
        assert_eq!(london.instant(local), Timestamp(local - HOUR));
    }
}
