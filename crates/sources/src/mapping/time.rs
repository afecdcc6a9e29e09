use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;

use super::column::Precision;

/// How a set writes times.
#[derive(Debug, Clone)]
pub(super) struct TimeFormat {
    /// As `strptime` takes it.
    pub(super) format: String,
    /// Where times without an offset are local. Times that a clock change skips are taken as before it (later by the
    /// gap), times that it repeats as the first of the two.
    pub(super) zone: TimeZone,
    pub(super) precision: Precision,
}

impl TimeFormat {
    /// What is wrong with the format, tried on a day.
    pub(super) fn flaw(&self) -> Option<String> {
        let sample = date(2011, 12, 9).at(9, 15, 0, 0).to_zoned(self.zone.clone()).ok()?;
        let text = match strtime::format(&self.format, &sample) {
            Ok(text) => text,
            Err(error) => return Some(error.to_string()),
        };
        let lacks = format!("does not hold a {}", self.precision.name());
        self.read(&text).is_none().then_some(lacks)
    }

    /// Milliseconds since 1970. Days and months stand at their last millisecond, so that nothing is known too early.
    pub(super) fn read(&self, text: &str) -> Option<i64> {
        let mut parsed = BrokenDownTime::parse(&self.format, text).ok()?;
        match self.precision {
            Precision::Second => self.moment(&parsed),
            Precision::Day => self.end_before(parsed.to_date().ok()?.tomorrow().ok()?),
            Precision::Month => {
                parsed.set_day(Some(1)).ok()?;
                self.end_before(parsed.to_date().ok()?.checked_add(1.month()).ok()?)
            }
        }
    }

    fn moment(&self, parsed: &BrokenDownTime) -> Option<i64> {
        if parsed.offset().is_some() || parsed.timestamp().is_some() {
            return parsed.to_timestamp().ok().map(Timestamp::as_millisecond);
        }
        let local = parsed.to_datetime().ok()?;
        Some(local.to_zoned(self.zone.clone()).ok()?.timestamp().as_millisecond())
    }

    fn end_before(&self, day: Date) -> Option<i64> {
        Some(day.to_zoned(self.zone.clone()).ok()?.timestamp().as_millisecond() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(format: &str, zone: &str, precision: Precision) -> TimeFormat {
        TimeFormat { format: format.into(), zone: TimeZone::get(zone).unwrap(), precision }
    }

    #[track_caller]
    fn reads(how: &TimeFormat, text: &str, expected: &str) {
        let millis = how.read(text).unwrap();
        assert_eq!(Timestamp::from_millisecond(millis).unwrap().to_string(), expected);
    }

    #[test]
    fn local_times_follow_the_zone() {
        let london = format("%Y-%m-%d %H:%M:%S", "Europe/London", Precision::Second);
        reads(&london, "2011-01-18 10:01:00", "2011-01-18T10:01:00Z");
        reads(&london, "2011-07-18 10:01:00", "2011-07-18T09:01:00Z");
        reads(&london, "2011-10-30 01:30:00", "2011-10-30T00:30:00Z");
        reads(&london, "2011-03-27 01:30:00", "2011-03-27T01:30:00Z");
        for wrong in ["2011-02-29 10:00:00", "2011-01-18 10:01", "2011-01-18 10:01:00 x", ""] {
            assert_eq!(london.read(wrong), None, "`{wrong}`");
        }
    }

    #[test]
    fn days_and_months_stand_at_their_end() {
        let month = format("%Y-%m", "Asia/Taipei", Precision::Month);
        reads(&month, "2005-04", "2005-04-30T15:59:59.999Z");
        reads(&month, "2005-12", "2005-12-31T15:59:59.999Z");
        let day = format("%d.%m.%Y", "America/Sao_Paulo", Precision::Day);
        reads(&day, "14.10.2017", "2017-10-15T02:59:59.999Z");
    }

    #[test]
    fn an_offset_in_the_text_wins_over_the_zone() {
        let with_offset = format("%Y-%m-%dT%H:%M:%S%:z", "Asia/Taipei", Precision::Second);
        reads(&with_offset, "2011-01-18T10:01:00+01:00", "2011-01-18T09:01:00Z");
        reads(&format("%s", "Asia/Taipei", Precision::Second), "1300000000", "2011-03-13T07:06:40Z");
    }

    #[test]
    fn a_format_that_cannot_hold_its_precision_is_named() {
        assert_eq!(format("%Y-%m", "UTC", Precision::Month).flaw(), None);
        assert_eq!(format("%Y-%m", "UTC", Precision::Day).flaw().unwrap(), "does not hold a day");
        assert!(format("%Y-%!", "UTC", Precision::Day).flaw().is_some());
    }
}
