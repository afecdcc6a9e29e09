//! Checks of single fields on the way in. Each failure names the field by its path in the contract.

use headroom_engine::{AMOUNT_MAX, Refusal, RefusalCode, Timestamp};
use headroom_policy::Currency;

/// The longest id, in bytes.
const ID_BYTES_MAX: usize = 128;
/// The longest remark of a person, in bytes.
const TEXT_BYTES_MAX: usize = 4096;
/// More than anybody is ever late; keeps sums of days small.
const DPD_MAX: i32 = 36_500;

/// An id that must be there.
pub fn id(field: &str, value: String) -> Result<String, Refusal> {
    if value.is_empty() {
        return Err(Refusal::new(RefusalCode::BadId, format!("`{field}` is missing")));
    }
    optional_id(field, value)
}

/// An id that may be empty.
pub fn optional_id(field: &str, value: String) -> Result<String, Refusal> {
    let problem = if value.len() > ID_BYTES_MAX {
        format!("`{field}` has {} bytes, at most {ID_BYTES_MAX} are taken", value.len())
    } else if has_control_characters(&value) {
        format!("`{field}` {value:?} contains control characters")
    } else {
        return Ok(value);
    };
    Err(Refusal::new(RefusalCode::BadId, problem))
}

/// Bytes first: nearly every id is ASCII.
fn has_control_characters(value: &str) -> bool {
    let plain = value.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    !plain && value.chars().any(char::is_control)
}

/// A remark that is kept for people only.
pub fn text(field: &str, value: &str) -> Result<(), Refusal> {
    if value.len() <= TEXT_BYTES_MAX {
        return Ok(());
    }
    let detail = format!("`{field}` has {} bytes, at most {TEXT_BYTES_MAX} are taken", value.len());
    Err(Refusal::new(RefusalCode::TooLarge, detail))
}

/// Money that is never negative, minor units.
pub fn money(field: &str, value: i64) -> Result<i64, Refusal> {
    range(field, value, 0)
}

/// Money that may be negative, minor units.
pub fn signed_money(field: &str, value: i64) -> Result<i64, Refusal> {
    range(field, value, -AMOUNT_MAX)
}

/// Money that may be missing.
pub fn optional_money(field: &str, value: Option<i64>) -> Result<Option<i64>, Refusal> {
    value.map(|value| money(field, value)).transpose()
}

fn range(field: &str, value: i64, min: i64) -> Result<i64, Refusal> {
    if (min..=AMOUNT_MAX).contains(&value) {
        return Ok(value);
    }
    let detail = format!("`{field}` is {value}, expected {min} to {AMOUNT_MAX} minor units");
    Err(Refusal::new(RefusalCode::AmountOutOfRange, detail))
}

/// Days past due.
pub fn dpd(field: &str, value: i32) -> Result<i32, Refusal> {
    if (0..=DPD_MAX).contains(&value) {
        return Ok(value);
    }
    let detail = format!("`{field}` is {value}, expected 0 to {DPD_MAX} days");
    Err(Refusal::new(RefusalCode::AmountOutOfRange, detail))
}

/// A time that must be there.
pub fn time(field: &str, value: Option<crate::Timestamp>) -> Result<Timestamp, Refusal> {
    let missing = || Refusal::new(RefusalCode::NoTime, format!("`{field}` is missing"));
    optional_time(field, value)?.ok_or_else(missing)
}

/// A time that may be missing.
pub fn optional_time(field: &str, value: Option<crate::Timestamp>) -> Result<Option<Timestamp>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let wrong = || Refusal::new(RefusalCode::NoTime, format!("`{field}` lies outside years 1 to 9999"));
    value.to_millis().map(|millis| Some(Timestamp(millis))).ok_or_else(wrong)
}

/// A currency that must be there.
pub fn currency(field: &str, value: &str) -> Result<Currency, Refusal> {
    value.parse().map_err(|error| Refusal::new(RefusalCode::WrongCurrency, format!("`{field}`: {error}")))
}

/// A word of a closed list that must be there. Contract numbers are the engine's positions plus one.
pub fn word<W>(field: &str, number: i32, from_index: fn(u8) -> Option<W>) -> Result<W, Refusal> {
    if number == 0 {
        return Err(Refusal::new(RefusalCode::UnknownWord, format!("`{field}` is missing")));
    }
    let index = number.checked_sub(1).and_then(|index| u8::try_from(index).ok());
    let unknown = || Refusal::new(RefusalCode::UnknownWord, format!("`{field}` has the unknown number {number}"));
    index.and_then(from_index).ok_or_else(unknown)
}

/// A word of a closed list, with what its absence means.
pub fn word_or<W>(field: &str, number: i32, from_index: fn(u8) -> Option<W>, missing: W) -> Result<W, Refusal> {
    if number == 0 { Ok(missing) } else { word(field, number, from_index) }
}

/// A message or choice that must be there.
pub fn present<T>(field: &str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| Refusal::new(RefusalCode::NoBody, format!("`{field}` is missing")))
}
