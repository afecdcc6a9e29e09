//! Durations and sizes as people write them: whole numbers with a unit.

use std::time::Duration;

/// Units of time in milliseconds, the largest first.
const TIMES: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
/// Units of memory in bytes, the largest first.
const SIZES: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// `"90d"`, `"250ms"`. `None`: no such text, or more than 2^64 ms.
pub fn duration(text: &str) -> Option<Duration> {
    read(text, &TIMES).map(Duration::from_millis)
}

/// `"16MiB"`, in bytes. `None`: no such text, or more than 2^64 bytes.
pub fn size(text: &str) -> Option<u64> {
    read(text, &SIZES)
}

/// In the largest unit that leaves no rest; parts of a millisecond are dropped.
pub fn duration_text(value: Duration) -> String {
    let millis = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 { "0s".to_owned() } else { write(millis, &TIMES) }
}

/// In the largest unit that leaves no rest.
pub fn size_text(bytes: u64) -> String {
    if bytes == 0 { "0B".to_owned() } else { write(bytes, &SIZES) }
}

fn read(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn write(value: u64, units: &[(&str, u64)]) -> String {
    let fits = units.iter().find(|(_, factor)| value.is_multiple_of(*factor));
    let (name, factor) = fits.expect("the last unit is 1");
    format!("{}{name}", value / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["250ms", "5s", "1500ms", "1m", "90d", "36h"] {
            assert_eq!(duration(text).map(duration_text).as_deref(), Some(text));
        }
        for text in ["1B", "1500B", "16MiB", "3GiB", "1TiB"] {
            assert_eq!(size(text).map(size_text).as_deref(), Some(text));
        }
        assert_eq!(duration("60 s").map(duration_text).as_deref(), Some("1m"));
        assert_eq!((duration("0d").map(duration_text).as_deref(), size_text(0).as_str()), (Some("0s"), "0B"));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "5", "s", "5 weeks", "-5s", "1.5s", "1h30m", "99999999999999999999s", "213503982335d"] {
            assert_eq!(duration(text), None, "{text}");
        }
        for text in ["16", "16MB", "16mib", "1e3B", "99999999TiB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
