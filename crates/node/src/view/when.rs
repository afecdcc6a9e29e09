//! Instants, days and months as people and machines read them.

use headroom_engine::{DAY, Timestamp};

use super::Item;

/// RFC 3339 in UTC; null for the beginning of time, which stands for "never".
pub fn instant(at: Timestamp) -> Item {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(time) if at.0 != 0 => time.to_string().into(),
        _ => Item::Null,
    }
}

/// As [`instant`], where there may be none.
pub fn maybe(at: Option<Timestamp>) -> Item {
    at.map_or(Item::Null, instant)
}

/// A calendar day, from days since 1970: `2025-11-10`.
pub fn day(day: i32) -> Item {
    let midnight = jiff::Timestamp::from_millisecond(i64::from(day).saturating_mul(DAY));
    midnight.map_or(Item::Null, |time| time.to_string().chars().take(10).collect::<String>().into())
}

/// A calendar month, from months since year 0: `2025-11`.
pub fn month(month: i32) -> Item {
    format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1).into()
}

/// Milliseconds, in the largest unit that fits: `15m`, `3h`, `30d`.
pub fn span(millis: i64) -> String {
    const UNITS: [(i64, &str); 5] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let fits = UNITS.into_iter().find(|(unit, _)| millis != 0 && millis % unit == 0);
    fits.map_or_else(|| "0".to_owned(), |(unit, name)| format!("{}{name}", millis / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months_follow_the_calendar() {
        assert_eq!(instant(Timestamp(1_762_776_300_000)), "2025-11-10T12:05:00Z".into());
        assert_eq!(instant(Timestamp(0)), Item::Null);
        assert_eq!((day(0), day(-1)), ("1970-01-01".into(), "1969-12-31".into()));
        assert_eq!((month(2025 * 12 + 10), month(1970 * 12)), ("2025-11".into(), "1970-01".into()));
    }

    #[test]
    fn spans_have_one_unit() {
        let texts = [0, 900_000, 10_800_000, 2_592_000_000, 1_500].map(span);
        assert_eq!(texts, ["0", "15m", "3h", "30d", "1500ms"]);
    }
}
