//! Writes protobuf fields in ascending order, zero and empty ones left out: one value has one form.

use headroom_engine::{HOUR, Timestamp};

use super::account_form::Part;

const VARINT: u32 = 0;
const BYTES: u32 = 2;
const SECOND: i64 = 1_000;

/// Fields of one message.
pub struct Put<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Put<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Put<'a> {
        Put { out }
    }

    /// A number that is 0 or more.
    pub fn unsigned(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.key(field, VARINT);
            varint(self.out, value);
        }
    }

    /// A number of either sign.
    pub fn signed(&mut self, field: u32, value: i64) {
        self.unsigned(field, zigzag(value));
    }

    /// A text.
    pub fn text(&mut self, field: u32, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    /// Bytes of any meaning.
    pub fn bytes(&mut self, field: u32, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.key(field, BYTES);
            varint(self.out, bytes.len() as u64);
            self.out.extend_from_slice(bytes);
        }
    }

    /// Hashes, eight bytes each.
    pub fn hashes(&mut self, field: u32, hashes: impl Iterator<Item = u64>) {
        let before = self.out.len();
        self.key(field, BYTES);
        let start = self.out.len();
        hashes.for_each(|hash| self.out.extend_from_slice(&hash.to_le_bytes()));
        if self.out.len() == start {
            self.out.truncate(before);
        } else {
            self.insert_length(start);
        }
    }

    /// Numbers; returns the parts that are present among them.
    pub fn row(&mut self, field: u32, clock: Timestamp, fill: impl FnOnce(&mut Row<'_>)) -> u64 {
        self.key(field, BYTES);
        let start = self.out.len();
        let mut row = Row { out: self.out, clock, texts: 0, present: 0 };
        fill(&mut row);
        let present = row.present;
        self.insert_length(start);
        present
    }

    /// Moves what was written since `start` up by the few bytes of its length.
    fn insert_length(&mut self, start: usize) {
        let end = self.out.len();
        varint(self.out, (end - start) as u64);
        let prefix = self.out.len() - end;
        let mut length = [0; 10];
        length[..prefix].copy_from_slice(&self.out[end..]);
        self.out.copy_within(start..end, start + prefix);
        self.out[start..start + prefix].copy_from_slice(&length[..prefix]);
    }

    fn key(&mut self, field: u32, kind: u32) {
        varint(self.out, u64::from(field << 3 | kind));
    }
}

/// Numbers one after the other.
pub struct Row<'a> {
    out: &'a mut Vec<u8>,
    clock: Timestamp,
    texts: u64,
    present: u64,
}

impl Row<'_> {
    /// What moments and dates are told from.
    pub fn clock(&self) -> Timestamp {
        self.clock
    }

    /// Sets it.
    pub fn told_from(&mut self, clock: Timestamp) {
        self.clock = clock;
    }

    /// Notes whether a part follows.
    pub fn has(&mut self, part: Part, present: bool) -> bool {
        self.present |= u64::from(present) << part as u8;
        present
    }

    /// A number that is never below 0 in practice: if it is, it takes ten bytes.
    #[inline]
    pub fn amount(&mut self, value: i64) -> &mut Self {
        self.count(value.cast_unsigned())
    }

    /// A number that is 0 or more.
    #[inline]
    pub fn count(&mut self, value: impl Into<u64>) -> &mut Self {
        varint(self.out, value.into());
        self
    }

    /// A number of either sign.
    #[inline]
    pub fn number(&mut self, value: impl Into<i64>) -> &mut Self {
        self.count(zigzag(value.into()))
    }

    /// A day, told from the clock's.
    pub fn day(&mut self, day: i32) -> &mut Self {
        let today = super::account_form::today(self.clock);
        self.number(i64::from(today) - i64::from(day))
    }

    /// A number that may be missing.
    pub fn optional(&mut self, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => self.count(1_u8).number(value),
            None => self.count(0_u8),
        }
    }

    /// A moment, told from the clock: in whole seconds or hours if it is whole.
    pub fn time(&mut self, at: Timestamp) -> &mut Self {
        if at.0 % SECOND != 0 {
            return self.milliseconds(at);
        }
        if at.0 % HOUR == 0 {
            return self.count(zigzag(self.clock.0.div_euclid(HOUR) - at.0 / HOUR) << 2 | 0b10);
        }
        self.count(zigzag(self.clock.0.div_euclid(SECOND) - at.0 / SECOND) << 1 | 1)
    }

    /// Wraps, so that every moment comes back as it was.
    fn milliseconds(&mut self, at: Timestamp) -> &mut Self {
        let distance = zigzag(self.clock.0.wrapping_sub(at.0));
        if distance >> 62 == 0 { self.count(distance << 2) } else { self.count(u64::MAX).count(distance) }
    }

    /// A moment that may be missing.
    pub fn optional_time(&mut self, at: Option<Timestamp>) -> &mut Self {
        match at {
            Some(at) => self.count(1_u8).time(at),
            None => self.count(0_u8),
        }
    }

    /// Those that are not missing; something before them says which.
    pub fn times(&mut self, times: &[Option<Timestamp>]) -> &mut Self {
        times.iter().flatten().fold(self, |row, at| row.time(*at))
    }

    /// Those that are not 0; something before them says which.
    pub fn amounts_but_zeros(&mut self, amounts: &[i64]) -> &mut Self {
        amounts.iter().filter(|each| **each != 0).fold(self, |row, each| row.amount(*each))
    }

    /// Refers to a text, which the caller has written in the same order.
    pub fn text(&mut self, text: &str) -> &mut Self {
        if text.is_empty() {
            return self.count(0_u8);
        }
        self.texts += 1;
        self.count(self.texts)
    }

    /// A part that is a moment.
    pub fn time_part(&mut self, part: Part, at: Option<Timestamp>) {
        if let Some(at) = at.filter(|_| self.has(part, true)) {
            self.time(at);
        }
    }

    /// A part that is a number and is left out if it is 0.
    pub fn count_part(&mut self, part: Part, value: impl Into<u64>) {
        let value = value.into();
        if self.has(part, value != 0) {
            self.count(value);
        }
    }

    /// A part that is a table: the number of rows, then row after row. `fill` is called with each row and the one
    /// before it.
    pub fn table<T>(&mut self, part: Part, rows: &[T], mut fill: impl FnMut(&mut Self, &T, Option<&T>)) {
        if !self.has(part, !rows.is_empty()) {
            return;
        }
        self.count(rows.len() as u64);
        let mut before = None;
        for each in rows {
            fill(self, each, before);
            before = Some(each);
        }
    }
}

/// How far a running date lies behind the one that would follow; dates ascend, so it is small.
pub fn step(date: i32, before: i32) -> u64 {
    u64::from(date.wrapping_sub(before).wrapping_sub(1).cast_unsigned())
}

/// Bits from the lowest on.
pub fn bits<const N: usize>(bits: [bool; N]) -> u64 {
    bits.iter().rev().fold(0, |all, bit| all << 1 | u64::from(*bit))
}

/// 0 for nothing, 1 for false, 2 for true.
pub fn answer(answer: Option<bool>) -> u64 {
    answer.map_or(0, |yes| 1 + u64::from(yes))
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

/// Written as a whole: a check for room after every byte would cost more than the bytes.
#[inline]
fn varint(out: &mut Vec<u8>, value: u64) {
    match value {
        0..0x80 => out.push(low_byte(value)),
        0x80..SEVEN_TIMES_EIGHT => {
            let end = out.len() + value.ilog2() as usize / 7 + 1;
            let continued = ((1 << (8 * (value.ilog2() / 7))) - 1) & 0x8080_8080_8080_8080;
            out.extend_from_slice(&(in_sevens(value) | continued).to_le_bytes());
            out.truncate(end);
        }
        _ => long_varint(out, value),
    }
}

/// Values below have up to eight groups of seven bits.
const SEVEN_TIMES_EIGHT: u64 = 1 << 56;

/// Each group of seven bits in a byte of its own.
#[inline]
fn in_sevens(value: u64) -> u64 {
    let halves = value & 0x0fff_ffff | (value & 0x00ff_ffff_f000_0000) << 4;
    let quarters = halves & 0x0000_3fff_0000_3fff | (halves & 0x0fff_c000_0fff_c000) << 2;
    quarters & 0x007f_007f_007f_007f | (quarters & 0x3f80_3f80_3f80_3f80) << 1
}

#[cold]
fn long_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(low_byte(value) | 0x80);
        value >>= 7;
    }
    out.push(low_byte(value));
}

#[expect(clippy::cast_possible_truncation, reason = "the low seven bits are wanted")]
fn low_byte(value: u64) -> u8 {
    value as u8 & 0x7f
}
