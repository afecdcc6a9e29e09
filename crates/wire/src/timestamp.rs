//! `google.protobuf.Timestamp` with the JSON form that the contract prints: RFC 3339, `Z`, 0, 3, 6 or 9 digits.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment in UTC, as protobuf has it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z; from year 1 to year 9999.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds that follow, 0 to 999 999 999, also before 1970.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

const SECONDS_MIN: i64 = -62_135_596_800;
const SECONDS_MAX: i64 = 253_402_300_799;
const NANOS_PER_SECOND: i32 = 1_000_000_000;
const NANOS_PER_MILLI: i32 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// The civil calendar repeats after 400 years.
const DAYS_PER_ERA: i64 = 146_097;
/// From 0000-03-01, where the eras of the calculation start, to 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_468;

impl Timestamp {
    /// From milliseconds since 1970-01-01T00:00:00Z.
    pub fn from_millis(millis: i64) -> Timestamp {
        let below_second = i32::try_from(millis.rem_euclid(1000)).expect("below 1000");
        Timestamp { seconds: millis.div_euclid(1000), nanos: below_second * NANOS_PER_MILLI }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, finer parts cut off towards the past.
    /// `None` outside years 1 to 9999, or with nanoseconds out of range.
    pub fn to_millis(self) -> Option<i64> {
        self.is_valid().then(|| self.seconds * 1000 + i64::from(self.nanos / NANOS_PER_MILLI))
    }

    fn is_valid(self) -> bool {
        (SECONDS_MIN..=SECONDS_MAX).contains(&self.seconds) && (0..NANOS_PER_SECOND).contains(&self.nanos)
    }

    /// From RFC 3339 text: `2025-11-10T20:05:00Z`, at most nine fractional digits, `Z` or an offset, upper case.
    /// `None` if the text is anything else, a day that does not exist, or a moment outside years 1 to 9999.
    pub fn parse(text: &str) -> Option<Timestamp> {
        let (civil, zone) = text.as_bytes().split_at_checked(19)?;
        let (nanos, zone) = parse_fraction(zone)?;
        let seconds = parse_civil(civil)? - parse_offset(zone)?;
        Some(Timestamp { seconds, nanos }).filter(|parsed| parsed.is_valid())
    }
}

fn parse_civil(text: &[u8]) -> Option<i64> {
    let separators = [text[4], text[7], text[10], text[13], text[16]];
    if separators != *b"--T::" {
        return None;
    }
    let (year, month, day) = (number(&text[..4])?, number(&text[5..7])?, number(&text[8..10])?);
    let (hour, minute, second) = (number(&text[11..13])?, number(&text[14..16])?, number(&text[17..])?);
    let days = days_of(year, month, day);
    let exists = (1..=12).contains(&month) && civil_of(days) == (year, month, day);
    let in_day = hour < 24 && minute < 60 && second < 60;
    (exists && in_day).then_some(days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second)
}

/// The fraction in nanoseconds, and what follows it.
fn parse_fraction(text: &[u8]) -> Option<(i32, &[u8])> {
    let Some(after_point) = text.strip_prefix(b".") else { return Some((0, text)) };
    let digits = after_point.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let (fraction, rest) = after_point.split_at(digits);
    let scale = 10_i64.pow(u32::try_from(9 - digits).ok()?);
    Some((i32::try_from(number(fraction)? * scale).ok()?, rest))
}

/// The offset from UTC in seconds.
fn parse_offset(text: &[u8]) -> Option<i64> {
    let (sign, clock) = match text {
        b"Z" => return Some(0),
        [b'+', clock @ ..] => (1, clock),
        [b'-', clock @ ..] => (-1, clock),
        _ => return None,
    };
    let &[h1, h2, b':', m1, m2] = clock else { return None };
    let (hours, minutes) = (number(&[h1, h2])?, number(&[m1, m2])?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// Days since 1970-01-01. A year is taken to start in March, so that the leap day is its last.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - DAYS_BEFORE_1970
}

/// Year, month and day of a day since 1970-01-01: the inverse of [`days_of`].
fn civil_of(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_BEFORE_1970;
    let (era, day_of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

impl fmt::Display for Timestamp {
    /// RFC 3339 with `Z`. A timestamp outside years 1 to 9999 has no such form and is an error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_valid() {
            return Err(fmt::Error);
        }
        let (year, month, day) = civil_of(self.seconds.div_euclid(SECONDS_PER_DAY));
        let in_day = self.seconds.rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (in_day / 3600, in_day / 60 % 60, in_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match self.nanos {
            0 => write!(f, "Z"),
            nanos if nanos % NANOS_PER_MILLI == 0 => write!(f, ".{:03}Z", nanos / NANOS_PER_MILLI),
            nanos if nanos % 1000 == 0 => write!(f, ".{:06}Z", nanos / 1000),
            nanos => write!(f, ".{nanos:09}Z"),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.is_valid() {
            return Err(serde::ser::Error::custom("time outside years 1 to 9999"));
        }
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl de::Visitor<'_> for TextVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a time like `2025-11-10T20:05:00Z`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
        Timestamp::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same_text(text: &str, seconds: i64, nanos: i32) {
        let parsed = Timestamp::parse(text).unwrap();
        assert_eq!((parsed.seconds, parsed.nanos), (seconds, nanos));
        assert_eq!(parsed.to_string(), text);
    }

    #[test]
    fn prints_as_it_parses() {
        same_text("1970-01-01T00:00:00Z", 0, 0);
        same_text("2025-11-10T20:05:00Z", 1_762_805_100, 0);
        same_text("2024-02-29T23:59:59.120Z", 1_709_251_199, 120_000_000);
        same_text("1969-12-31T23:59:59.000001Z", -1, 1_000);
        same_text("0001-01-01T00:00:00Z", SECONDS_MIN, 0);
        same_text("9999-12-31T23:59:59.999999999Z", SECONDS_MAX, 999_999_999);
    }

    #[test]
    fn offsets_become_utc_and_short_fractions_are_filled() {
        let parsed = Timestamp::parse("2025-11-11T04:05:00.5+08:00").unwrap();
        assert_eq!(parsed.to_string(), "2025-11-10T20:05:00.500Z");
        assert_eq!(Timestamp::parse("2025-11-10T15:35:00-04:30").unwrap().to_string(), "2025-11-10T20:05:00Z");
    }

    #[test]
    fn anything_else_is_refused() {
        let wrong = [
            "",
            "2025-11-10",
            "2025-11-10T20:05:00",
            "2025-11-10 20:05:00Z",
            "2025-11-10t20:05:00z",
            "2025-11-10T20:05Z",
            "2025-11-10T24:00:00Z",
            "2025-11-10T20:60:00Z",
            "2025-11-10T23:59:60Z",
            "2025-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-00-01T00:00:00Z",
            "2025-11-00T00:00:00Z",
            "2025-11-10T20:05:00.Z",
            "2025-11-10T20:05:00.1234567890Z",
            "2025-11-10T20:05:00+08",
            "2025-11-10T20:05:00+0800",
            "2025-11-10T20:05:00+24:00",
            "2025-11-10T20:05:00ZZ",
            "+025-11-10T20:05:00Z",
            "0000-12-31T23:59:59Z",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-00:01",
            "２025-11-10T20:05:00Z",
        ];
        for text in wrong {
            assert_eq!(Timestamp::parse(text), None, "`{text}`");
        }
    }

    #[test]
    fn every_day_of_two_eras_is_its_own_inverse() {
        for days in -DAYS_PER_ERA..DAYS_PER_ERA {
            let (year, month, day) = civil_of(days);
            assert_eq!(days_of(year, month, day), days);
        }
    }

    #[test]
    fn milliseconds_are_cut_off_towards_the_past() {
        assert_eq!(Timestamp { seconds: -1, nanos: 999_999_999 }.to_millis(), Some(-1));
        assert_eq!(Timestamp::from_millis(-1), Timestamp { seconds: -1, nanos: 999_000_000 });
        assert_eq!(Timestamp { seconds: 0, nanos: -1 }.to_millis(), None);
        assert_eq!(Timestamp { seconds: SECONDS_MAX + 1, nanos: 0 }.to_millis(), None);
    }
}
