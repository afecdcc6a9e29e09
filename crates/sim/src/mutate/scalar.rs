//! Values one step away from a value, in the step of what it is.

/// One step up and down of a whole number, an amount of money, a duration; the other truth value. Else nothing.
pub fn neighbours(text: &str) -> Vec<String> {
    let text = text.trim();
    match text {
        "true" => return vec!["false".to_owned()],
        "false" => return vec!["true".to_owned()],
        _ => {}
    }
    if let Some(unit) = text.chars().last().filter(|unit| "mhd".contains(*unit)) {
        let around = whole(&text[..text.len() - 1]).map(|count| around(count, 0, |each| format!("{each}{unit}")));
        return around.unwrap_or_default();
    }
    match text.split_once('.') {
        None => whole(text).map(|count| around(count, i64::MIN, |each| each.to_string())).unwrap_or_default(),
        Some((units, cents)) if cents.len() == 2 => {
            let minor = whole(&format!("{}{cents}", units.replace('_', "")));
            minor.map(|minor| around(minor, i64::MIN, money)).unwrap_or_default()
        }
        Some(_) => Vec::new(),
    }
}

/// A time moved by one step of its unit, and counted from elsewhere: `promotion.end + 24h`, `cured + 30d`.
pub fn time_neighbours(text: &str) -> Vec<String> {
    const BASES: [&str; 5] = ["promotion.start", "promotion.end", "holiday.end", "now", "cured"];
    let at = text.find([' ', '+', '-']).unwrap_or(text.len());
    let (base, rest) = (&text[..at], text[at..].trim());
    if !BASES.contains(&base) {
        return Vec::new();
    }
    let elsewhere = if base == "now" { "promotion.end" } else { "now" };
    let mut found = Vec::new();
    match rest.split_at_checked(1) {
        Some((sign, length)) => {
            found.extend(neighbours(length).into_iter().map(|each| format!("{base} {sign} {each}")));
            found.push(format!("{elsewhere} {sign} {}", length.trim()));
        }
        None => {
            found.push(format!("{base} + 1d"));
            found.push(format!("{elsewhere} + 1d"));
        }
    }
    found
}

fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.starts_with(|c: char| c.is_ascii_digit());
    let fine = plain && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    fine.then(|| text.replace('_', "").parse().ok())?
}

fn around(value: i64, least: i64, write: impl Fn(i64) -> String) -> Vec<String> {
    let beside = [value.checked_sub(1), value.checked_add(1)];
    beside.into_iter().flatten().filter(|each| *each >= least).map(write).collect()
}

fn money(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", minor.abs() / 100, minor.abs() % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_those_of_the_unit() {
        assert_eq!(neighbours("20"), ["19", "21"]);
        assert_eq!(neighbours("10_000.00"), ["9999.99", "10000.01"]);
        assert_eq!(neighbours("30d"), ["29d", "31d"]);
        assert_eq!(neighbours("0d"), ["1d"]);
        assert_eq!(neighbours("true"), ["false"]);
        assert!(
            neighbours("limit.base").is_empty() && neighbours("watch").is_empty() && neighbours("order").is_empty()
        );
    }

    #[test]
    fn times_move_and_are_counted_from_elsewhere() {
        assert_eq!(time_neighbours("promotion.end + 24h"), ["promotion.end + 23h", "promotion.end + 25h", "now + 24h"]);
        assert_eq!(time_neighbours("cured"), ["cured + 1d", "now + 1d"]);
        assert_eq!(time_neighbours("now + 30d"), ["now + 29d", "now + 31d", "promotion.end + 30d"]);
        assert!(time_neighbours("24h").is_empty() && time_neighbours("repay").is_empty());
    }
}
