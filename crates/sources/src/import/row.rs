use std::collections::BTreeMap;

use headroom_wire::{Timestamp, event_to_delimited, proto};

use super::kind::kind_of;
use super::report::Refused;
use crate::mapping::{Emit, Mapping, Precision, Refusal, Step, Value};

/// The contract's bound for ids.
const ID_BYTES_MAX: usize = 128;

/// An event, encoded, with the key that puts it in its place.
pub(super) struct Draft {
    pub(super) key: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

/// When and how exactly an account is first seen in a row.
#[derive(Clone, Copy)]
pub(super) struct First {
    pub(super) millis: i64,
    precision: Precision,
}

/// What one row (or one group of rows) makes.
#[derive(Default)]
pub(super) struct Made {
    pub(super) drafts: Vec<Draft>,
    /// By account.
    pub(super) firsts: BTreeMap<String, First>,
}

/// The first of `refusals` that a row meets.
pub(super) fn refuse(mapping: &Mapping, refusals: &[Refusal], row: &[Value]) -> Result<(), Refused> {
    for refusal in refusals {
        if mapping.evaluator.is_true(&refusal.when, row).map_err(Refused::not_computable)? {
            return Err(Refused::new(&refusal.reason, ""));
        }
    }
    Ok(())
}

/// All events of a row that consists of columns and sums; `number` is the row's place in the set.
pub(super) fn events_of(mapping: &Mapping, mut row: Vec<Value>, number: u64) -> Result<Made, Refused> {
    let mut made = Made::default();
    if mapping.steps.is_empty() {
        emit_all(mapping, &mut row, number, &mut made)?;
    }
    let columns = row.len();
    for (index, step) in mapping.steps.iter().enumerate() {
        row.truncate(columns);
        add_step(&mut row, step, index.checked_sub(1).map(|before| &mapping.steps[before]));
        emit_all(mapping, &mut row, number, &mut made)?;
    }
    if made.drafts.is_empty() { Err(Refused::new("NO_EVENT", "")) } else { Ok(made) }
}

fn add_step(row: &mut Vec<Value>, step: &Step, before: Option<&Step>) {
    let values: Vec<Value> = step.sources.iter().map(|place| row[*place].clone()).collect();
    let values_before: Vec<Value> = match before {
        Some(before) => before.sources.iter().map(|place| row[*place].clone()).collect(),
        None => vec![Value::Null; values.len()],
    };
    row.extend(values);
    row.extend(values_before);
    row.extend([Value::Int(step.at), Value::Text(step.period.clone()), Value::Bool(before.is_none())]);
}

fn emit_all(mapping: &Mapping, row: &mut Vec<Value>, number: u64, made: &mut Made) -> Result<(), Refused> {
    for computed in &mapping.lets {
        let value = mapping.evaluator.evaluate(computed, row).map_err(Refused::not_computable)?;
        row.push(value);
    }
    for emit in &mapping.emit {
        let wanted = match &emit.when {
            Some(when) => mapping.evaluator.is_true(when, row).map_err(Refused::not_computable)?,
            None => true,
        };
        if wanted {
            emit_one(mapping, emit, row, number, made)?;
        }
    }
    Ok(())
}

fn emit_one(mapping: &Mapping, emit: &Emit, row: &[Value], number: u64, made: &mut Made) -> Result<(), Refused> {
    let (place, precision) = emit.time.expect("checked: only `once_per_account` has none");
    let Value::Int(millis) = row[place] else {
        return Err(Refused::new("BAD_EVENT", "its time is empty"));
    };
    let first = First { millis, precision };
    let account = match &mapping.account {
        Some(account) => id(mapping.evaluator.text(account, row).map_err(Refused::not_computable)?)?,
        None => String::new(),
    };
    let event = event_of(mapping, emit, row, &account, first)?;
    made.drafts.push(draft(&event, millis, number, made.drafts.len() as u64));
    let known = made.firsts.entry(account).or_insert(first);
    if millis < known.millis {
        *known = first;
    }
    Ok(())
}

/// The events before the first of an account.
pub(super) fn openings(
    mapping: &Mapping,
    row: &[Value],
    account: &str,
    first: First,
) -> Result<Vec<proto::Event>, Refused> {
    let mut events = Vec::new();
    for emit in &mapping.once_per_account {
        let wanted = emit.when.as_ref().map_or(Ok(true), |when| mapping.evaluator.is_true(when, row));
        if wanted.map_err(Refused::not_computable)? {
            events.push(event_of(mapping, emit, row, account, first)?);
        }
    }
    Ok(events)
}

fn event_of(mapping: &Mapping, emit: &Emit, row: &[Value], account: &str, at: First) -> Result<proto::Event, Refused> {
    let mut event = emit.body.event(&mapping.evaluator, row).map_err(Refused::bad_event)?;
    event.event_id = id(mapping.evaluator.text(&emit.id, row).map_err(Refused::not_computable)?)?;
    event.source.clone_from(&mapping.id);
    event.account_id = account.to_owned();
    event.occurred_at = Some(Timestamp::from_millis(at.millis));
    event.provenance = emit.provenance.into();
    event.time_precision = at.precision.proto().into();
    Ok(event)
}

fn id(id: String) -> Result<String, Refused> {
    let allowed = (1..=ID_BYTES_MAX).contains(&id.len()) && !id.contains(char::is_control);
    if allowed { Ok(id) } else { Err(Refused::new("BAD_EVENT", format!("`{id}` is no id"))) }
}

/// Encodes the event under (time, kind rank, row, event of the row).
pub(super) fn draft(event: &proto::Event, millis: i64, number: u64, of_row: u64) -> Draft {
    let mut key = sortable(millis).to_vec();
    key.push(kind_of(event).1);
    key.extend(number.to_be_bytes());
    key.extend(of_row.to_be_bytes());
    let mut bytes = Vec::new();
    event_to_delimited(event, &mut bytes);
    Draft { key, bytes }
}

/// Bytes that compare as the number does.
pub(super) fn sortable(number: i64) -> [u8; 8] {
    (number.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sortable_bytes_compare_as_numbers() {
        let numbers = [i64::MIN, -1, 0, 1, i64::MAX];
        assert!(numbers.map(sortable).is_sorted());
    }
}
