//! Reads what `put` wrote. Nothing here trusts the bytes: a damaged value is an error, never a panic.

use headroom_engine::Timestamp;

/// What is wrong with the bytes. Small, because every number that is read may fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Damage {
    /// Fewer bytes than announced.
    #[error("cut off")]
    CutOff,
    /// Out of the range of what it stands for.
    #[error("number out of range")]
    Number,
    /// A word, kind or field that does not exist.
    #[error("unknown word")]
    Word,
    /// Fields stand in ascending order.
    #[error("field out of order")]
    Order,
    /// The field does not exist.
    #[error("unknown field")]
    Field,
    /// Bytes instead of a number, or the reverse.
    #[error("field of another kind")]
    Kind,
    /// No UTF-8, no currency, or not there.
    #[error("broken text")]
    Text,
    /// The structure ends before its row does.
    #[error("row too long")]
    Long,
}

/// What reading gives.
pub type Taken<T> = Result<T, Damage>;

/// Fields of one message.
pub struct Fields<'a> {
    rest: &'a [u8],
    last: u64,
}

/// A field's content.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    /// A number.
    Number(u64),
    /// Text, hashes or rows.
    Bytes(&'a [u8]),
}

impl<'a> Fields<'a> {
    /// Over the bytes of a message.
    pub fn new(message: &'a [u8]) -> Fields<'a> {
        Fields { rest: message, last: 0 }
    }

    /// The field that was read last.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The next field's number and content; `None` at the end.
    pub fn next(&mut self) -> Taken<Option<(u64, Content<'a>)>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = varint(&mut self.rest)?;
        let field = key >> 3;
        if field < self.last || field == 0 {
            return Err(Damage::Order);
        }
        self.last = field;
        Ok(Some((field, self.content(key & 7)?)))
    }

    fn content(&mut self, kind: u64) -> Taken<Content<'a>> {
        match kind {
            0 => Ok(Content::Number(varint(&mut self.rest)?)),
            2 => {
                let length = usize::try_from(varint(&mut self.rest)?).unwrap_or(usize::MAX);
                let split = self.rest.split_at_checked(length);
                let (bytes, rest) = split.ok_or(Damage::CutOff)?;
                self.rest = rest;
                Ok(Content::Bytes(bytes))
            }
            _ => Err(Damage::Kind),
        }
    }
}

impl<'a> Content<'a> {
    /// A number that is 0 or more.
    pub fn unsigned(self) -> Taken<u64> {
        match self {
            Content::Number(value) => Ok(value),
            Content::Bytes(_) => Err(Damage::Kind),
        }
    }

    /// A number of either sign.
    pub fn signed(self) -> Taken<i64> {
        self.unsigned().map(unzigzag)
    }

    /// Any narrower number.
    pub fn narrow<T: TryFrom<i64>>(self) -> Taken<T> {
        T::try_from(self.signed()?).map_err(|_| Damage::Number)
    }

    /// A number of 32 bits that is 0 or more.
    pub fn count(self) -> Taken<u32> {
        u32::try_from(self.unsigned()?).map_err(|_| Damage::Number)
    }

    /// A flag.
    pub fn flag(self) -> Taken<bool> {
        match self.unsigned()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Damage::Number),
        }
    }

    /// A word by its number in the contract: its position plus one.
    pub fn word<W>(self, from_index: fn(u8) -> Option<W>) -> Taken<W> {
        let index = self.unsigned()?.checked_sub(1).and_then(|index| u8::try_from(index).ok());
        index.and_then(from_index).ok_or(Damage::Word)
    }

    /// A moment.
    pub fn time(self, clock: Timestamp) -> Taken<Timestamp> {
        Ok(Timestamp(clock.0.wrapping_sub(self.signed()?)))
    }

    /// Bytes of any meaning.
    pub fn bytes(self) -> Taken<&'a [u8]> {
        match self {
            Content::Bytes(bytes) => Ok(bytes),
            Content::Number(_) => Err(Damage::Kind),
        }
    }

    /// A text.
    pub fn text(self) -> Taken<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Damage::Text)
    }

    /// Hashes, eight bytes each.
    pub fn hashes(self) -> Taken<Hashes<'a>> {
        let (hashes, rest) = self.bytes()?.as_chunks::<8>();
        if rest.is_empty() { Ok(Hashes(hashes)) } else { Err(Damage::CutOff) }
    }

    /// A row or table of numbers.
    pub fn row(self, clock: Timestamp) -> Taken<Row<'a>> {
        Ok(Row { rest: self.bytes()?, clock, damage: None })
    }
}

/// Hashes still to be handed out.
#[derive(Clone, Copy, Default)]
pub struct Hashes<'a>(&'a [[u8; 8]]);

/// Numbers still to be handed out. Damage is remembered and told at the end: until then zeros are read, and nothing
/// follows. A check after every number would cost as much as reading it.
pub struct Row<'a> {
    rest: &'a [u8],
    clock: Timestamp,
    damage: Option<Damage>,
}

impl Row<'_> {
    /// Reads a table whose rows have at least `columns` numbers; `read` is called with the row before.
    pub fn table<T>(mut self, columns: usize, mut read: impl FnMut(&mut Self, Option<&T>) -> T) -> Taken<Vec<T>> {
        let mut rows = Vec::with_capacity(count_numbers(self.rest) / columns);
        while !self.rest.is_empty() {
            let row = read(&mut self, rows.last());
            rows.push(row);
        }
        self.damage.map_or(Ok(rows), Err)
    }

    /// Reads the one structure of a row.
    pub fn single<T>(mut self, read: impl FnOnce(&mut Self) -> T) -> Taken<T> {
        let value = read(&mut self);
        match self.damage {
            Some(damage) => Err(damage),
            None if self.rest.is_empty() => Ok(value),
            None => Err(Damage::Long),
        }
    }

    #[cold]
    fn damaged(&mut self, damage: Damage) {
        self.rest = &[];
        self.damage.get_or_insert(damage);
    }

    /// A number.
    #[inline]
    pub fn number(&mut self) -> i64 {
        match varint(&mut self.rest) {
            Ok(value) => unzigzag(value),
            Err(damage) => {
                self.damaged(damage);
                0
            }
        }
    }

    /// 64 bits that are no quantity.
    pub fn bits(&mut self) -> u64 {
        self.number().cast_unsigned()
    }

    /// A narrower number.
    #[inline]
    pub fn narrow<T: TryFrom<i64> + Default>(&mut self) -> T {
        let number = self.number();
        self.narrowed(number)
    }

    #[inline]
    fn narrowed<T: TryFrom<i64> + Default>(&mut self, number: i64) -> T {
        T::try_from(number).unwrap_or_else(|_| {
            self.damaged(Damage::Number);
            T::default()
        })
    }

    /// A number that was written as the difference from `before`.
    #[inline]
    pub fn running<T: TryFrom<i64> + Default>(&mut self, before: Option<impl Into<i64>>) -> T {
        let difference = self.number();
        self.narrowed(difference.wrapping_add(before.map_or(0, Into::into)))
    }

    /// A running number with three bits that say what follows.
    #[inline]
    pub fn running_with_bits(&mut self, before: Option<i32>) -> (i32, [bool; 3]) {
        let number = self.number();
        let running = self.narrowed((number >> 3).wrapping_add(before.map_or(0, i64::from)));
        (running, [number & 1 != 0, number & 2 != 0, number & 4 != 0])
    }

    /// The next number, if it was written at all.
    #[inline]
    pub fn number_if(&mut self, written: bool, otherwise: i64) -> i64 {
        if written { self.number() } else { otherwise }
    }

    /// A flag.
    pub fn flag(&mut self) -> bool {
        let number = self.number();
        if !matches!(number, 0 | 1) {
            self.damaged(Damage::Number);
        }
        number == 1
    }

    /// A word by its position in a list.
    pub fn word<W: Copy>(&mut self, words: &[W]) -> W {
        self.known(|index| words.get(usize::from(index)).copied(), words[0])
    }

    /// Something by its number; `first` stands in for a number that means nothing.
    pub fn known<W>(&mut self, find: impl FnOnce(u8) -> Option<W>, first: W) -> W {
        let number = self.narrow();
        find(number).unwrap_or_else(|| {
            self.damaged(Damage::Word);
            first
        })
    }

    /// Something that may be missing.
    pub fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| read(self))
    }

    /// A moment.
    #[inline]
    pub fn time(&mut self) -> Timestamp {
        Timestamp(self.clock.0.wrapping_sub(self.number()))
    }

    /// A moment that may be missing.
    pub fn optional_time(&mut self) -> Option<Timestamp> {
        self.optional(Self::time)
    }

    /// A text by its reference.
    pub fn text(&mut self, texts: &[&str]) -> String {
        let Some(index) = self.narrow::<usize>().checked_sub(1) else { return String::new() };
        let text = texts.get(index).copied().unwrap_or_else(|| {
            self.damaged(Damage::Text);
            ""
        });
        text.to_owned()
    }

    /// The next of the hashes that belong to the rows.
    pub fn hash(&mut self, hashes: &mut Hashes<'_>) -> u64 {
        match hashes.0.split_first() {
            Some((first, rest)) => {
                hashes.0 = rest;
                u64::from_le_bytes(*first)
            }
            None => {
                self.damaged(Damage::CutOff);
                0
            }
        }
    }
}

/// How many numbers end within the bytes: as many as there are bytes with a clear high bit.
fn count_numbers(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let ends = |word: &[u8; 8]| (!u64::from_le_bytes(*word) & 0x8080_8080_8080_8080).count_ones() as usize;
    words.iter().map(ends).sum::<usize>() + rest.iter().filter(|byte| **byte < 0x80).count()
}

#[inline]
fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Most numbers have one to three bytes.
#[inline]
fn varint(rest: &mut &[u8]) -> Taken<u64> {
    let (value, after) = match *rest {
        [a @ ..0x80, after @ ..] => (u64::from(*a), after),
        [a, b @ ..0x80, after @ ..] => (low(*a) | u64::from(*b) << 7, after),
        [a, b, c @ ..0x80, after @ ..] => (low(*a) | low(*b) << 7 | u64::from(*c) << 14, after),
        _ => return long_varint(rest),
    };
    *rest = after;
    Ok(value)
}

fn low(byte: u8) -> u64 {
    u64::from(byte & 0x7f)
}

#[inline(never)]
fn long_varint(rest: &mut &[u8]) -> Taken<u64> {
    let mut value = 0;
    for (position, byte) in rest.iter().take(10).enumerate() {
        let bits = low(*byte);
        if position == 9 && bits > 1 {
            return Err(Damage::Number);
        }
        value |= bits << (7 * position);
        if *byte < 0x80 {
            *rest = &rest[position + 1..];
            return Ok(value);
        }
    }
    Err(Damage::CutOff)
}
