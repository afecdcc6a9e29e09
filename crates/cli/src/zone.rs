//! Moments in the time zone that was asked for.

use headroom_engine::Timestamp;
use jiff::tz::TimeZone;

/// Reads the name of an IANA time zone.
pub fn parse(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|error| error.to_string())
}

/// RFC 3339; `-` for what no calendar has.
pub fn time(at: Option<Timestamp>, zone: &TimeZone) -> String {
    let Some(at) = moment(at) else { return "-".to_owned() };
    match *zone == TimeZone::UTC {
        true => at.to_string(),
        false => at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
    }
}

/// To the minute, where the zone is told elsewhere: `2025-11-10 20:05`.
pub fn minute(at: Timestamp, zone: &TimeZone) -> String {
    let Some(at) = moment(Some(at)) else { return "-".to_owned() };
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

fn moment(at: Option<Timestamp>) -> Option<jiff::Timestamp> {
    at.and_then(|at| jiff::Timestamp::from_millisecond(at.0).ok())
}
