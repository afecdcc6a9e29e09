//! Numbers, money and dates as people read them.

use jiff::civil::Date;

/// Thousands apart: `2,400,000`.
pub fn count(value: impl Into<i128>) -> String {
    let value = value.into();
    let digits = value.unsigned_abs().to_string();
    let mut text = String::from(if value < 0 { "−" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three significant digits and a word for the rest: `2.4 M`.
pub fn short(value: f64) -> String {
    let size = value.abs();
    let (divisor, word) = match size {
        size if size >= 999.5e9 => (1e12, " tn"),
        size if size >= 999.5e6 => (1e9, " bn"),
        size if size >= 999.5e3 => (1e6, " M"),
        size if size >= 9_999.5 => (1e3, " k"),
        _ => (1.0, ""),
    };
    let scaled = value / divisor;
    let decimals = match scaled.abs() {
        scaled if scaled.fract() < 1e-9 || scaled >= 99.95 => 0,
        scaled if scaled >= 9.995 => 1,
        _ => 2,
    };
    format!("{}{word}", trimmed(&format!("{scaled:.decimals$}")))
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// Digits behind the point of a currency's major unit (ISO 4217).
fn decimals(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
        | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// Minor units as major ones, for drawing.
pub fn major(minor: i64, currency: &str) -> f64 {
    minor as f64 / 10_f64.powi(decimals(currency).cast_signed())
}

/// Minor units as major ones, exact: `1,234.56`.
pub fn money(minor: i64, currency: &str) -> String {
    let (decimals, unit) = (decimals(currency), 10_u64.pow(decimals(currency)));
    let (whole, rest) = (minor.unsigned_abs() / unit, minor.unsigned_abs() % unit);
    let sign = if minor < 0 { "−" } else { "" };
    match decimals {
        0 => format!("{sign}{}", count(whole)),
        _ => format!("{sign}{}.{rest:0width$}", count(whole), width = decimals as usize),
    }
}

/// A share in percent with one digit; `–` of nothing.
pub fn percent(part: i64, whole: i64) -> String {
    if whole <= 0 { "–".to_owned() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}

/// Microseconds in the unit that suits them.
pub fn duration(micros: u64) -> String {
    let micros_wide = micros as f64;
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{} ms", short(micros_wide / 1e3)),
        _ => format!("{} s", short(micros_wide / 1e6)),
    }
}

/// `29 Aug` of `2025-08-29`.
pub fn day_month(date: &str) -> String {
    date.parse::<Date>().map_or_else(|_| date.to_owned(), |date| date.strftime("%-d %b").to_string())
}

/// `29 August 2025` of `2025-08-29`.
pub fn full_date(date: &str) -> String {
    date.parse::<Date>().map_or_else(|_| date.to_owned(), |date| date.strftime("%-d %B %Y").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_money_have_their_thousands_apart() {
        assert_eq!([0, 999, 1_000, -1_234_567].map(|each: i64| count(each)), ["0", "999", "1,000", "−1,234,567"]);
        assert_eq!(money(123_456, "CNY"), "1,234.56");
        assert_eq!(money(-5, "CNY"), "−0.05");
        assert_eq!([money(1_234, "JPY"), money(1_234, "KWD")], ["1,234", "1.234"]);
    }

    #[test]
    fn short_numbers_keep_three_digits() {
        let texts = [0.0, 0.25, 950.0, 2_500.0, 12_345.0, 999_600.0, 1_500_000.0, 2e9, 3.2e12].map(short);
        assert_eq!(texts, ["0", "0.25", "950", "2500", "12.3 k", "1 M", "1.5 M", "2 bn", "3.2 tn"]);
    }

    #[test]
    fn durations_take_the_unit_that_suits_them() {
        assert_eq!([999, 1_500, 20_260, 3_000_000].map(duration), ["999 µs", "1.5 ms", "20.3 ms", "3 s"]);
    }

    #[test]
    fn dates_that_are_none_stay_as_they_are() {
        assert_eq!((day_month("2025-08-09"), full_date("2025-08-09")), ("9 Aug".into(), "9 August 2025".into()));
        assert_eq!(day_month("then"), "then");
    }
}
