//! Reading and writing event files and output files.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use headroom_sources::{Encoding, EventReader, EventWriter, OutputWriter, SourceError, Written};
use headroom_wire::{MESSAGE_BYTES_MAX, proto};
use tempfile::TempDir;

fn file(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// Index and bytes of all records.
fn read_all(path: &Path) -> Result<Vec<(u64, Vec<u8>)>, SourceError> {
    let mut reader = EventReader::open(path)?;
    let mut records = Vec::new();
    while let Some(record) = reader.read()? {
        records.push((record.index, record.bytes.to_vec()));
    }
    assert_eq!(reader.bytes_read(), reader.bytes_total());
    Ok(records)
}

fn event(id: &str) -> proto::Event {
    proto::Event { event_id: id.into(), ..Default::default() }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn lines_are_handed_on_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "a.ndjson", b"{\"a\":1}\r\n\n\r\nnot json \xff\n  \nlast");
    let records = read_all(&path).unwrap();
    let expected: [(u64, &[u8]); 4] = [(0, b"{\"a\":1}"), (3, b"not json \xff"), (4, b"  "), (5, b"last")];
    assert_eq!(records, expected.map(|(index, bytes)| (index, bytes.to_vec())));
    assert_eq!(read_all(&file(&folder, "empty.ndjson", b"")).unwrap(), []);
}

#[test]
fn a_line_that_is_too_long_is_cut_and_the_next_one_read() {
    let folder = tempfile::tempdir().unwrap();
    let long = vec![b'x'; MESSAGE_BYTES_MAX + 1];
    let fits = vec![b'y'; MESSAGE_BYTES_MAX];
    let path = file(&folder, "a.jsonl", &[&long[..], b"\n", &fits, b"\nz"].concat());
    let whole = file(&folder, "whole", &long);
    let mut reader = EventReader::open(&path).unwrap();
    let record = reader.read().unwrap().unwrap();
    let cut = record.cut.unwrap();
    assert_eq!((record.bytes.len(), cut.length), (MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX as u64 + 1));
    assert_eq!(cut.sha256, headroom_sources::content_hash(&whole).unwrap());
    let record = reader.read().unwrap().unwrap();
    assert_eq!((record.index, record.bytes.len(), record.cut), (1, MESSAGE_BYTES_MAX, None));
    let record = reader.read().unwrap().unwrap();
    assert_eq!((record.index, record.bytes, record.encoding), (2, &b"z"[..], Encoding::Json));
}

#[test]
fn frames_are_handed_on_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "a.pb", &[&[3, 0xff, 0xff, 0xff, 0, 0x80, 0x01][..], &[7; 128]].concat());
    let expected = [(0, vec![0xff; 3]), (1, vec![]), (2, vec![7; 128])];
    assert_eq!(read_all(&path).unwrap(), expected);
}

#[test]
fn frames_that_cannot_be_told_apart_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let read = |bytes: &[u8]| {
        let error = read_all(&file(&folder, "a.pb", &[&[1, 0][..], bytes].concat())).unwrap_err().to_string();
        error.rsplit_once("` ").unwrap().1.to_owned()
    };
    assert_eq!(read(&[2, 0]), "record 1: the file ends within it");
    assert_eq!(read(&[0x80]), "record 1: the file ends within it");
    assert_eq!(read(&[0xff; 11]), "record 1: its length is no varint");
    assert_eq!(read(&[0x81, 0x80, 0x40]), "record 1: 1048577 bytes, at most 1048576 are taken");
}

#[test]
fn compressed_streams_that_are_cut_short_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (0..2000).map(|number| format!("{{\"event_id\":\"{number}\"}}\n")).collect();
    let zstd = zstd::encode_all(lines.as_bytes(), 3).unwrap();
    for (name, bytes) in [("a.ndjson.gz", gzip(lines.as_bytes())), ("a.ndjson.zst", zstd)] {
        assert_eq!(read_all(&file(&folder, name, &bytes)).unwrap().len(), 2000);
        let short = file(&folder, name, &bytes[..bytes.len() - 5]);
        let error = read_all(&short).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read `{}`", short.display()));
    }
}

#[test]
fn members_of_a_compressed_file_are_read_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let members = [gzip(b"a\nb"), gzip(b"c\nd\n")].concat();
    let records = read_all(&file(&folder, "a.json.gz", &members)).unwrap();
    assert_eq!(records, [(0, b"a".to_vec()), (1, b"bc".to_vec()), (2, b"d".to_vec())]);
}

#[test]
fn an_event_file_appears_when_it_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "a.pb", b"old");
    let mut writer = EventWriter::create(&path).unwrap();
    writer.write(&event("one")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(writer.finish().unwrap(), Written { events: 1, bytes: 6 });
    assert_eq!(read_all(&path).unwrap().len(), 1);
    drop(EventWriter::create(&path).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(read_all(&path).unwrap().len(), 1);
}

fn notice(id: &str) -> proto::Output {
    let notice = proto::Notice { id: id.into(), ..Default::default() };
    proto::Output { body: Some(proto::output::Body::Notice(notice)) }
}

#[test]
fn outputs_go_on_where_they_are_cut_back_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.ndjson");
    let mut writer = OutputWriter::open_at(&path, 0).unwrap();
    writer.write(&notice("a")).unwrap();
    let kept = writer.sync().unwrap();
    writer.write(&notice("b")).unwrap();
    assert_eq!(writer.flush().unwrap(), 2 * kept);
    let mut writer = OutputWriter::open_at(&path, kept).unwrap();
    writer.write(&notice("c")).unwrap();
    writer.flush().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, "{\"notice\":{\"id\":\"a\"}}\n{\"notice\":{\"id\":\"c\"}}\n");
}

#[test]
fn outputs_that_cannot_be_cut_back_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = |name: &str| OutputWriter::open_at(&folder.path().join(name), 9).err().unwrap().to_string();
    file(&folder, "out.pb", b"12345678");
    assert!(error("out.pb").ends_with("out.pb` has 8 bytes, 9 were written"));
    assert!(error("none.pb").starts_with("cannot write"));
    assert!(error("out.pb.gz").contains("is no event file"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
