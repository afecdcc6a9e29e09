//! What stood around a record's value.

/// The bytes of a key and headers, as packed, that a dead letter carries (PROTOCOL P20).
pub const AROUND_BYTES_MAX: usize = 64 * 1024;

/// A record's key and headers, as they came, in one piece of memory: most records never need them again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Around(Box<[u8]>);

impl Around {
    /// Packs a key and headers; both, and a header's value, may be missing.
    pub fn pack<'a>(key: Option<&[u8]>, headers: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>)>) -> Self {
        let mut packed = Vec::with_capacity(256);
        put(&mut packed, key);
        for (name, value) in headers {
            put(&mut packed, Some(name.as_bytes()));
            put(&mut packed, value);
        }
        Self(packed.into())
    }

    /// As packed: equal for equal keys and headers only.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key.
    pub fn key(&self) -> Option<&[u8]> {
        take(&mut &*self.0)
    }

    /// The headers, in order. Names are those that were packed.
    pub fn headers(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        let mut rest = &*self.0;
        take(&mut rest);
        std::iter::from_fn(move || {
            let name = take(&mut rest)?;
            Some((std::str::from_utf8(name).unwrap_or_default(), take(&mut rest)))
        })
    }
}

/// A length, one more than there are bytes: 0 is for none.
fn put(packed: &mut Vec<u8>, bytes: Option<&[u8]>) {
    let length = bytes.map_or(0, |bytes| bytes.len() + 1);
    let length = u32::try_from(length).expect("a record is far below 4 GB");
    packed.extend(length.to_le_bytes());
    packed.extend(bytes.unwrap_or_default());
}

fn take<'a>(packed: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = packed.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (bytes, rest) = rest.split_at(length.saturating_sub(1).min(rest.len()));
    *packed = rest;
    (length > 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_there_again_in_order() {
        let headers: [(&str, Option<&[u8]>); 4] =
            [("ce_id", Some(b"1")), ("", Some(b"")), ("none", None), ("ce_id", Some(&[0xff, 0]))];
        for key in [None, Some(&b""[..]), Some(b"A")] {
            let around = Around::pack(key, headers);
            assert_eq!(around.key(), key);
            assert_eq!(around.headers().collect::<Vec<_>>(), headers);
        }
        assert_eq!(Around::pack(None, []).headers().count(), 0);
        assert_ne!(Around::pack(None, []).bytes(), Around::pack(Some(b""), []).bytes());
    }
}
