//! Wall-clock times of a zone: read, written, moved.

use headroom_engine::{DAY, HOUR, MINUTE, Timestamp, Zone};
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

/// A zone in which times are read and written.
#[derive(Clone, Debug)]
pub struct Clock {
    zone: Zone,
    offsets: TimeZone,
}

impl Clock {
    /// The clock of a zone.
    pub fn new(zone: Zone) -> Self {
        let offsets = TimeZone::get(zone.name()).unwrap_or(TimeZone::UTC);
        Self { zone, offsets }
    }

    /// The zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// `2025-11-10T20:05`, with seconds if need be, or a date: its first instant.
    pub fn read(&self, text: &str) -> Option<Timestamp> {
        Some(self.zone.instant(local(text)?))
    }

    /// As [`Self::read`] reads it: `2025-11-10T20:05`, seconds and milliseconds only where they are not 0.
    pub fn write(&self, at: Timestamp) -> String {
        let Ok(instant) = jiff::Timestamp::from_millisecond(at.0) else { return at.0.to_string() };
        let local = self.offsets.to_datetime(instant);
        let minutes = local.strftime("%Y-%m-%dT%H:%M");
        match (local.second(), local.millisecond()) {
            (0, 0) => format!("{minutes}"),
            (second, 0) => format!("{minutes}:{second:02}"),
            (second, millis) => format!("{minutes}:{second:02}.{millis:03}"),
        }
    }
}

/// Milliseconds on the wall clock since 1970.
pub(super) fn local(text: &str) -> Option<i64> {
    let moment = match text.parse::<Date>() {
        Ok(date) if !text.contains('T') => date.at(0, 0, 0, 0),
        _ => text.parse::<DateTime>().ok().filter(|_| text.contains('T') && !text.ends_with('Z'))?,
    };
    Offset::UTC.to_timestamp(moment).ok().map(jiff::Timestamp::as_millisecond)
}

/// `12:00`: milliseconds since midnight.
pub(super) fn time_of_day(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..24).contains(&hours) && (0..60).contains(&minutes)).then_some(hours * HOUR + minutes * MINUTE)
}

/// `3h`, `15m`, `30d`, `2d12h`: milliseconds.
pub(super) fn span(text: &str) -> Option<i64> {
    let mut total: i64 = 0;
    let mut number = String::new();
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            number.push(letter);
            continue;
        }
        let unit = match letter {
            'd' => DAY,
            'h' => HOUR,
            'm' => MINUTE,
            's' => 1_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    (number.is_empty() && !text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_they_are_read() {
        let clock = Clock::new(Zone::named("Asia/Shanghai").unwrap());
        for text in ["2025-11-10T20:05", "2025-11-10T00:00", "2025-11-10T20:05:07", "2025-11-10T20:05:07.250"] {
            assert_eq!(clock.write(clock.read(text).unwrap()), text);
        }
        assert_eq!(clock.read("2025-11-10"), clock.read("2025-11-10T00:00"));
        assert_eq!(clock.read("1970-01-01T08:00"), Some(Timestamp(0)));
        for text in ["2025-13-01", "2025-11-10T25:00", "noon", "2025-11-10T20:05Z", ""] {
            assert_eq!(clock.read(text), None, "{text}");
        }
    }

    #[test]
    fn spans_add_their_parts() {
        assert_eq!(span("2d12h"), Some(2 * DAY + 12 * HOUR));
        assert_eq!(span("15m"), Some(15 * MINUTE));
        assert_eq!([span(""), span("15"), span("h"), span("3w")], [None; 4]);
    }
}
