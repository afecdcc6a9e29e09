/// What a column, a sum or a computed name holds in one row. Times are milliseconds since 1970 in UTC.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
}

/// Appends the row in a form for [`decode_row`]; it never leaves the process that wrote it.
pub(crate) fn encode_row(row: &[Value], out: &mut Vec<u8>) {
    for value in row {
        match value {
            Value::Null => out.push(0),
            Value::Bool(value) => out.extend([1, u8::from(*value)]),
            Value::Int(value) => {
                out.push(2);
                out.extend(value.to_le_bytes());
            }
            Value::Text(text) => {
                out.push(3);
                out.extend((text.len() as u64).to_le_bytes());
                out.extend(text.as_bytes());
            }
        }
    }
}

/// The row that [`encode_row`] wrote.
pub(crate) fn decode_row(mut bytes: &[u8]) -> Vec<Value> {
    let mut row = Vec::new();
    while let Some((tag, rest)) = bytes.split_first() {
        let (value, rest) = match tag {
            0 => (Value::Null, rest),
            1 => (Value::Bool(rest[0] == 1), &rest[1..]),
            2 => number(rest),
            _ => text(rest),
        };
        row.push(value);
        bytes = rest;
    }
    row
}

fn number(bytes: &[u8]) -> (Value, &[u8]) {
    let (number, rest) = bytes.split_first_chunk().expect("eight bytes were written");
    (Value::Int(i64::from_le_bytes(*number)), rest)
}

fn text(bytes: &[u8]) -> (Value, &[u8]) {
    let (length, rest) = bytes.split_first_chunk().expect("eight bytes were written");
    let length = usize::try_from(u64::from_le_bytes(*length)).expect("it was in memory");
    let (text, rest) = rest.split_at(length);
    (Value::Text(String::from_utf8(text.to_vec()).expect("it was a `String`")), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_as_it_was() {
        let row = [
            Value::Text("a;é".into()),
            Value::Null,
            Value::Int(i64::MIN),
            Value::Bool(true),
            Value::Text(String::new()),
            Value::Bool(false),
        ];
        let mut bytes = Vec::new();
        encode_row(&row, &mut bytes);
        assert_eq!(decode_row(&bytes), row);
    }
}
