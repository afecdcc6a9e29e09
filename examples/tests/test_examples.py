"""The examples against a real broker, without a Headroom node: what it would write is written here.

The broker's address stands in HEADROOM_TEST_BROKERS; crates/kafka-broker/tests/examples.rs starts one and runs this.
"""

import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from google.protobuf import json_format
from headroom.v1 import events_pb2, outputs_pb2

EXAMPLES = Path(__file__).resolve().parent.parent
PRODUCER, LEDGER = EXAMPLES / "producer/producer.py", EXAMPLES / "ledger/ledger.py"
BROKERS = os.environ["HEADROOM_TEST_BROKERS"]
PARTITIONS = 4
TOPICS = {"orders.v1": PARTITIONS, "repayments.v1": PARTITIONS, "signals.v1": PARTITIONS, "accounts.v1": PARTITIONS,
          "promotions.v1": 1, "control.v1": 1, "limit-changes.v1": PARTITIONS}
names = itertools.count()


def murmur2(key):
    """Kafka's own, to check the partitioner against something else than itself."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    hash_ = 0x9747B28C ^ len(key)
    whole = len(key) // 4 * 4
    for at in range(0, whole, 4):
        k = int.from_bytes(key[at:at + 4], "little") * m & mask
        hash_ = (hash_ * m & mask) ^ ((k ^ (k >> 24)) * m & mask)
    if rest := key[whole:]:
        hash_ = (hash_ ^ int.from_bytes(rest, "little")) * m & mask
    hash_ = (hash_ ^ (hash_ >> 13)) * m & mask
    return hash_ ^ (hash_ >> 15)


def partition_of(account):
    return (murmur2(account.encode()) & 0x7FFFFFFF) % PARTITIONS


class WithTopics(unittest.TestCase):
    """Each test has topics and a folder of its own."""

    def setUp(self):
        self.prefix = f"t{os.getpid()}-{next(names)}."
        self.admin = AdminClient({"bootstrap.servers": BROKERS})
        made = self.admin.create_topics(
            [NewTopic(self.prefix + name, partitions, 1) for name, partitions in TOPICS.items()])
        for future in made.values():
            future.result()
        self.wait_for_leaders()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.database = self.folder / "ledger.sqlite"

    def run_python(self, script, *arguments):
        command = [sys.executable, script, "--brokers", BROKERS, "--topic-prefix", self.prefix, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    def ledger(self, *arguments):
        return self.run_python(LEDGER, "--database", self.database, "--until-idle", 0, "--snapshot-every", 0, *arguments)

    def dump(self):
        return [json.loads(line) for line in self.run_python(LEDGER, "--database", self.database, "--dump").stdout.splitlines()]

    def records(self, topic):
        """Everything that stands in a topic."""
        consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": "test", "enable.auto.commit": False, "isolation.level": "read_committed"})
        self.addCleanup(consumer.close)
        ends = {p: consumer.get_watermark_offsets(TopicPartition(self.prefix + topic, p), timeout=30)[1] for p in range(TOPICS[topic])}
        consumer.assign([TopicPartition(self.prefix + topic, p, 0) for p in ends])
        found = []
        while any(consumer.position([TopicPartition(self.prefix + topic, p)])[0].offset < end for p, end in ends.items() if end > 0):
            message = consumer.poll(30)
            self.assertIsNotNone(message, f"{topic} ends before its end")
            self.assertIsNone(message.error())
            found.append(message)
        return found


    def wait_for_leaders(self):
        """A topic is there before its partitions have leaders; questions that the client does not repeat by itself fail until then."""
        consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": "test"})
        self.addCleanup(consumer.close)
        deadline = time.monotonic() + 60
        waiting = [TopicPartition(self.prefix + name, p) for name, partitions in TOPICS.items() for p in range(partitions)]
        while waiting:
            try:
                consumer.get_watermark_offsets(waiting[-1], timeout=30)
                waiting.pop()
            except KafkaException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


class ProducerTest(WithTopics):
    def test_every_event_of_a_file_becomes_one_record(self):
        path = EXAMPLES / "double11.ndjson"
        done = self.run_python(PRODUCER, path)
        self.assertEqual((done.returncode, done.stderr.splitlines()[-1]), (0, "90 delivered, 0 not"))
        records = [(topic, record) for topic in TOPICS for record in self.records(topic)]
        events = {event.event_id: event for event in map(lambda line: json_format.Parse(line, events_pb2.Event()), path.read_text().splitlines())}
        self.assertEqual(sorted(dict(record.headers())["ce_id"].decode() for _, record in records), sorted(events))
        for topic, record in records:
            self.check_record(topic, record, events[dict(record.headers())["ce_id"].decode()])

    def check_record(self, topic, record, event):
        headers = {name: value.decode() for name, value in record.headers()}
        body = getattr(event, event.WhichOneof("body"))
        self.assertEqual(type(body).FromString(record.value()), body)
        self.assertEqual(headers["ce_type"], f"headroom.v1.{type(body).__name__}")
        self.assertEqual((headers["ce_specversion"], headers["ce_source"], headers["content-type"]), ("1.0", "demo", "application/protobuf"))
        self.assertEqual(headers["ce_time"], event.occurred_at.ToJsonString())
        self.assertEqual(record.timestamp()[1], event.occurred_at.ToMilliseconds())
        if topic == "promotions.v1":
            self.assertEqual((event.account_id, record.key().decode()), ("", event.promotion.promotion_id))
        else:
            self.assertEqual((record.key().decode(), record.partition()), (event.account_id, partition_of(event.account_id)))

    def test_what_the_envelope_says_travels_as_headers(self):
        line = {"event_id": "e", "account_id": "A1", "occurred_at": "2025-11-10T00:00:00Z", "recorded_at": "2025-11-11T00:00:00Z", "provenance": "PROVENANCE_SYNTHETIC",
                "time_precision": "TIME_PRECISION_DAY", "order": {"kind": "KIND_PLACED", "order_id": "O", "currency": "CNY", "amount": "1"}}
        path = self.folder / "one.ndjson"
        path.write_text(json.dumps(line))
        self.assertEqual(self.run_python(PRODUCER, path).returncode, 0)
        [record] = self.records("orders.v1")
        headers = {name: value.decode() for name, value in record.headers()}
        self.assertEqual((headers["ce_source"], headers["ce_recordedat"], headers["ce_provenance"], headers["ce_timeprecision"]),
                         ("/", "2025-11-11T00:00:00Z", "synthetic", "day"))
        self.assertEqual(record.timestamp()[1], 1_762_819_200_000)

    def test_a_story_of_its_own(self):
        done = self.run_python(PRODUCER)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^\S+accounts.v1\[\d\]@0 DEMO-\d+-0$")
        self.assertEqual(len(done.stdout.splitlines()), 5, done.stdout)
        self.assertEqual([len(self.records(topic)) for topic in ("accounts.v1", "orders.v1", "repayments.v1", "signals.v1")], [1, 2, 1, 1])

    def test_a_line_that_is_no_event_is_named_and_what_stands_before_it_is_sent(self):
        lines = (EXAMPLES / "double11.ndjson").read_text().splitlines()
        for bad, why in (("{", "no event"), ('{"event_id":"x","occurred_at":"2025-10-06T00:00:00Z","account_id":"M1"}', "no body"),
                         ('{"event_id":"x","order":{"kind":"KIND_PLACED"}}', "no account"), ('{"nonsense":1}', "nonsense")):
            path = self.folder / "bad.ndjson"
            path.write_text("\n".join(lines[:3] + [bad] + lines[3:]))
            done = self.run_python(PRODUCER, path)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"{path}:4: ", done.stderr)
            self.assertIn(why, done.stderr)
            self.assertEqual(done.stderr.splitlines()[-1], "3 delivered, 0 not")

    def test_a_missing_file_or_topic_is_told(self):
        done = self.run_python(PRODUCER, self.folder / "missing")
        self.assertEqual((done.returncode, done.stderr.splitlines()[-1]), (2, "0 delivered, 0 not"))
        self.assertIn("missing", done.stderr)
        self.prefix = "nowhere."
        self.assertEqual(self.run_python(PRODUCER).returncode, 1)
        done = self.ledger()
        self.assertEqual(done.returncode, 1)
        self.assertIn("nowhere.limit-changes.v1", done.stderr)


class LedgerTest(WithTopics):
    def setUp(self):
        super().setUp()
        self.producer = Producer({"bootstrap.servers": BROKERS, "transactional.id": self.prefix, "partitioner": "murmur2_random"})
        self.producer.init_transactions(30)

    @staticmethod
    def change(account, sequence, base=None):
        change = outputs_pb2.LimitChange(id=f"{account}:{sequence}", account_id=account, sequence=sequence, currency="CNY")
        change.after.base = change.after.granted = 1000 * sequence if base is None else base
        change.trigger.input, change.trigger.offset = "headroom.orders.v1", random.randrange(1000)
        return change

    def write(self, changes, commit=True):
        self.producer.begin_transaction()
        for change in changes:
            self.producer.produce(self.prefix + "limit-changes.v1", key=change.account_id.encode(), value=change.SerializeToString())
            self.producer.poll(0)
        if commit:
            self.producer.commit_transaction(30)
        else:
            self.producer.flush(30)
            self.producer.abort_transaction(30)

    def input(self, topic, account, body, event_id, seconds):
        clock = events_pb2.Event()
        clock.occurred_at.FromSeconds(seconds)
        headers = {"ce_specversion": "1.0", "ce_id": event_id, "ce_type": body.DESCRIPTOR.full_name, "ce_source": "s",
                   "ce_time": clock.occurred_at.ToJsonString()}
        self.producer.begin_transaction()
        self.producer.produce(self.prefix + topic, key=account.encode(), value=body.SerializeToString(), headers=headers)
        self.producer.commit_transaction(30)

    def test_killed_at_any_moment_it_applies_every_change_once(self):
        accounts, changes = [f"A{number}" for number in range(60)], 100
        for first in range(1, changes + 1, 10):
            batch = [self.change(account, sequence) for sequence in range(first, first + 10) for account in accounts]
            self.write(batch)
            # Written again by somebody; and what an aborted transaction wrote, which nobody may see.
            self.write([self.change(account, sequence) for account in accounts[:7] for sequence in (1, first)])
            self.write([self.change(account, first + 10, base=1) for account in accounts], commit=False)
        applied, kills = 0, 0
        while applied < len(accounts) * changes:
            applied, kills = self.kill_ledger(applied), kills + 1
        self.assertGreater(kills, 2)
        done = self.ledger()
        self.assertEqual(done.returncode, 0, done.stderr)
        dump = self.dump()
        self.assertEqual([(row["account"], row["sequence"], row["limits"]["base"]) for row in dump],
                         [(account, changes, str(1000 * changes)) for account in sorted(accounts)])
        self.assertEqual(len({row["digest"] for row in dump}), len(accounts))
        self.assertEqual(self.rows("SELECT count(*), count(DISTINCT account || '/' || sequence) FROM change"), [(6000, 6000)])
        # Another ledger that nobody disturbed comes to the same.
        self.database = self.folder / "other.sqlite"
        self.assertEqual(self.ledger().returncode, 0)
        self.assertEqual(self.dump(), dump)

    def kill_ledger(self, before):
        """Lets a ledger go on until it has applied something, kills it a moment later; returns what is applied then."""
        command = [sys.executable, LEDGER, "--brokers", BROKERS, "--topic-prefix", self.prefix, "--database", self.database, "--batch", "50"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while self.applied() <= before:
            self.assertLess(time.monotonic(), deadline, "nothing is applied")
            time.sleep(0.005)
        time.sleep(random.uniform(0, 0.02))  # the moment is what varies: nothing is waited for
        process.kill()
        self.assertEqual(process.wait(), -signal.SIGKILL)
        return self.applied()

    def applied(self):
        try:
            return self.rows("SELECT coalesce(sum(sequence), 0) FROM account")[0][0]
        except sqlite3.OperationalError:  # the tables are not there yet
            return 0

    def rows(self, query):
        connection = sqlite3.connect(self.database)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def test_a_gap_stops_it_and_what_stands_before_is_applied(self):
        self.write([self.change("A1", 1), self.change("A1", 2), self.change("A1", 4), self.change("A1", 5)])
        for attempt in range(2):
            done = self.ledger()
            self.assertEqual(done.returncode, 3, attempt)
            self.assertIn("ALARM", done.stderr)
            self.assertIn("account A1: sequence 4 follows 2: 1 missing", done.stderr)
            self.assertEqual([(row["account"], row["sequence"]) for row in self.dump()], [("A1", 2)])

    def test_a_sequence_with_another_content_stops_it(self):
        self.write([self.change("A1", 1), self.change("A1", 1), self.change("A1", 1, base=7)])
        done = self.ledger()
        self.assertEqual(done.returncode, 3)
        self.assertIn("sequence 1 came again with another content", done.stderr)
        self.assertEqual(self.dump()[0]["limits"]["base"], "1000")

    def test_what_is_no_limit_change_stops_it(self):
        self.producer.begin_transaction()
        self.producer.produce(self.prefix + "limit-changes.v1", key=b"A1", value=b"\xff\xff")
        self.producer.commit_transaction(30)
        done = self.ledger()
        self.assertEqual(done.returncode, 3)
        self.assertIn("not a limit change", done.stderr)

    def test_records_that_expired_unread_stop_it(self):
        self.write([self.change("A1", 1)])
        self.assertEqual(self.ledger().returncode, 0)
        self.write([self.change("A1", 2), self.change("A1", 3)])
        partition = TopicPartition(self.prefix + "limit-changes.v1", partition_of("A1"), -1)
        for future in self.admin.delete_records([partition]).values():
            future.result()
        done = self.ledger()
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertEqual([(row["account"], row["sequence"]) for row in self.dump()], [("A1", 1)])

    def test_money_is_booked_once_and_told_when_it_is_complete(self):
        order, payment = events_pb2.OrderEvent, events_pb2.RepaymentEvent
        placed = order(kind=order.KIND_PLACED, order_id="O", currency="CNY", amount=500, hold=500)
        paid = order(kind=order.KIND_PAID, order_id="O", currency="CNY", amount=500, hold_released=500, captured=480)
        self.input("orders.v1", "A1", placed, "e1", 1000)
        self.input("orders.v1", "A1", placed, "e1", 1000)
        self.input("orders.v1", "A1", paid, "e2", 1010)
        self.input("orders.v1", "A1", order(kind=order.KIND_PLACED, side=order.SIDE_SELLER, currency="CNY", amount=9, hold=9), "e3", 1020)
        self.write([self.change("A1", 1)])
        # No repayment was read: nobody knows whether one is missing.
        self.assertEqual(self.ledger("--snapshot-every", 0.1).returncode, 0)
        self.assertEqual(self.records("accounts.v1"), [])
        posted = payment(currency="CNY")
        posted.payment_posted.payment_id, posted.payment_posted.amount = "P", 100
        self.input("repayments.v1", "A1", posted, "e4", 1015)
        done = self.ledger("--snapshot-every", 0.1)
        self.assertEqual((done.returncode, done.stderr.splitlines()[-1]), (0, "0 applied, 0 known already, 0 not readable, 1 snapshots"))
        [record] = self.records("accounts.v1")
        snapshot = events_pb2.AccountEvent.FromString(record.value()).ledger_snapshot
        self.assertEqual((snapshot.balance, snapshot.pending, snapshot.last_applied_sequence, snapshot.currency, snapshot.as_of.seconds),
                         (380, 0, 1, "CNY", 1015))
        self.assertEqual((record.key(), record.partition(), record.timestamp()[1]), (b"A1", partition_of("A1"), 1_015_000))
        # Told once, until something moves.
        self.assertEqual(self.ledger("--snapshot-every", 0.1).returncode, 0)
        self.assertEqual(len(self.records("accounts.v1")), 1)


class MurmurTest(unittest.TestCase):
    def test_it_hashes_as_kafka_does(self):
        cases = {"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536, "abc": 479470107}
        self.assertEqual({text: murmur2(text.encode()) for text in cases}, {text: hash_ & 0xFFFFFFFF for text, hash_ in cases.items()})


if __name__ == "__main__":
    unittest.main()
