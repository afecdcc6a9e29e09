//! Amounts: decimals with two digits after the point, `_` between digits.

/// Minor units of `1_200.50`, `0`, `-3.00`; `None` for anything else.
pub fn read_money(text: &str) -> Option<i64> {
    let plain = text.replace('_', "");
    let (sign, digits) = plain.strip_prefix('-').map_or((1, plain.as_str()), |rest| (-1, rest));
    let (whole, cents) = match digits.split_once('.') {
        Some((whole, cents)) if cents.len() == 2 => (whole, cents),
        Some(_) => return None,
        None => (digits, "00"),
    };
    let number = |text: &str| (!text.is_empty() && text.bytes().all(|each| each.is_ascii_digit())).then_some(());
    number(whole)?;
    number(cents)?;
    let units = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(cents.parse().ok()?)?;
    Some(sign * units)
}

/// Minor units as scenarios write them: `1_200.50`, and plain `0`.
pub fn write_money(amount: i64) -> String {
    if amount == 0 {
        return "0".to_owned();
    }
    let units = amount.unsigned_abs();
    let whole = (units / 100).to_string();
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{grouped}.{:02}", units % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_they_are_read() {
        for (text, amount) in
            [("0", 0), ("0.05", 5), ("1_000.00", 100_000), ("800_000.00", 80_000_000), ("-12.30", -1_230)]
        {
            assert_eq!((read_money(text), write_money(amount)), (Some(amount), text.to_owned()));
        }
        assert_eq!(read_money("5000"), Some(500_000));
        assert_eq!([read_money("1.5"), read_money(""), read_money("x"), read_money("1.-5")], [None; 4]);
        assert_eq!(read_money("99999999999999999999"), None);
    }
}
