//! Reads what `put` wrote. Nothing here trusts the bytes: a damaged value is an error, never a panic.

use headroom_engine::{HOUR, Timestamp};

use super::account_form::{PARTS, Part, today};

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

    /// A flag.
    pub fn flag(self) -> Taken<bool> {
        match self.unsigned()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Damage::Number),
        }
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

    /// Numbers, and which parts are present among them.
    pub fn row(self, present: u64) -> Taken<Row<'a>> {
        if present & !PARTS != 0 {
            return Err(Damage::Field);
        }
        Ok(Row { rest: self.bytes()?, clock: Timestamp(0), present, damage: None })
    }
}

/// Hashes still to be handed out.
#[derive(Clone, Copy, Default)]
pub struct Hashes<'a>(&'a [[u8; 8]]);

impl Hashes<'_> {
    /// Ends them: none may be left.
    pub fn end(self) -> Taken<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Damage::Long) }
    }
}

/// Numbers still to be handed out. Damage is remembered and told at the end: until then zeros are read, and nothing
/// follows. A check after every number would cost as much as reading it.
pub struct Row<'a> {
    rest: &'a [u8],
    clock: Timestamp,
    present: u64,
    damage: Option<Damage>,
}

impl Row<'_> {
    /// Ends the row: the first damage, if there was any.
    pub fn end(self) -> Taken<()> {
        match self.damage {
            Some(damage) => Err(damage),
            None if self.rest.is_empty() => Ok(()),
            None => Err(Damage::Long),
        }
    }

    /// What moments and dates are told from.
    pub fn clock(&self) -> Timestamp {
        self.clock
    }

    /// Sets it.
    pub fn told_from(&mut self, clock: Timestamp) {
        self.clock = clock;
    }

    /// Whether a part follows.
    #[inline]
    pub fn has(&self, part: Part) -> bool {
        self.present >> part as u8 & 1 != 0
    }

    /// A part, if it follows.
    pub fn part<T>(&mut self, part: Part, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.has(part).then(|| read(self))
    }

    /// A part that is a number and is left out if it is 0.
    pub fn count_part<T: TryFrom<u64> + Default>(&mut self, part: Part) -> T {
        if self.has(part) { self.count() } else { T::default() }
    }

    /// A part that is a table; `read` is called with the row before.
    pub fn table<T>(&mut self, part: Part, read: impl FnMut(&mut Self, Option<&T>) -> T) -> Vec<T> {
        if self.has(part) { self.rows(read) } else { Vec::new() }
    }

    /// The number of rows, then row after row. Each has a byte or more, so a damaged number takes no room.
    pub fn rows<T>(&mut self, mut read: impl FnMut(&mut Self, Option<&T>) -> T) -> Vec<T> {
        let count: usize = self.count();
        if count > self.rest.len() {
            self.damaged(Damage::CutOff);
            return Vec::new();
        }
        let mut rows = Vec::with_capacity(count);
        while rows.len() < count && self.damage.is_none() {
            let row = read(self, rows.last());
            rows.push(row);
        }
        rows
    }

    #[cold]
    fn damaged(&mut self, damage: Damage) {
        self.rest = &[];
        self.damage.get_or_insert(damage);
    }

    /// 64 bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        varint(&mut self.rest).unwrap_or_else(|damage| {
            self.damaged(damage);
            0
        })
    }

    /// A number that is 0 or more.
    #[inline]
    pub fn count<T: TryFrom<u64> + Default>(&mut self) -> T {
        let bits = self.bits();
        T::try_from(bits).unwrap_or_else(|_| {
            self.damaged(Damage::Number);
            T::default()
        })
    }

    /// A number that is hardly ever below 0.
    #[inline]
    pub fn amount(&mut self) -> i64 {
        self.bits().cast_signed()
    }

    /// Its amount, if it was written at all.
    #[inline]
    pub fn amount_if(&mut self, written: bool, otherwise: i64) -> i64 {
        if written { self.amount() } else { otherwise }
    }

    /// A number of either sign.
    #[inline]
    pub fn number(&mut self) -> i64 {
        unzigzag(self.bits())
    }

    /// A narrower number of either sign.
    #[inline]
    pub fn narrow(&mut self) -> i32 {
        let number = self.number();
        self.narrowed(number)
    }

    #[inline]
    fn narrowed(&mut self, number: i64) -> i32 {
        i32::try_from(number).unwrap_or_else(|_| {
            self.damaged(Damage::Number);
            0
        })
    }

    /// A day, told from the clock's.
    pub fn day(&mut self) -> i32 {
        let day = i64::from(today(self.clock)).wrapping_sub(self.number());
        self.narrowed(day)
    }

    /// A running date, below it so many flags.
    #[inline]
    pub fn running<const FLAGS: usize>(&mut self, before: i32) -> (i32, [bool; FLAGS]) {
        let bits = self.bits();
        let step = u32::try_from(bits >> FLAGS).unwrap_or_else(|_| {
            self.damaged(Damage::Number);
            0
        });
        (before.wrapping_add(1).wrapping_add(step.cast_signed()), flags(bits))
    }

    /// Flags, and nothing above them.
    pub fn flags<const FLAGS: usize>(&mut self) -> [bool; FLAGS] {
        let bits = self.bits();
        if bits >> FLAGS != 0 {
            self.damaged(Damage::Number);
        }
        flags(bits)
    }

    /// A flag.
    pub fn flag(&mut self) -> bool {
        let [flag] = self.flags();
        flag
    }

    /// A word by its position in a list.
    pub fn word<W: Copy>(&mut self, words: &[W]) -> W {
        self.known(|index| words.get(usize::from(index)).copied(), words[0])
    }

    /// Something by its number; `first` stands in for a number that means nothing.
    pub fn known<W>(&mut self, find: impl FnOnce(u8) -> Option<W>, first: W) -> W {
        let number = self.count();
        self.known_as(find(number), first)
    }

    /// Something that its number may not have meant.
    pub fn known_as<W>(&mut self, known: Option<W>, first: W) -> W {
        known.unwrap_or_else(|| {
            self.damaged(Damage::Word);
            first
        })
    }

    /// Something that may be missing.
    pub fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| read(self))
    }

    /// A moment: in whole seconds, whole hours, milliseconds, or as it is.
    #[inline]
    pub fn time(&mut self) -> Timestamp {
        const SECOND: i64 = 1_000;
        let bits = self.bits();
        let clock = self.clock.0;
        Timestamp(match bits & 3 {
            _ if bits == u64::MAX => clock.wrapping_sub(self.number()),
            0b00 => clock.wrapping_sub(unzigzag(bits >> 2)),
            0b10 => clock.div_euclid(HOUR).wrapping_sub(unzigzag(bits >> 2)).wrapping_mul(HOUR),
            _ => clock.div_euclid(SECOND).wrapping_sub(unzigzag(bits >> 1)).wrapping_mul(SECOND),
        })
    }

    /// A moment, if it was written at all.
    pub fn time_if(&mut self, written: bool) -> Option<Timestamp> {
        written.then(|| self.time())
    }

    /// A moment that may be missing.
    pub fn optional_time(&mut self) -> Option<Timestamp> {
        self.optional(Self::time)
    }

    /// A text by its reference.
    pub fn text(&mut self, texts: &[&str]) -> String {
        let Some(index) = self.count::<usize>().checked_sub(1) else { return String::new() };
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

/// The lowest bits, the lowest first.
fn flags<const FLAGS: usize>(bits: u64) -> [bool; FLAGS] {
    std::array::from_fn(|at| bits >> at & 1 != 0)
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
