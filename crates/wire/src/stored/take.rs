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
        narrow(self.signed()?)
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

    fn bytes(self) -> Taken<&'a [u8]> {
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
        Ok(Row { rest: self.bytes()?, clock })
    }
}

/// Hashes still to be handed out.
#[derive(Clone, Copy, Default)]
pub struct Hashes<'a>(&'a [[u8; 8]]);

impl Hashes<'_> {
    /// The next one.
    pub fn next(&mut self) -> Taken<u64> {
        let (first, rest) = self.0.split_first().ok_or(Damage::CutOff)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*first))
    }
}

/// Numbers still to be handed out.
pub struct Row<'a> {
    rest: &'a [u8],
    clock: Timestamp,
}

impl Row<'_> {
    /// Reads a table whose rows have at least `columns` numbers; `read` is called with the row before.
    pub fn table<T>(
        mut self,
        columns: usize,
        mut read: impl FnMut(&mut Self, Option<&T>) -> Taken<T>,
    ) -> Taken<Vec<T>> {
        let numbers = self.rest.iter().filter(|byte| **byte < 0x80).count();
        let mut rows = Vec::with_capacity(numbers / columns);
        while !self.rest.is_empty() {
            let row = read(&mut self, rows.last())?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// Reads the one structure of a row.
    pub fn single<T>(mut self, read: impl FnOnce(&mut Self) -> Taken<T>) -> Taken<T> {
        let value = read(&mut self)?;
        if self.rest.is_empty() { Ok(value) } else { Err(Damage::Long) }
    }

    /// A number.
    #[inline]
    pub fn number(&mut self) -> Taken<i64> {
        varint(&mut self.rest).map(unzigzag)
    }

    /// 64 bits that are no quantity.
    pub fn bits(&mut self) -> Taken<u64> {
        Ok(self.number()?.cast_unsigned())
    }

    /// A narrower number.
    pub fn narrow<T: TryFrom<i64>>(&mut self) -> Taken<T> {
        narrow(self.number()?)
    }

    /// A narrower number, written as the difference from `before`.
    pub fn running(&mut self, before: Option<i32>) -> Taken<i32> {
        narrow(self.number()?.wrapping_add(i64::from(before.unwrap_or(0))))
    }

    /// A running number with three bits that say what follows.
    pub fn running_with_bits(&mut self, before: Option<i32>) -> Taken<(i32, [bool; 3])> {
        let number = self.number()?;
        let running = narrow((number >> 3).wrapping_add(i64::from(before.unwrap_or(0))))?;
        Ok((running, [number & 1 != 0, number & 2 != 0, number & 4 != 0]))
    }

    /// A flag.
    pub fn flag(&mut self) -> Taken<bool> {
        match self.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Damage::Number),
        }
    }

    /// A word by its position.
    pub fn word<W>(&mut self, from_index: fn(u8) -> Option<W>) -> Taken<W> {
        from_index(self.narrow()?).ok_or(Damage::Word)
    }

    /// Something that may be missing.
    pub fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Taken<T>) -> Taken<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    /// A moment.
    pub fn time(&mut self) -> Taken<Timestamp> {
        Ok(Timestamp(self.clock.0.wrapping_sub(self.number()?)))
    }

    /// A moment that may be missing.
    pub fn optional_time(&mut self) -> Taken<Option<Timestamp>> {
        self.optional(Self::time)
    }

    /// A text by its reference.
    pub fn text(&mut self, texts: &[&str]) -> Taken<String> {
        let Some(index) = self.narrow::<usize>()?.checked_sub(1) else { return Ok(String::new()) };
        let text = texts.get(index).ok_or(Damage::Text)?;
        Ok((*text).to_owned())
    }
}

fn narrow<T: TryFrom<i64>>(value: i64) -> Taken<T> {
    T::try_from(value).map_err(|_| Damage::Number)
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[inline]
fn varint(rest: &mut &[u8]) -> Taken<u64> {
    if let [byte @ 0..0x80, after @ ..] = *rest {
        *rest = after;
        return Ok(u64::from(*byte));
    }
    long_varint(rest)
}

/// Up to eight bytes at once: the end is the first byte whose high bit is clear, and the groups of seven bits close up
/// in three steps.
fn long_varint(rest: &mut &[u8]) -> Taken<u64> {
    let Some((eight, _)) = rest.split_first_chunk::<8>() else { return slow_varint(rest) };
    let word = u64::from_le_bytes(*eight);
    let ends = !word & 0x8080_8080_8080_8080;
    if ends == 0 {
        return slow_varint(rest);
    }
    let groups = word & (ends ^ (ends - 1)) & 0x7f7f_7f7f_7f7f_7f7f;
    let pairs = groups & 0x007f_007f_007f_007f | (groups & 0x7f00_7f00_7f00_7f00) >> 1;
    let quads = pairs & 0x0000_3fff_0000_3fff | (pairs & 0x3fff_0000_3fff_0000) >> 2;
    *rest = &rest[ends.trailing_zeros() as usize / 8 + 1..];
    Ok(quads & 0x0000_0000_0fff_ffff | (quads & 0x0fff_ffff_0000_0000) >> 4)
}

/// Byte by byte: near the end of the bytes, and for nine or ten of them.
#[cold]
fn slow_varint(rest: &mut &[u8]) -> Taken<u64> {
    let mut value = 0;
    for (position, byte) in rest.iter().take(10).enumerate() {
        let bits = u64::from(byte & 0x7f);
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
