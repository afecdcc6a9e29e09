//! Key and headers of a dead letter's original, and back.

use std::collections::BTreeMap;
use std::fmt::Write;

use headroom_engine::{AROUND_BYTES_MAX, Around};

use crate::proto;

/// What is kept of a key where there is more than a dead letter takes.
const KEY_BYTES_MAX: usize = 1024;
/// Before values that are no text.
const HEX: &str = "hex:";

/// Key and headers in the contract's form.
#[derive(Default)]
pub struct Parts {
    pub key: Option<Vec<u8>>,
    pub headers: BTreeMap<String, String>,
}

/// Takes apart what stood around a value; what is too much is left out.
pub fn around(around: &Around) -> Parts {
    let whole = around.bytes().len() <= AROUND_BYTES_MAX;
    let key = around.key().map(|key| key[..if whole { key.len() } else { key.len().min(KEY_BYTES_MAX) }].to_vec());
    let mut left = AROUND_BYTES_MAX;
    let fits = |(name, value): &(&str, Option<&[u8]>)| {
        let fitting = left.checked_sub(name.len() + value.map_or(0, <[u8]>::len));
        left = fitting.unwrap_or(left);
        fitting.is_some()
    };
    let headers = around.headers().take_while(fits).map(|(name, value)| (name.to_owned(), text(value.unwrap_or(b""))));
    Parts { key, headers: headers.collect() }
}

fn text(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) if !text.starts_with(HEX) => text.to_owned(),
        _ => value.iter().fold(HEX.to_owned(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("into a string");
            hex
        }),
    }
}

/// The headers of a dead letter's original, as they were sent.
pub fn letter_headers(letter: &proto::DeadLetter) -> Vec<(String, Vec<u8>)> {
    letter.headers.iter().map(|(name, value)| (name.clone(), bytes(value))).collect()
}

fn bytes(text: &str) -> Vec<u8> {
    let digits = text.strip_prefix(HEX).map(|digits| digits.as_bytes().chunks(2));
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.and_then(|pairs| pairs.map(byte).collect()).unwrap_or_else(|| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_as_they_were_sent() {
        let headers: [(&str, Option<&[u8]>); 4] =
            [("a", Some(b"text")), ("b", Some(&[0xff, 0x00])), ("c", Some(b"hex:zz")), ("d", Some(b""))];
        let Parts { key, headers: packed } = around(&Around::pack(Some(b"A"), headers));
        assert_eq!((key.as_deref(), packed["b"].as_str()), (Some(&b"A"[..]), "hex:ff00"));
        let letter = proto::DeadLetter { headers: packed, ..Default::default() };
        let sent = headers.map(|(name, value)| (name.to_owned(), value.unwrap().to_vec()));
        assert_eq!(letter_headers(&letter), sent);
    }

    #[test]
    fn too_much_is_cut() {
        let long = vec![b'x'; 40_000];
        let parts = around(&Around::pack(Some(&long), [("a", Some(&long[..])), ("b", Some(&long)), ("c", None)]));
        assert_eq!(parts.key.map(|key| key.len()), Some(KEY_BYTES_MAX));
        assert_eq!(parts.headers.into_keys().collect::<Vec<_>>(), ["a"]);
    }
}
