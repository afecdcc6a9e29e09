//! A commit's delta: the post-image of every key that its batch touches, as it travels in the journal (PROTOCOL P21).
//!
//! Layout 1: a byte 1, then operations, each a byte and one or two strings behind their lengths (LEB128):
//! 1 put (key, value), 2 delete (key), 3 delete a range (first key, first key behind it). Keys begin with their table's
//! byte (`table.rs`), values with their own layout's, so a delta needs no schema beside the store's.

use crate::StoreError;

const LAYOUT: u8 = 1;
const PUT: u8 = 1;
const DELETE: u8 = 2;
const DELETE_RANGE: u8 = 3;

/// Operations being written down.
#[derive(Clone, Debug)]
pub(crate) struct DeltaWriter(Vec<u8>);

/// One operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operation<'a> {
    Put(&'a [u8], &'a [u8]),
    Delete(&'a [u8]),
    DeleteRange(&'a [u8], &'a [u8]),
}

impl DeltaWriter {
    pub(crate) fn new() -> Self {
        Self(vec![LAYOUT])
    }

    pub(crate) fn push(&mut self, operation: Operation<'_>) {
        match operation {
            Operation::Put(key, value) => self.strings(PUT, &[key, value]),
            Operation::Delete(key) => self.strings(DELETE, &[key]),
            Operation::DeleteRange(from, to) => self.strings(DELETE_RANGE, &[from, to]),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
    fn strings(&mut self, kind: u8, strings: &[&[u8]]) {
        self.0.push(kind);
        for string in strings {
            let mut length = string.len();
            while length >= 0x80 {
                self.0.push((length & 0x7f) as u8 | 0x80);
                length >>= 7;
            }
            self.0.push(length as u8);
            self.0.extend_from_slice(string);
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// The operations of a delta, in order.
///
/// # Errors
/// HR0302 for a newer layout, HR0303 for bytes that are no delta.
pub(crate) fn operations(delta: &[u8]) -> Result<Vec<Operation<'_>>, StoreError> {
    let mut rest = match delta.split_first() {
        Some((&LAYOUT, rest)) => rest,
        Some((&found, _)) if found > LAYOUT => {
            return Err(StoreError::NewerFormat { found: found.into(), known: LAYOUT.into() });
        }
        _ => return Err(damaged()),
    };
    let mut operations = Vec::new();
    while let Some((&kind, after)) = rest.split_first() {
        let (first, after) = string(after)?;
        let (operation, after) = match kind {
            DELETE => (Operation::Delete(first), after),
            PUT => string(after).map(|(value, after)| (Operation::Put(first, value), after))?,
            DELETE_RANGE => string(after).map(|(to, after)| (Operation::DeleteRange(first, to), after))?,
            _ => return Err(damaged()),
        };
        operations.push(operation);
        rest = after;
    }
    Ok(operations)
}

fn string(bytes: &[u8]) -> Result<(&[u8], &[u8]), StoreError> {
    let (mut length, mut shift, mut rest) = (0_usize, 0_u32, bytes);
    loop {
        let (&byte, after) = rest.split_first().ok_or_else(damaged)?;
        let bits = usize::from(byte & 0x7f);
        length |= bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits).ok_or_else(damaged)?;
        (shift, rest) = (shift + 7, after);
        if byte < 0x80 {
            break;
        }
    }
    rest.split_at_checked(length).ok_or_else(damaged)
}

fn damaged() -> StoreError {
    StoreError::corrupt("a journal record's delta cannot be read")
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn operations_are_read_back(
            given in vec((1_u8..4, vec(any::<u8>(), 0..300), vec(any::<u8>(), 0..300)), 0..20),
            cut in any::<prop::sample::Index>(),
        ) {
            let operation = |(kind, one, other): &'_ (u8, Vec<u8>, Vec<u8>)| -> (u8, Vec<u8>, Vec<u8>) {
                (*kind, one.clone(), if *kind == DELETE { Vec::new() } else { other.clone() })
            };
            let mut writer = DeltaWriter::new();
            for (kind, one, other) in &given {
                writer.push(match *kind {
                    PUT => Operation::Put(one, other),
                    DELETE => Operation::Delete(one),
                    _ => Operation::DeleteRange(one, other),
                });
            }
            let bytes = writer.into_bytes();
            let read: Vec<_> = operations(&bytes).unwrap().into_iter().map(|each| match each {
                Operation::Put(one, other) => (PUT, one.to_vec(), other.to_vec()),
                Operation::Delete(one) => (DELETE, one.to_vec(), Vec::new()),
                Operation::DeleteRange(one, other) => (DELETE_RANGE, one.to_vec(), other.to_vec()),
            }).collect();
            prop_assert_eq!(read, given.iter().map(operation).collect::<Vec<_>>());
            // Cut anywhere: an error, or fewer operations; never a panic.
            let cut = cut.index(bytes.len());
            if let Ok(fewer) = operations(&bytes[..cut]) {
                prop_assert!(fewer.len() < given.len());
            }
        }
    }

    #[test]
    fn a_newer_layout_is_refused() {
        assert_eq!(operations(&[2]).unwrap_err().code(), "HR0302");
        assert_eq!(operations(&[]).unwrap_err().code(), "HR0303");
        assert_eq!(
            operations(&[1, PUT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).unwrap_err().code(),
            "HR0303"
        );
    }
}
