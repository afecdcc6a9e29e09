//! Writes protobuf fields in ascending order, zero and empty ones left out: one value has one form.

use headroom_engine::Timestamp;

const VARINT: u32 = 0;
const BYTES: u32 = 2;

/// Fields of one message.
pub struct Put<'a> {
    out: &'a mut Vec<u8>,
    clock: Timestamp,
    texts: i64,
}

impl<'a> Put<'a> {
    /// Appends to `out`; times are written as distances from `clock`.
    pub fn new(out: &'a mut Vec<u8>, clock: Timestamp) -> Put<'a> {
        Put { out, clock, texts: 0 }
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

    /// A number whose absence differs from 0.
    pub fn optional(&mut self, field: u32, value: Option<u64>) {
        if let Some(value) = value {
            self.key(field, VARINT);
            varint(self.out, value);
        }
    }

    /// A moment.
    pub fn time(&mut self, field: u32, at: Timestamp) {
        self.signed(field, before(self.clock, at));
    }

    /// A moment that may be missing.
    pub fn optional_time(&mut self, field: u32, at: Option<Timestamp>) {
        self.optional(field, at.map(|at| zigzag(before(self.clock, at))));
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
    pub fn hashes(&mut self, field: u32, hashes: impl ExactSizeIterator<Item = u64>) {
        if hashes.len() > 0 {
            self.key(field, BYTES);
            varint(self.out, hashes.len() as u64 * 8);
            hashes.for_each(|hash| self.out.extend_from_slice(&hash.to_le_bytes()));
        }
    }

    /// One structure as a row of numbers.
    pub fn row(&mut self, field: u32, fill: impl FnOnce(&mut Row<'_>)) {
        self.key(field, BYTES);
        let length_at = self.out.len();
        self.out.push(0);
        let mut row = Row { out: self.out, clock: self.clock, texts: &mut self.texts };
        fill(&mut row);
        self.set_length(length_at);
    }

    /// A table, row after row; `fill` is called with each row and the one before it.
    pub fn table<T>(&mut self, field: u32, rows: &[T], mut fill: impl FnMut(&mut Row<'_>, &T, Option<&T>)) {
        if rows.is_empty() {
            return;
        }
        self.row(field, |row| {
            let mut before = None;
            for each in rows {
                fill(row, each, before);
                before = Some(each);
            }
        });
    }

    /// One byte was kept for the length of what follows; a longer length moves it up.
    fn set_length(&mut self, length_at: usize) {
        let start = length_at + 1;
        let length = self.out.len() - start;
        if let Ok(short @ 0..0x80) = u8::try_from(length) {
            self.out[length_at] = short;
            return;
        }
        let mut prefix = Vec::with_capacity(10);
        varint(&mut prefix, length as u64);
        self.out.splice(length_at..start, prefix);
    }

    fn key(&mut self, field: u32, kind: u32) {
        varint(self.out, u64::from(field << 3 | kind));
    }
}

/// Numbers one after the other.
pub struct Row<'a> {
    out: &'a mut Vec<u8>,
    clock: Timestamp,
    texts: &'a mut i64,
}

impl Row<'_> {
    /// A number.
    pub fn number(&mut self, value: impl Into<i64>) -> &mut Self {
        varint(self.out, zigzag(value.into()));
        self
    }

    /// 64 bits that are no quantity.
    pub fn bits(&mut self, value: u64) -> &mut Self {
        self.number(value.cast_signed())
    }

    /// A number that may be missing.
    pub fn optional(&mut self, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => self.number(1).number(value),
            None => self.number(0),
        }
    }

    /// A moment.
    pub fn time(&mut self, at: Timestamp) -> &mut Self {
        let value = before(self.clock, at);
        self.number(value)
    }

    /// A moment that may be missing.
    pub fn optional_time(&mut self, at: Option<Timestamp>) -> &mut Self {
        let clock = self.clock;
        self.optional(at.map(|at| before(clock, at)))
    }

    /// Refers to a text, which the caller has written in the same order.
    pub fn text(&mut self, text: &str) -> &mut Self {
        if text.is_empty() {
            return self.number(0);
        }
        *self.texts += 1;
        self.number(*self.texts)
    }
}

/// Milliseconds from `at` to `clock`. Wraps, so that every moment comes back as it was.
fn before(clock: Timestamp, at: Timestamp) -> i64 {
    clock.0.wrapping_sub(at.0)
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
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
