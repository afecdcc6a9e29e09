//! Cuts a body into records while it arrives. Holds at most one record that is not whole yet.

use bytes::{Buf, Bytes, BytesMut};
use headroom_sources::Encoding;
use headroom_wire::{MESSAGE_BYTES_MAX, split_delimited};

use super::json_scan::{JsonScan, Step};

/// How the body of a request holds its records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// One event, or an array of them.
    Json,
    /// One event a line; blank lines are skipped.
    Lines,
    /// One message.
    Protobuf,
    /// Messages, each after its length as a varint.
    Delimited,
}

impl Form {
    /// How each record is encoded.
    pub fn encoding(self) -> Encoding {
        match self {
            Self::Json | Self::Lines => Encoding::Json,
            Self::Protobuf | Self::Delimited => Encoding::Protobuf,
        }
    }
}

/// What comes out of a body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// A whole record.
    Record(Bytes),
    /// A record of so many bytes, more than are taken. What follows it is read on.
    TooLarge(u64),
    /// From here on nobody can tell where records begin: nothing more comes out.
    Broken(String),
}

/// Cuts one body.
pub struct Splitter {
    form: Form,
    buffer: BytesMut,
    /// Of the buffer; was looked at before.
    scanned: usize,
    /// Bytes of a record that is too large and was dropped, so far.
    dropped: u64,
    scan: JsonScan,
    broken: bool,
}

impl Splitter {
    /// For a body of this form.
    pub fn new(form: Form) -> Self {
        let buffer = BytesMut::new();
        Self { form, buffer, scanned: 0, dropped: 0, scan: JsonScan::default(), broken: false }
    }

    /// The next bytes. Take all pieces before giving more.
    pub fn feed(&mut self, chunk: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(chunk);
        }
    }

    /// The next piece that is complete.
    pub fn next_piece(&mut self) -> Option<Piece> {
        if self.broken {
            return None;
        }
        let piece = match self.form {
            Form::Lines => self.line(),
            Form::Json => self.element(),
            Form::Delimited => self.message(),
            Form::Protobuf => self.bound(),
        };
        self.broken = matches!(piece, Some(Piece::Broken(_)));
        piece
    }

    /// The body ended as it should: what the rest is. Not to be called where it broke off.
    pub fn finish(mut self) -> Option<Piece> {
        if self.broken {
            return None;
        }
        match self.form {
            Form::Delimited if self.buffer.is_empty() => None,
            Form::Delimited => Some(Piece::Broken("the body ends within a message".to_owned())),
            Form::Json if self.scan.in_array() => Some(Piece::Broken("the body ends within the array".to_owned())),
            Form::Json | Form::Lines | Form::Protobuf => self.take_record(self.buffer.len()),
        }
    }

    fn line(&mut self) -> Option<Piece> {
        loop {
            let Some(at) = self.buffer[self.scanned..].iter().position(|byte| *byte == b'\n') else {
                self.scanned = self.buffer.len();
                return self.bound();
            };
            let piece = self.take_record(self.scanned + at);
            self.buffer.advance(1);
            if piece.is_some() {
                return piece;
            }
        }
    }

    fn element(&mut self) -> Option<Piece> {
        loop {
            match self.scan.step(&self.buffer[self.scanned..]) {
                Step::More => {
                    self.scanned = self.buffer.len();
                    return self.bound();
                }
                Step::Skip(length) => {
                    self.buffer.advance(self.scanned + length);
                    self.scanned = 0;
                }
                Step::Element(length) => {
                    let piece = self.take_record(self.scanned + length);
                    self.buffer.advance(1);
                    return piece;
                }
                Step::Broken(detail) => return Some(Piece::Broken(detail)),
            }
        }
    }

    fn message(&mut self) -> Option<Piece> {
        match split_delimited(&self.buffer) {
            Ok(None) => None,
            Ok(Some((message, rest))) => {
                let (length, before) = (message.len(), self.buffer.len() - rest.len() - message.len());
                self.buffer.advance(before);
                Some(Piece::Record(self.buffer.split_to(length).freeze()))
            }
            Err(error) => Some(Piece::Broken(error.detail)),
        }
    }

    /// Drops what is held of a record once it is too large; the rest of it is only counted.
    fn bound(&mut self) -> Option<Piece> {
        if self.dropped > 0 || self.buffer.len() > MESSAGE_BYTES_MAX {
            self.dropped += self.buffer.len() as u64;
            self.buffer.clear();
            self.scanned = 0;
        }
        None
    }

    /// The record in front; none if it is blank.
    fn take_record(&mut self, length: usize) -> Option<Piece> {
        let record = self.buffer.split_to(length).freeze();
        self.scanned = 0;
        let bytes = std::mem::take(&mut self.dropped) + record.len() as u64;
        if bytes > MESSAGE_BYTES_MAX as u64 {
            return Some(Piece::TooLarge(bytes));
        }
        let blank = match self.form.encoding() {
            Encoding::Json => record.trim_ascii().is_empty(),
            Encoding::Protobuf => record.is_empty(),
        };
        (!blank).then_some(Piece::Record(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All pieces of a body that arrives in chunks of so many bytes and ends as it should.
    fn pieces(form: Form, body: &[u8], chunk: usize) -> Vec<Piece> {
        let mut splitter = Splitter::new(form);
        let mut pieces = Vec::new();
        for chunk in body.chunks(chunk) {
            splitter.feed(chunk);
            pieces.extend(std::iter::from_fn(|| splitter.next_piece()));
        }
        pieces.extend(splitter.finish());
        pieces
    }

    fn words(form: Form, body: &str) -> Vec<String> {
        let in_chunks = |of| pieces(form, body.as_bytes(), of).into_iter().map(word).collect::<Vec<_>>();
        let whole = in_chunks(body.len().max(1));
        for chunk in 1..body.len() {
            assert_eq!(in_chunks(chunk), whole, "chunks of {chunk}");
        }
        whole
    }

    fn word(piece: Piece) -> String {
        match piece {
            Piece::Record(bytes) => String::from_utf8(bytes.trim_ascii().to_vec()).unwrap(),
            Piece::TooLarge(bytes) => format!("<{bytes}>"),
            Piece::Broken(detail) => format!("!{detail}"),
        }
    }

    #[test]
    fn lines_need_no_last_line_end_and_blank_ones_are_skipped() {
        assert_eq!(words(Form::Lines, "a\n\n b\r\n \nc"), ["a", "b", "c"]);
        assert_eq!(words(Form::Lines, "a\n"), ["a"]);
        assert!(words(Form::Lines, "").is_empty());
    }

    #[test]
    fn json_is_one_event_or_an_array() {
        assert_eq!(words(Form::Json, " {\"a\": [1, 2]} "), ["{\"a\": [1, 2]}"]);
        assert_eq!(words(Form::Json, "[ {\"a\":\"],\\\"\"} ,[1,2], 3 ] "), ["{\"a\":\"],\\\"\"}", "[1,2]", "3"]);
        for empty in ["", "  ", "[]", " [ ] "] {
            assert!(words(Form::Json, empty).is_empty(), "`{empty}`");
        }
    }

    #[test]
    fn an_array_that_is_none_gives_what_came_before() {
        assert_eq!(words(Form::Json, "[1,2"), ["1", "!the body ends within the array"]);
        assert_eq!(words(Form::Json, "[1,,2]"), ["1", "!the array has an empty element"]);
        assert_eq!(words(Form::Json, "[1,]"), ["1", "!the array has an empty element"]);
        assert_eq!(words(Form::Json, "[1] 2"), ["1", "!something follows the array"]);
        assert_eq!(words(Form::Json, "[1}]"), ["!a bracket closes that was not opened"]);
    }

    #[test]
    fn messages_follow_their_lengths() {
        assert_eq!(words(Form::Delimited, "\u{1}a\u{2}bc\u{0}"), ["a", "bc", ""]);
        assert_eq!(words(Form::Delimited, "\u{1}a\u{3}bc"), ["a", "!the body ends within a message"]);
        assert_eq!(words(Form::Protobuf, "abc"), ["abc"]);
        assert!(words(Form::Protobuf, "").is_empty());
    }

    #[test]
    fn what_is_too_large_is_dropped_and_the_rest_goes_on() {
        let large = "x".repeat(MESSAGE_BYTES_MAX + 1);
        let told = |form, body: String| -> Vec<String> {
            let by_chunk = [4096, MESSAGE_BYTES_MAX, usize::MAX].map(|chunk| pieces(form, body.as_bytes(), chunk));
            assert!(by_chunk.iter().all(|each| *each == by_chunk[0]));
            by_chunk[0].iter().cloned().map(word).collect()
        };
        let size = format!("<{}>", large.len());
        assert_eq!(told(Form::Lines, format!("a\n{large}\nb\n{large}")), ["a", &size, "b", &size]);
        assert_eq!(told(Form::Json, format!("[1,\"{large}\",2]")), ["1", &format!("<{}>", large.len() + 2), "2"]);
        assert_eq!(told(Form::Json, large.clone()), [&*size]);
        assert_eq!(told(Form::Protobuf, large), [&*size]);
    }

    #[test]
    fn a_length_beyond_the_bound_ends_the_stream() {
        let stream = pieces(Form::Delimited, b"\x01a\xff\xff\xff\xff\x0fzz", 3);
        assert_eq!(stream.len(), 2);
        assert!(matches!(&stream[1], Piece::Broken(detail) if detail.contains("at most")), "{stream:?}");
    }
}
