/// How a set writes numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decimal {
    /// Digits after the point that the integer keeps: 2 makes cents.
    pub(super) scale: u8,
    /// What stands before the fraction.
    pub(super) point: char,
    /// What may stand between groups of three digits.
    pub(super) thousands: Option<char>,
    /// Whether `1.00E+05` is a number.
    pub(super) exponent: bool,
}

impl Decimal {
    /// `text` × 10^scale, exactly. `None`: no such number, or it has no integer form.
    pub(super) fn read(&self, text: &str) -> Option<i64> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = self.split_exponent(text)?;
        let (whole, fraction) = mantissa.split_once(self.point).unwrap_or((mantissa, ""));
        let mut number = 0_i128;
        add_digits(&mut number, &self.without_thousands(whole)?)?;
        add_digits(&mut number, fraction)?;
        let places = i32::from(self.scale) + exponent - i32::try_from(fraction.len()).ok()?;
        let scaled = shift(number, places)?;
        i64::try_from(if negative { -scaled } else { scaled }).ok()
    }

    fn split_exponent<'t>(&self, text: &'t str) -> Option<(&'t str, i32)> {
        match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) if self.exponent => Some((mantissa, exponent.parse().ok()?)),
            Some(_) => None,
            None => Some((text, 0)),
        }
    }

    /// The digits before the point. Groups must be whole, or `1,5` would be taken for fifteen.
    fn without_thousands(&self, whole: &str) -> Option<String> {
        let Some(separator) = self.thousands else { return non_empty(whole) };
        let mut groups = whole.split(separator);
        let first = groups.next()?;
        let rest: Vec<&str> = groups.collect();
        let grouped = rest.is_empty() || (first.len() <= 3 && rest.iter().all(|group| group.len() == 3));
        if grouped { non_empty(first).map(|first| first + &rest.concat()) } else { None }
    }
}

fn non_empty(digits: &str) -> Option<String> {
    (!digits.is_empty()).then(|| digits.to_owned())
}

fn add_digits(number: &mut i128, digits: &str) -> Option<()> {
    for digit in digits.chars() {
        let digit = i128::from(digit.to_digit(10)?);
        *number = number.checked_mul(10)?.checked_add(digit)?;
    }
    Some(())
}

/// `number` × 10^places, if that is whole.
fn shift(number: i128, places: i32) -> Option<i128> {
    if number == 0 {
        return Some(0);
    }
    let power = 10_i128.checked_pow(places.unsigned_abs())?;
    if places >= 0 {
        return number.checked_mul(power);
    }
    (number % power == 0).then(|| number / power)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Decimal = Decimal { scale: 2, point: '.', thousands: None, exponent: false };

    #[test]
    fn numbers_become_minor_units_exactly() {
        let cases = [
            ("2.55", Some(255)),
            ("2.5", Some(250)),
            ("-0.01", Some(-1)),
            ("+7", Some(700)),
            ("2.", Some(200)),
            ("2.550", Some(255)),
            ("0.000", Some(0)),
            ("92233720368547758.07", Some(i64::MAX)),
            ("92233720368547758.08", None),
            ("-92233720368547758.08", Some(i64::MIN)),
            ("2.555", None),
            ("1,234.50", None),
            ("1E2", None),
            (".5", None),
            ("", None),
            ("-", None),
            ("--1", None),
            ("1 2", None),
            ("0x10", None),
            ("٣", None),
        ];
        for (text, expected) in cases {
            assert_eq!(PLAIN.read(text), expected, "`{text}`");
        }
    }

    #[test]
    fn thousands_are_taken_by_setting_and_only_in_whole_groups() {
        let english = Decimal { thousands: Some(','), ..PLAIN };
        let german = Decimal { point: ',', thousands: Some('.'), ..PLAIN };
        for (text, expected) in [("-1,234.50", Some(-123_450)), ("1234.5", Some(123_450)), ("1,5", None)] {
            assert_eq!(english.read(text), expected, "`{text}`");
        }
        assert_eq!(english.read("1234,567"), None);
        assert_eq!(english.read("1,234,5678"), None);
        assert_eq!(english.read(",123"), None);
        assert_eq!(german.read("1.234.567,8"), Some(123_456_780));
        assert_eq!(german.read("1,2.3"), None);
    }

    #[test]
    fn exponents_are_taken_by_setting_and_stay_exact() {
        let spreadsheet = Decimal { exponent: true, ..PLAIN };
        assert_eq!(spreadsheet.read("1.00E+05"), Some(10_000_000));
        assert_eq!(spreadsheet.read("-5e-1"), Some(-50));
        assert_eq!(spreadsheet.read("5e-3"), None);
        assert_eq!(spreadsheet.read("1E+99"), None);
        assert_eq!(spreadsheet.read("0E+99"), Some(0));
        assert_eq!(spreadsheet.read("1E+5E+5"), None);
    }
}
