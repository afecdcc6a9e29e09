use std::borrow::Cow;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::ByteRecord;

use super::report::Refused;
use crate::SourceError;
use crate::files::open;
use crate::mapping::{Column, Mapping, TextEncoding, Value};

/// Rows of a set as its mapping types them.
pub(super) struct Table<'m> {
    mapping: &'m Mapping,
    path: PathBuf,
    reader: csv::Reader<BufReader<Box<dyn Read + Send>>>,
    record: ByteRecord,
    /// Cells that a row must have; 0: as many as the places need.
    cells: usize,
    /// Where in a row the mapping's columns are.
    places: Vec<usize>,
    bytes_read: Arc<AtomicU64>,
    pub(super) bytes_total: u64,
}

impl<'m> Table<'m> {
    pub(super) fn open(mapping: &'m Mapping, path: &Path) -> Result<Table<'m>, SourceError> {
        let input = open(path)?;
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(mapping.delimiter)
            .has_headers(mapping.header)
            .flexible(true)
            .from_reader(input.reader);
        let header =
            if mapping.header { Some(reader.byte_headers().map_err(|error| failed(path, error))?) } else { None };
        let cells = header.map_or(0, ByteRecord::len);
        let places = places(mapping, header).map_err(|message| misfit(path, message))?;
        let (bytes_read, bytes_total) = (input.bytes_read, input.bytes_total);
        let (path, record) = (path.to_owned(), ByteRecord::new());
        Ok(Table { mapping, path, reader, record, cells, places, bytes_read, bytes_total })
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// The next row's columns, or why the row is refused; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Result<Vec<Value>, Refused>>, SourceError> {
        let more = self.reader.read_byte_record(&mut self.record).map_err(|error| failed(&self.path, error))?;
        Ok(more.then(|| self.row()))
    }

    fn row(&self) -> Result<Vec<Value>, Refused> {
        let cells = self.record.len();
        if self.cells != 0 && cells != self.cells {
            return Err(Refused::new("BAD_ROW", format!("{cells} cells, the header has {}", self.cells)));
        }
        let read = |(column, place): (&_, &usize)| self.value(column, *place);
        self.mapping.columns.iter().zip(&self.places).map(read).collect()
    }

    fn value(&self, column: &Column, place: usize) -> Result<Value, Refused> {
        let Some(cell) = self.record.get(place) else {
            return Err(Refused::new("BAD_ROW", format!("no cell {}", place + 1)));
        };
        let text = text(cell, self.mapping.encoding);
        let text = text.ok_or_else(|| Refused::new("BAD_ROW", format!("column `{}` is not UTF-8", column.header)))?;
        let bad = || Refused::new("BAD_VALUE", format!("column `{}`: `{text}`", column.header));
        column.read(&text).ok_or_else(bad)
    }
}

fn places(mapping: &Mapping, header: Option<&ByteRecord>) -> Result<Vec<usize>, String> {
    let place = |column: &Column| match header {
        None => column.header.parse::<usize>().ok().and_then(|place| place.checked_sub(1)),
        Some(header) => {
            let named = |cell| text(cell, mapping.encoding).is_some_and(|cell| cell.trim() == column.header);
            header.iter().position(named)
        }
    };
    let found = |column| place(column).ok_or_else(|| format!("no column `{}` in its header", column.header));
    mapping.columns.iter().map(found).collect()
}

fn text(cell: &[u8], encoding: TextEncoding) -> Option<Cow<'_, str>> {
    match encoding {
        TextEncoding::Utf8 => std::str::from_utf8(cell).ok().map(Cow::Borrowed),
        TextEncoding::Latin1 => Some(cell.iter().map(|byte| char::from(*byte)).collect()),
    }
}

fn misfit(path: &Path, message: String) -> SourceError {
    SourceError::Input { path: path.display().to_string(), message }
}

/// Rows of any length and any bytes are taken, so only reading can fail.
fn failed(path: &Path, error: csv::Error) -> SourceError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => SourceError::reading(path)(error),
        other => misfit(path, format!("{other:?}")),
    }
}
