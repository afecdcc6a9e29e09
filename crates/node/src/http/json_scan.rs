//! Finds where the elements of a JSON array end, without reading them.

/// How far the scan is; kept between chunks.
#[derive(Debug, Default)]
pub struct JsonScan {
    place: Place,
    /// Brackets that are open within the element.
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// The element has begun.
    begun: bool,
    /// An element came before.
    follows: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Place {
    /// Nothing but space so far.
    #[default]
    Start,
    /// No array: the whole body is the record.
    Single,
    /// Within the array.
    Array,
    /// After it.
    Done,
}

/// What to do with the bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// All were looked at, none is to be taken off.
    More,
    /// So many are no part of an element.
    Skip(usize),
    /// An element ends before this position, where its comma or bracket stands.
    Element(usize),
    /// It is no array.
    Broken(String),
}

impl JsonScan {
    /// The bracket of the array is not closed yet.
    pub fn in_array(&self) -> bool {
        self.place == Place::Array
    }

    /// Looks at bytes that follow those of the step before.
    pub fn step(&mut self, bytes: &[u8]) -> Step {
        match self.place {
            _ if bytes.is_empty() => Step::More,
            Place::Single => Step::More,
            Place::Start => self.start(bytes),
            Place::Array => self.array(bytes),
            Place::Done if bytes.trim_ascii().is_empty() => Step::Skip(bytes.len()),
            Place::Done => Step::Broken("something follows the array".to_owned()),
        }
    }

    fn start(&mut self, bytes: &[u8]) -> Step {
        let Some(first) = bytes.iter().position(|byte| !byte.is_ascii_whitespace()) else {
            return Step::Skip(bytes.len());
        };
        if bytes[first] != b'[' {
            self.place = Place::Single;
            return Step::More;
        }
        self.place = Place::Array;
        Step::Skip(first + 1)
    }

    fn array(&mut self, bytes: &[u8]) -> Step {
        for (at, byte) in bytes.iter().enumerate() {
            if let Some(step) = self.byte(*byte, at) {
                return step;
            }
        }
        Step::More
    }

    fn byte(&mut self, byte: u8, at: usize) -> Option<Step> {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => (self.in_string, self.begun) = (!self.in_string, true),
            _ if self.in_string => {}
            b'[' | b'{' => (self.depth, self.begun) = (self.depth.saturating_add(1), true),
            b']' | b',' if self.depth == 0 => return Some(self.end(byte == b']', at)),
            b'}' if self.depth == 0 => return Some(Step::Broken("a bracket closes that was not opened".to_owned())),
            b']' | b'}' => self.depth -= 1,
            _ if !byte.is_ascii_whitespace() => self.begun = true,
            _ => {}
        }
        None
    }

    fn end(&mut self, of_array: bool, at: usize) -> Step {
        let (begun, follows) = (std::mem::take(&mut self.begun), std::mem::replace(&mut self.follows, true));
        if of_array {
            self.place = Place::Done;
        }
        match begun {
            true => Step::Element(at),
            false if of_array && !follows => Step::Skip(at + 1),
            false => Step::Broken("the array has an empty element".to_owned()),
        }
    }
}
