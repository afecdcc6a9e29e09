//! When a line happens.

use headroom_engine::{DAY, Timestamp};
use headroom_policy::{Diagnostic, Span};

use super::clock::{Clock, local, span, time_of_day};
use super::line::Word;
use super::lists::Spread;

/// When a line happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum When {
    /// At the beginning of the scenario.
    Beginning,
    /// Once.
    At(Timestamp),
    /// Several times.
    Series(Vec<Timestamp>),
    /// Several times: so many milliseconds after the beginning of the scenario.
    AfterBeginning(Vec<i64>),
}

/// A line may happen so many times at most: a typing error must not fill the memory.
const SERIES_MAX: usize = 10_000;

/// Takes the time off the front of a line's words. `before` is the time of the line above.
pub fn take_time(clock: &Clock, words: &mut &[Word<'_>], before: Option<Timestamp>) -> Result<When, Diagnostic> {
    let Some(first) = words.first().copied() else { return Ok(When::Beginning) };
    if let Some(text) = first.text.strip_prefix('+') {
        *words = &words[1..];
        let moved = span(text).ok_or_else(|| wrong(first, "a span is written `15m`, `3h`, `2d` or `1d12h`"))?;
        let before = before.ok_or_else(|| wrong(first, "no line above has a time that this one could come after"))?;
        return Ok(When::At(before.plus(moved)));
    }
    if !first.text.starts_with(|letter: char| letter.is_ascii_digit()) {
        return Ok(When::Beginning);
    }
    *words = &words[1..];
    match first.text.split_once("..") {
        Some((from, to)) => series(clock, first, (from, to), words).map(When::Series),
        None => read(clock, first).map(When::At),
    }
}

/// When the events of a line with lists happen: as the line says, or one after the other from its time on.
pub fn spread(when: When, spread: Spread, line: Span) -> Result<When, Diagnostic> {
    let wrong = |message: String, help: &str| Err(Diagnostic::error("HR0402", message, line).help(help));
    let Some(values) = spread.values else { return Ok(when) };
    let offsets = |every: i64| (0..values).map(move |nth| i64::try_from(nth).unwrap_or(i64::MAX).saturating_mul(every));
    match (when, spread.every) {
        (When::Series(all), None) if all.len() == values => Ok(When::Series(all)),
        (When::Series(all), None) => {
            let help =
                "the list and the series need the same length; `_` leaves a moment out, `500x6` is six times `500`";
            wrong(format!("the list has {values} values for {} moments", all.len()), help)
        }
        (When::At(at), Some(every)) => Ok(When::Series(offsets(every).map(|offset| at.plus(offset)).collect())),
        (When::Beginning, Some(every)) => Ok(When::AfterBeginning(offsets(every).collect())),
        (When::At(_) | When::Beginning, None) => {
            wrong("a list of values needs its rhythm".to_owned(), "write it behind the list, like `every 30d`")
        }
        (When::Series(_) | When::AfterBeginning(_), Some(_)) | (When::AfterBeginning(_), None) => {
            wrong("the line says twice how often it happens".to_owned(), "leave `every` out behind a series")
        }
    }
}

/// A time, or a finding about its word.
pub fn read(clock: &Clock, word: Word<'_>) -> Result<Timestamp, Diagnostic> {
    clock.read(word.text).ok_or_else(|| wrong(word, "a time is written `2025-11-10T20:05` or `2025-11-10`"))
}

fn wrong(word: Word<'_>, help: &str) -> Diagnostic {
    Diagnostic::error("HR0402", format!("`{}` is no time", word.text), word.span()).help(help)
}

fn series(
    clock: &Clock,
    first: Word<'_>,
    (from, to): (&str, &str),
    words: &mut &[Word<'_>],
) -> Result<Vec<Timestamp>, Diagnostic> {
    let help = "a series is written `2025-10-06..2025-11-09 daily 12:00` or `2025-01-01..2025-12-31 every 30d 09:00`";
    let (Some(from), Some(to)) = (local(from), local(to)) else { return Err(wrong(first, help)) };
    let every = match words.first().map(|each| each.text) {
        Some("daily") => DAY,
        Some("every") => {
            *words = &words[1..];
            let word = *words.first().ok_or_else(|| wrong(first, help))?;
            span(word.text).filter(|each| *each > 0).ok_or_else(|| wrong(word, help))?
        }
        _ => return Err(wrong(first, help)),
    };
    *words = &words[1..];
    let time = words.first().and_then(|each| time_of_day(each.text));
    if time.is_some() {
        *words = &words[1..];
    }
    let last_day = to.div_euclid(DAY) * DAY == to;
    let end = if last_day { to.saturating_add(DAY - 1) } else { to };
    let start = from.saturating_add(time.unwrap_or(0));
    let steps = i64::try_from(SERIES_MAX).unwrap_or(i64::MAX);
    if start > end || (end - start) / every >= steps {
        return Err(wrong(first, "a series has one moment at least and 10000 at most"));
    }
    Ok((0..=(end - start) / every).map(|at| clock.zone().instant(start + at * every)).collect())
}
