use std::path::Path;

use headroom_wire::{event_from_protobuf, proto, split_delimited};

use super::kind::kind_of;
use super::opening::Openings;
use super::report::{ImportReport, ImportSettings, Progress, Refused, Stage};
use super::row::{events_of, openings, refuse};
use super::table::Table;
use crate::files::EventWriter;
use crate::mapping::{Group, Mapping, Value, decode_row, encode_row};
use crate::sort::{Sorted, Sorter};
use crate::{FileFormat, SourceError};

/// Rows or events between two calls of the progress function.
const PROGRESS_EVERY: u64 = 4096;
/// Groups, openings and events are sorted at the same time and share the memory.
const SORTERS: usize = 3;

/// Turns the set at `input` (CSV; `.gz` and `.zst` by name) into an event file at `output`, sorted by time, then by kind
/// (see the data notes), then by row. Each row is part of an event or refused with a reason. Memory is bounded by
/// `settings`; the output appears when it is complete.
///
/// # Errors
/// A file cannot be read or written, or the input lacks a column of the mapping. A bad row is no error.
pub fn import(
    mapping: &Mapping,
    input: &Path,
    output: &Path,
    settings: &ImportSettings,
    progress: &mut dyn FnMut(Progress),
) -> Result<ImportReport, SourceError> {
    FileFormat::of(output)?;
    let table = Table::open(mapping, input)?;
    let at = Progress { stage: Stage::Reading, rows: 0, events: 0, bytes_read: 0, bytes_total: table.bytes_total };
    let mut import = Import::new(mapping, settings, at, progress);
    import.read(table)?;
    import.write(output)
}

struct Import<'a> {
    mapping: &'a Mapping,
    report: ImportReport,
    groups: Sorter,
    openings: Openings,
    events: Sorter,
    at: Progress,
    progress: &'a mut dyn FnMut(Progress),
}

impl<'a> Import<'a> {
    fn new(
        mapping: &'a Mapping,
        settings: &ImportSettings,
        at: Progress,
        progress: &'a mut dyn FnMut(Progress),
    ) -> Import<'a> {
        let bytes_max = settings.sort_bytes_max / SORTERS;
        let sorter = || Sorter::new(bytes_max, &settings.temporary);
        let openings = Openings::new(bytes_max, &settings.temporary);
        let report = ImportReport::default();
        Import { mapping, report, groups: sorter(), openings, events: sorter(), at, progress }
    }

    fn read(&mut self, mut table: Table<'_>) -> Result<(), SourceError> {
        while let Some(row) = table.next()? {
            self.report.rows += 1;
            let number = self.report.rows;
            self.at.rows = number;
            self.at.bytes_read = table.bytes_read();
            if number.is_multiple_of(PROGRESS_EVERY) {
                (self.progress)(self.at);
            }
            self.take_row(row, number)?;
        }
        (self.progress)(self.at);
        if let Some(group) = &self.mapping.group { self.take_groups(group) } else { Ok(()) }
    }

    fn take_row(&mut self, row: Result<Vec<Value>, Refused>, number: u64) -> Result<(), SourceError> {
        let mapping = self.mapping;
        let row = row.and_then(|row| refuse(mapping, &mapping.refuse, &row).map(|()| row));
        match (row, &mapping.group) {
            (Err(refused), _) => {
                self.report.refuse(refused, number, 1);
                Ok(())
            }
            (Ok(row), None) => self.take(row, number, 1),
            (Ok(row), Some(group)) => self.add_to_group(group, row, number),
        }
    }

    /// Keeps columns and sums of the row for its group.
    fn add_to_group(&mut self, group: &Group, mut row: Vec<Value>, number: u64) -> Result<(), SourceError> {
        match group_key(self.mapping, group, &mut row, number) {
            Ok(key) => {
                let mut bytes = Vec::new();
                encode_row(&row, &mut bytes);
                self.groups.push(&key, &bytes)
            }
            Err(refused) => {
                self.report.refuse(refused, number, 1);
                Ok(())
            }
        }
    }

    fn take_groups(&mut self, group: &Group) -> Result<(), SourceError> {
        let empty = Sorter::new(0, Path::new(""));
        let mut rows = std::mem::replace(&mut self.groups, empty).finish()?;
        let mut open: Option<OpenGroup> = None;
        while let Some((key, bytes)) = rows.next()? {
            let row = decode_row(bytes);
            match &mut open {
                Some(open) if open.key == key_of(key) => open.add(&row, self.mapping.columns.len()),
                _ => {
                    if let Some(complete) = open.replace(OpenGroup::new(key, row)) {
                        self.take_group(group, complete)?;
                    }
                }
            }
        }
        open.map_or(Ok(()), |complete| self.take_group(group, complete))
    }

    fn take_group(&mut self, group: &Group, complete: OpenGroup) -> Result<(), SourceError> {
        let OpenGroup { number, rows, row, overflow, .. } = complete;
        let refused = if overflow {
            Err(Refused::not_computable("a sum of the group overflows".into()))
        } else {
            refuse(self.mapping, &group.refuse, &row)
        };
        match refused {
            Ok(()) => self.take(row, number, rows),
            Err(refused) => {
                self.report.refuse(refused, number, rows);
                Ok(())
            }
        }
    }

    /// Makes the events of `row`, which stands for `rows` rows of the set, the first of them `number`.
    fn take(&mut self, row: Vec<Value>, number: u64, rows: u64) -> Result<(), SourceError> {
        let mapping = self.mapping;
        let made = events_of(mapping, row.clone(), number).and_then(|made| {
            let opened = made.firsts.iter().map(|(account, first)| openings(mapping, &row, account, *first));
            let opened = opened.collect::<Result<Vec<_>, _>>()?;
            Ok((made, opened))
        });
        let (made, opened) = match made {
            Ok(made) => made,
            Err(refused) => {
                self.report.refuse(refused, number, rows);
                return Ok(());
            }
        };
        self.report.rows_used += rows;
        for draft in &made.drafts {
            self.events.push(&draft.key, &draft.bytes)?;
        }
        for ((account, first), events) in made.firsts.iter().zip(&opened) {
            self.openings.push(account, first.millis, number, events)?;
        }
        Ok(())
    }

    fn write(self, output: &Path) -> Result<ImportReport, SourceError> {
        let Import { mut report, openings, mut events, mut at, progress, .. } = self;
        openings.finish(|draft| events.push(&draft.key, &draft.bytes))?;
        let mut sorted = events.finish()?;
        let mut writer = EventWriter::create(output)?;
        at.stage = Stage::Writing;
        while let Some(event) = next_event(&mut sorted)? {
            writer.write(&event)?;
            *report.events.entry(kind_of(&event).0.to_owned()).or_default() += 1;
            at.events += 1;
            if at.events.is_multiple_of(PROGRESS_EVERY) {
                progress(at);
            }
        }
        writer.finish()?;
        progress(at);
        Ok(report)
    }
}

/// Rows of one group so far.
struct OpenGroup {
    key: Vec<u8>,
    /// The first row of the group.
    number: u64,
    rows: u64,
    /// Columns of the first row, then sums.
    row: Vec<Value>,
    overflow: bool,
}

impl OpenGroup {
    fn new(key: &[u8], row: Vec<Value>) -> OpenGroup {
        let number = key.last_chunk().expect("a key ends with its row");
        OpenGroup { key: key_of(key).to_vec(), number: u64::from_be_bytes(*number), rows: 1, row, overflow: false }
    }

    fn add(&mut self, row: &[Value], columns: usize) {
        self.rows += 1;
        for (sum, part) in self.row.iter_mut().zip(row).skip(columns) {
            let (Value::Int(sum), Value::Int(part)) = (sum, part) else { continue };
            match sum.checked_add(*part) {
                Some(total) => *sum = total,
                None => self.overflow = true,
            }
        }
    }
}

/// Adds the sums to the row. The key: group, then row, so that a group's rows come together in their order.
fn group_key(mapping: &Mapping, group: &Group, row: &mut Vec<Value>, number: u64) -> Result<Vec<u8>, Refused> {
    let sums = group.sums.iter().map(|sum| mapping.evaluator.int(sum, row)).collect::<Result<Vec<_>, _>>();
    let name = mapping.evaluator.text(&group.by, row).map_err(Refused::not_computable)?;
    row.extend(sums.map_err(Refused::not_computable)?.into_iter().map(Value::Int));
    let mut key = (name.len() as u64).to_be_bytes().to_vec();
    key.extend(name.as_bytes());
    key.extend(number.to_be_bytes());
    Ok(key)
}

/// The key without its row.
fn key_of(key: &[u8]) -> &[u8] {
    &key[..key.len() - size_of::<u64>()]
}

fn next_event(sorted: &mut Sorted) -> Result<Option<proto::Event>, SourceError> {
    Ok(sorted.next()?.map(|(_, bytes)| decoded(bytes)))
}

/// An event that this process encoded.
pub(super) fn decoded(bytes: &[u8]) -> proto::Event {
    let message = split_delimited(bytes).ok().flatten();
    let event = message.and_then(|(message, _)| event_from_protobuf(message).ok());
    event.expect("a sorter gives back what it was given")
}
