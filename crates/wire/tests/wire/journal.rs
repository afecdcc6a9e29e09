//! The journal record and the log record: nothing is lost, the seal sees everything, damage is an error.

use headroom_engine::{Position, Timestamp};
use headroom_wire::{
    Journal, JournalInput, JournalOutputs, JournalWriter, LogRecord, StoredError, decode_journal, decode_log_record,
    encode_journal, encode_log_record, proto,
};
use prost::Message;

use crate::fill::Dice;
use crate::mutation::damage;

/// Every field is set.
pub fn journal() -> Journal {
    let input = JournalInput { input: "orders".into(), partition: 3, from: 10, to: 20, count: 9 };
    let mut journal = Journal {
        seq: 7,
        prev_digest: [1; 32],
        writer: JournalWriter { instance: "i-1".into(), incarnation: 2, ..JournalWriter::default() },
        level: 1,
        logic_version: 4,
        config_hash: "c0".into(),
        ruleset_hash: "ab".into(),
        now: Timestamp(1_762_805_100_000),
        inputs: vec![input.clone(), JournalInput { partition: 4, ..input }],
        input_digest: [2; 32],
        tick: Some(Timestamp(0)),
        swept: 500,
        poisoned: vec![Position { input: "orders".into(), partition: 3, offset: 12 }],
        cancelled: vec!["timer daily of account `A`".into()],
        outputs: JournalOutputs { first: 100, count: 2, digest: [3; 32] },
        ruleset_seeded: true,
        // As without Kafka.
        delta_digest: None,
        take_over: false,
        waited_out: false,
        digest: [0; 32],
    };
    journal.seal();
    journal
}

pub fn log_record() -> LogRecord {
    let bytes: &[u8] = b"{\"event_id\":\"e\"}";
    LogRecord { timestamp: Timestamp(1_762_805_100_000), encoding: "protobuf", replayed: true, bytes: bytes.into() }
}

#[test]
fn a_journal_record_comes_back_as_it_was() {
    let kafka = Journal { delta_digest: Some([5; 32]), take_over: true, waited_out: true, ..journal() };
    for record in [journal(), Journal::default(), kafka] {
        assert_eq!(decode_journal(&encode_journal(&record)), Ok(record));
    }
}

#[test]
fn the_seal_is_over_every_field() {
    let sealed = journal();
    assert!(sealed.is_sealed() && !Journal::default().is_sealed());
    let changes: [fn(&mut Journal); 23] = [
        |it| it.waited_out = true,
        |it| it.writer.transactional_id.push('t'),
        |it| it.delta_digest = Some([4; 32]),
        |it| it.take_over = true,
        |it| it.seq += 1,
        |it| it.prev_digest[0] ^= 1,
        |it| it.writer.instance.clear(),
        |it| it.writer.incarnation += 1,
        |it| it.level += 1,
        |it| it.logic_version += 1,
        |it| it.config_hash.clear(),
        |it| it.ruleset_hash.clear(),
        |it| it.now.0 += 1,
        |it| it.inputs[1].from += 1,
        |it| it.input_digest[0] ^= 1,
        |it| it.tick = None,
        |it| it.swept += 1,
        |it| it.poisoned[0].offset += 1,
        |it| it.cancelled.clear(),
        |it| it.outputs.first += 1,
        |it| it.outputs.digest[0] ^= 1,
        |it| it.ruleset_seeded = false,
        |it| it.digest[31] ^= 1,
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut changed = sealed.clone();
        change(&mut changed);
        assert!(!changed.is_sealed(), "change {at}");
    }
}

#[test]
fn a_digest_of_another_length_is_damage() {
    let bytes = encode_journal(&journal());
    let mut message = proto::JournalRecord::decode(&*bytes).unwrap();
    message.prev_digest.pop();
    assert!(matches!(decode_journal(&message.encode_to_vec()), Err(StoredError::Damaged { .. })));
    assert!(matches!(decode_journal(&[]), Err(StoredError::Damaged { .. })));
}

fn stored(record: &LogRecord) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_log_record(record, &mut bytes);
    bytes
}

#[test]
fn a_log_record_comes_back_as_it_was_and_is_what_the_contract_says() {
    let record = log_record();
    let plain = LogRecord { timestamp: Timestamp(-1), encoding: "json", replayed: false, bytes: [].into() };
    for record in [&record, &plain] {
        assert_eq!(decode_log_record(&stored(record)).as_ref(), Ok(record));
        let message = proto::StoredLogRecord::decode(&stored(record)[1..]).unwrap();
        assert_eq!(message.encode_to_vec(), &stored(record)[1..]);
        assert_eq!((message.timestamp, message.bytes.as_slice()), (record.timestamp.0, &*record.bytes));
    }
}

#[test]
fn damaged_records_never_panic() {
    let mut dice = Dice(11);
    let mut refused = 0;
    for _ in 0..20_000 {
        let (mut log, mut journal) = (stored(&log_record()), encode_journal(&journal()));
        damage(&mut log, &mut dice);
        damage(&mut journal, &mut dice);
        refused += usize::from(decode_log_record(&log).is_err());
        refused += usize::from(!decode_journal(&journal).is_ok_and(|record| record.is_sealed()));
    }
    assert!(refused > 10_000, "{refused} refused");
}

#[test]
fn a_log_record_of_a_later_layout_is_refused() {
    let mut bytes = stored(&log_record());
    bytes[0] = 2;
    assert_eq!(decode_log_record(&bytes), Err(StoredError::Newer { found: 2, known: 1 }));
}
