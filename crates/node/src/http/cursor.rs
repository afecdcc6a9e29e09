//! Where a reader of outputs stands: a position in every shard.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::failure::{Answered, Failure};

/// What a cursor means; another meaning gets another number.
const VERSION: u8 = 1;

/// The next output to read of each shard. To clients it is opaque.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// By shard.
    pub next: Vec<u64>,
    /// The shard to look at first: no shard starves behind a busy one.
    pub turn: u32,
}

impl Cursor {
    /// From the start of the first shard's turn.
    pub fn at(next: Vec<u64>) -> Self {
        Self { next, turn: 0 }
    }

    /// As text: base64url of a version byte, then turn, count of shards and positions as varints.
    pub fn encode(&self) -> String {
        let mut bytes = vec![VERSION];
        put(u64::from(self.turn), &mut bytes);
        put(self.next.len() as u64, &mut bytes);
        self.next.iter().for_each(|next| put(*next, &mut bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Of a service with so many shards.
    ///
    /// # Errors
    /// It is no cursor, one of another version, or of a service with another number of shards.
    pub fn decode(text: &str, shards: u32) -> Answered<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Failure::bad_cursor("it is no base64url text"))?;
        let Some((&VERSION, mut rest)) = bytes.split_first() else {
            return Err(Failure::bad_cursor("its version is not known"));
        };
        let cut = || Failure::bad_cursor("it is damaged");
        let turn = take(&mut rest).and_then(|turn| u32::try_from(turn).ok()).ok_or_else(cut)?;
        if take(&mut rest) != Some(u64::from(shards)) {
            return Err(Failure::bad_cursor("it is of a service with another number of shards"));
        }
        let next = (0..shards).map(|_| take(&mut rest)).collect::<Option<Vec<u64>>>().ok_or_else(cut)?;
        if !rest.is_empty() || turn >= shards {
            return Err(cut());
        }
        Ok(Self { next, turn })
    }
}

fn put(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).expect("seven bits"));
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        if part << shift >> shift != part {
            return None;
        }
        number |= part << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        for next in [vec![0], vec![127, 128, 300], vec![u64::MAX, 0, u64::MAX - 1]] {
            let shards = u32::try_from(next.len()).unwrap();
            let cursor = Cursor { turn: shards - 1, next };
            assert_eq!(Cursor::decode(&cursor.encode(), shards).unwrap(), cursor);
        }
    }

    #[test]
    fn what_is_no_cursor_of_this_service_is_refused() {
        let good = Cursor { next: vec![5, 600], turn: 1 };
        let refused = |text: &str, shards| Cursor::decode(text, shards).is_err();
        assert!(refused(&good.encode(), 3), "another number of shards");
        assert!(refused("", 2) && refused("%", 2) && refused("AA", 2), "no cursor");
        assert!(refused(&Cursor { turn: 2, ..good.clone() }.encode(), 2), "no such shard");
        let bytes = URL_SAFE_NO_PAD.decode(good.encode()).unwrap();
        for cut in 0..bytes.len() {
            assert!(refused(&URL_SAFE_NO_PAD.encode(&bytes[..cut]), 2), "cut at {cut}");
        }
        assert!(refused(&URL_SAFE_NO_PAD.encode([&bytes[..], &[0]].concat()), 2), "something follows");
        let too_long = [&[VERSION, 0, 1][..], &[0xff; 9], &[0x02]].concat();
        assert!(refused(&URL_SAFE_NO_PAD.encode(too_long), 1), "beyond 64 bits");
    }
}
