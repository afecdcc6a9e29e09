//! Reads a page of outputs from where a cursor stands.

use std::collections::VecDeque;

use headroom_store::{OutputKind, Reader, StoreError};
use headroom_wire::proto::output::Body;
use headroom_wire::{output_from_protobuf, output_to_json};

use super::cursor::Cursor;
use super::failure::{Answered, Failure};
use crate::service::Service;

/// Rows that are read at a time: bounds what is held beside the page, dead letters of 64 KiB in mind.
pub const ROWS_MAX: usize = 128;
/// Bytes of a page, the last item apart: dead letters carry up to 64 KiB each.
pub const BYTES_MAX: usize = 8 << 20;

/// Which outputs, and how many of them.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Of which kind.
    pub kind: OutputKind,
    /// Of which account alone.
    pub account: Option<String>,
    /// At most so many.
    pub limit: usize,
    /// As JSON at most so many bytes, the last one apart.
    pub bytes: usize,
}

/// One output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Its shard.
    pub shard: u32,
    /// Its place among the shard's outputs.
    pub sequence: u64,
    /// An `Output` as JSON.
    pub json: Vec<u8>,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// In order within each shard, and so within each account.
    pub items: Vec<Item>,
    /// Where to read on.
    pub cursor: Cursor,
    /// There may be more at once.
    pub more: bool,
}

/// Outputs with their sequences, as they were committed.
type Rows = Vec<(u64, Vec<u8>)>;

/// Before the oldest output that is kept.
///
/// # Errors
/// What the store says.
pub fn oldest(service: &Service) -> Answered<Cursor> {
    of_shards(service, Reader::outputs_start)
}

/// After the newest output.
///
/// # Errors
/// What the store says.
pub fn newest(service: &Service) -> Answered<Cursor> {
    of_shards(service, Reader::outputs_count)
}

/// Of a shard that another node has the cursor knows nothing: it stands at its first output.
fn of_shards(service: &Service, at: impl Fn(&Reader) -> Result<u64, StoreError>) -> Answered<Cursor> {
    let next = (0..service.shards()).map(|shard| service.reader(shard).map_or(Ok(0), |reader| at(&reader)));
    Ok(Cursor::at(next.collect::<Result<_, _>>()?))
}

/// Reads on. Blocks.
///
/// # Errors
/// HR0517 where the cursor lies below what is kept, HR0516 where it lies ahead of what there is; what the store says.
pub fn read(service: &Service, wanted: &Wanted, from: &Cursor) -> Answered<Page> {
    let mut page = Page { items: Vec::new(), cursor: from.clone(), more: false };
    let mut open = shards(service, wanted, from.turn);
    let share = wanted.limit.div_ceil(open.len()).clamp(1, ROWS_MAX);
    let mut bytes = 0;
    // Shards take turns, each with its share, until the page is full or none has more.
    while let Some(shard) = open.pop_front() {
        page.cursor.turn = shard;
        let room = share.min(wanted.limit - page.items.len());
        if room == 0 || bytes >= wanted.bytes {
            page.more = true;
            break;
        }
        let all = part(service, wanted, shard, room, &mut page, &mut bytes)?;
        if !all {
            open.push_back(shard);
        }
    }
    Ok(page)
}

/// Those that can hold what is wanted, the one whose turn it is first.
fn shards(service: &Service, wanted: &Wanted, turn: u32) -> VecDeque<u32> {
    match &wanted.account {
        Some(account) => [service.shard_of(account)].into(),
        None => (turn..service.shards()).chain(0..turn).collect(),
    }
}

/// Adds what one shard has; true: it has no more.
fn part(
    service: &Service,
    wanted: &Wanted,
    shard: u32,
    room: usize,
    page: &mut Page,
    bytes: &mut usize,
) -> Answered<bool> {
    // What another node has is read there.
    let Ok(reader) = service.reader(shard) else { return Ok(true) };
    let next = &mut page.cursor.next[shard as usize];
    // Taken before the rows: what is committed in between is read the next time.
    let end = reader.outputs_count()?;
    if *next > end {
        return Err(Failure::bad_cursor("it lies ahead of the outputs of this data directory"));
    }
    let rows = match &wanted.account {
        Some(account) => rows_of_account(&reader, account, wanted.kind, *next, room)?,
        None => reader.outputs_of_kind(wanted.kind, *next, room)?,
    };
    // Asked after the rows: outputs may be trimmed while they are read.
    let start = reader.outputs_start()?;
    if *next < start {
        return Err(Failure::trimmed(shard, *next, start));
    }
    let all = rows.len() < room;
    for (sequence, stored) in rows {
        let json = json(&stored)?;
        *bytes += json.len();
        *next = sequence + 1;
        page.items.push(Item { shard, sequence, json });
        if *bytes >= wanted.bytes {
            return Ok(false);
        }
    }
    if all {
        // Beyond outputs of other kinds too, so that a reader of a rare kind does not fall below what is kept.
        *next = end.max(*next);
    }
    Ok(all)
}

/// The oldest outputs of an account and kind from a sequence on. The index of accounts has the newest first.
fn rows_of_account(reader: &Reader, account: &str, kind: OutputKind, from: u64, room: usize) -> Answered<Rows> {
    let (mut found, mut before) = (VecDeque::new(), None);
    loop {
        let rows = reader.account_outputs(account, before, ROWS_MAX)?;
        before = rows.last().map(|(sequence, _)| *sequence);
        let last = rows.len() < ROWS_MAX || before.is_none_or(|before| before <= from);
        for (sequence, stored) in rows.into_iter().filter(|(sequence, _)| *sequence >= from) {
            if is_of(&stored, kind)? {
                found.push_front((sequence, stored));
                found.truncate(room);
            }
        }
        if last {
            return Ok(found.into());
        }
    }
}

fn is_of(stored: &[u8], kind: OutputKind) -> Answered<bool> {
    let output = output_from_protobuf(stored).map_err(Failure::unreadable)?;
    Ok(match output.body {
        Some(Body::LimitChange(_)) => kind == OutputKind::LimitChange,
        Some(Body::Offer(_)) => kind == OutputKind::Offer,
        Some(Body::Notice(_)) => kind == OutputKind::Notice,
        Some(Body::Review(_)) => kind == OutputKind::Review,
        Some(Body::DeadLetter(_)) => kind == OutputKind::DeadLetter,
        None => false,
    })
}

/// A stored output as JSON.
///
/// # Errors
/// It cannot be read, or has no JSON form.
pub fn json(stored: &[u8]) -> Answered<Vec<u8>> {
    let output = output_from_protobuf(stored).map_err(Failure::unreadable)?;
    let mut json = Vec::new();
    output_to_json(&output, &mut json).map_err(Failure::unreadable)?;
    Ok(json)
}
