"""A downstream system: a credit ledger that applies each limit change of Headroom exactly once.

    ledger.py --brokers HOST:PORT --database ledger.sqlite

It reads `headroom.limit-changes.v1` (committed records only). Each account's changes carry a sequence from 1 without gaps:
the last one plus 1 is applied, what is at or below it was applied before and is passed over, anything above is a gap. Then
nothing more may be applied: the ledger stops with status 3, and a person must look. Limits and the position in the topic
are written in one SQLite transaction, so a crash at any moment loses nothing and applies nothing twice.

It also books the money of orders and repayments, each event once by its id, and publishes a snapshot of each account that
moved to `headroom.accounts.v1`: balance, held credit, the last sequence that it applied, and the moment that this describes:
up to there both inputs of the account's partition were read, and nothing later is in it. An account that moved since waits.

Exit status: 0 ended as asked; 1 Kafka or the database failed; 2 the command line is wrong; 3 a gap, or a sequence that came
again with another content; 4 records that were not read yet are gone from a topic.
"""

import argparse
import contextlib
import hashlib
import json
import signal
import sqlite3
import sys
import time
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from headroom.v1 import events_pb2, outputs_pb2

NO_SOURCE = "/"  # CloudEvents wants a source; this one stands for none
CHANGES, ORDERS, REPAYMENTS, ACCOUNTS = "limit-changes.v1", "orders.v1", "repayments.v1", "accounts.v1"

SCHEMA = """
-- The next offset to read of each partition.
CREATE TABLE IF NOT EXISTS position (topic TEXT, partition INTEGER, next INTEGER NOT NULL, time INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (topic, partition)) WITHOUT ROWID;
-- `limits` is the stack after the last change, as JSON; `digest` chains the contents of all changes so far; `moved` is the time
-- of the newest event whose money is in `balance` and `pending`; `told` is 1 once a snapshot has said all this.
CREATE TABLE IF NOT EXISTS account (id TEXT PRIMARY KEY, partition INTEGER NOT NULL, currency TEXT NOT NULL DEFAULT '',
    sequence INTEGER NOT NULL DEFAULT 0, limits TEXT, digest TEXT NOT NULL DEFAULT '',
    balance INTEGER NOT NULL DEFAULT 0, pending INTEGER NOT NULL DEFAULT 0, moved INTEGER NOT NULL DEFAULT 0,
    told INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS untold ON account (id) WHERE told = 0;
-- Every change, once.
CREATE TABLE IF NOT EXISTS change (account TEXT, sequence INTEGER, id TEXT NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (account, sequence)) WITHOUT ROWID;
-- Ids of the events whose money is booked.
CREATE TABLE IF NOT EXISTS booked (event TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Alarm(Exception):
    """The ledger and Headroom disagree: nothing more may be applied until a person has looked."""


class Lost(Exception):
    """Records that were not read yet are gone."""


class Book:
    """The ledger's tables. Nothing here commits: `Ledger.take` does, once for a batch with its positions."""

    def __init__(self, path):
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + SCHEMA)

    @contextlib.contextmanager
    def transaction(self):
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")

    def positions(self):
        return {(topic, partition): offset for topic, partition, offset in self.database.execute("SELECT topic, partition, next FROM position")}

    def move(self, topic, partition, offset, at):
        self.database.execute(
            "INSERT INTO position VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next, time = max(time, excluded.time)",
            (topic, partition, offset, at),
        )

    def apply(self, change, partition):
        """Applies a limit change if it is the account's next one. True if it was; Alarm if that leaves a gap."""
        row = self.database.execute("SELECT sequence, digest FROM account WHERE id = ?", (change.account_id,)).fetchone()
        sequence, digest = row or (0, "")
        content = content_digest(change)
        if change.sequence <= sequence:
            self.compare(change, content)
            return False
        if change.sequence > sequence + 1:
            raise Alarm(f"account {change.account_id}: sequence {change.sequence} follows {sequence}: {change.sequence - sequence - 1} missing")
        self.database.execute("INSERT INTO change VALUES (?, ?, ?, ?)", (change.account_id, change.sequence, change.id, content))
        self.database.execute(
            "INSERT INTO account (id, partition, currency, sequence, limits, digest) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "currency = excluded.currency, sequence = excluded.sequence, limits = excluded.limits, digest = excluded.digest, told = 0",
            (change.account_id, partition, change.currency, change.sequence, limits_of(change), chain(digest, content)),
        )
        return True

    def compare(self, change, content):
        there = self.database.execute("SELECT digest FROM change WHERE account = ? AND sequence = ?", (change.account_id, change.sequence)).fetchone()
        if there != (content,):
            raise Alarm(f"account {change.account_id}: sequence {change.sequence} came again with another content (change {change.id})")

    def book(self, event, account, partition, currency, balance, pending, at):
        """Books money of one event, once. Credit that is released beyond what is held holds nothing back."""
        if self.database.execute("INSERT OR IGNORE INTO booked VALUES (?)", (event,)).rowcount == 0:
            return
        self.database.execute("INSERT OR IGNORE INTO account (id, partition, currency) VALUES (?, ?, ?)", (account, partition, currency))
        self.database.execute(
            "UPDATE account SET balance = balance + ?, pending = max(0, pending + ?), moved = max(moved, ?), told = 0 WHERE id = ?",
            (balance, pending, at, account),
        )

    def snapshots(self):
        """Account, as-of time, currency, sequence, balance, held credit of accounts that nobody was told of."""
        return self.database.execute(
            "WITH complete AS (SELECT partition, min(time) AS at FROM position WHERE topic IN (?, ?) GROUP BY partition HAVING count(*) = 2) "
            "SELECT id, at, currency, sequence, balance, pending FROM account JOIN complete USING (partition) WHERE told = 0 AND moved <= at ORDER BY id",
            (ORDERS, REPAYMENTS),
        ).fetchall()

    def told(self, accounts):
        with self.transaction():
            self.database.executemany("UPDATE account SET told = 1 WHERE id = ?", [(account,) for account in accounts])

    def dump(self):
        rows = self.database.execute("SELECT id, sequence, currency, limits, digest, balance, pending FROM account ORDER BY id")
        names = ("account", "sequence", "currency", "limits", "digest", "balance", "pending")
        for row in rows:
            line = dict(zip(names, row))
            line["limits"] = json.loads(line["limits"]) if line["limits"] else None
            yield json.dumps(line, sort_keys=True)


def limits_of(change):
    return json.dumps(json_format.MessageToDict(change.after, preserving_proto_field_name=True), sort_keys=True)


def content_digest(change):
    """Of everything but where the causing record came from: the same change has the same content in every installation."""
    copy = outputs_pb2.LimitChange()
    copy.CopyFrom(change)
    for field in ("input", "partition", "offset"):
        copy.trigger.ClearField(field)
    return hashlib.sha256(copy.SerializeToString(deterministic=True)).hexdigest()


def chain(before, content):
    return hashlib.sha256(f"{before}{content}".encode()).hexdigest()


def event_of(message, kind):
    """Body, id and time of an input record: a CloudEvent in binary mode, or a whole `Event`. None if it holds another body."""
    headers = {name: (value or b"").decode() for name, value in message.headers() or []}
    value = message.value() or b""
    if "ce_type" in headers:
        if headers["ce_type"] != kind.DESCRIPTOR.full_name:
            return None
        source = headers.get("ce_source", NO_SOURCE)
        event = events_pb2.Event(event_id=headers.get("ce_id", ""), source="" if source == NO_SOURCE else source)
        event.occurred_at.FromJsonString(headers.get("ce_time", ""))
        return kind.FromString(value), event
    event = events_pb2.Event.FromString(value)
    field = {"OrderEvent": "order", "RepaymentEvent": "repayment"}[kind.DESCRIPTOR.name]
    return (getattr(event, field), event) if event.WhichOneof("body") == field else None


def money_of_order(order):
    """What an order moves: balance, held credit. A seller's orders move no credit."""
    kind, kinds = order.kind, events_pb2.OrderEvent
    if order.side == kinds.SIDE_SELLER:
        return 0, 0
    if kind == kinds.KIND_PLACED:
        return 0, order.hold
    if kind == kinds.KIND_PAID:
        return order.captured, -order.hold_released
    if kind in (kinds.KIND_CANCELLED, kinds.KIND_HOLD_EXPIRED):
        return 0, -order.hold_released
    if kind == kinds.KIND_REFUNDED:
        return -order.credit_refunded, 0
    return 0, 0


def money_of_repayment(repayment):
    if repayment.WhichOneof("kind") == "payment_posted":
        return -repayment.payment_posted.amount, 0
    if repayment.WhichOneof("kind") == "payment_returned":
        return repayment.payment_returned.amount, 0
    return 0, 0


INPUTS = {ORDERS: (events_pb2.OrderEvent, money_of_order), REPAYMENTS: (events_pb2.RepaymentEvent, money_of_repayment)}


class Ledger:
    """Reads topics into the book, and tells Headroom what it has."""

    def __init__(self, book, brokers, prefix, batch, show=0):
        self.book, self.prefix, self.batch = book, prefix, batch
        self.show, self.shown_at = show, 0.0  # changes printed a second, and when the last was
        self.applied, self.repeated, self.unread, self.told = 0, 0, 0, 0
        self.behind = set()  # partitions whose end was not seen since their last record
        self.consumer = Consumer({
            "bootstrap.servers": brokers,
            # Partitions are assigned by hand and positions kept in the database: the group's name means nothing.
            "group.id": "ledger",
            "enable.auto.commit": False,
            # What an aborted transaction wrote was never decided.
            "isolation.level": "read_committed",
            # A position that is gone is an alarm, never a reason to begin somewhere else.
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "check.crcs": True,
        })
        self.producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True, "partitioner": "murmur2_random"})

    def assign(self):
        """Every partition from where the book ends."""
        topics = self.consumer.list_topics(timeout=30).topics
        positions = self.book.positions()
        assigned = []
        for topic in (CHANGES, *INPUTS):
            found = topics.get(self.prefix + topic)
            if found is None or found.error:
                raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"there is no topic `{self.prefix + topic}`"))
            assigned += [TopicPartition(self.prefix + topic, p, positions.get((topic, p), OFFSET_BEGINNING)) for p in sorted(found.partitions)]
        self.consumer.assign(assigned)
        self.behind = {(each.topic, each.partition) for each in assigned}

    def read(self, wait):
        """Takes what comes within `wait` seconds; the number of records."""
        messages = [message for message in self.consumer.consume(self.batch, timeout=wait) if self.is_record(message)]
        self.take(messages)
        return len(messages)

    def is_record(self, message):
        error, partition = message.error(), (message.topic(), message.partition())
        if error is None:
            self.behind.add(partition)
            return True
        if error.code() == KafkaError._PARTITION_EOF:
            self.behind.discard(partition)
            return False
        if error.code() in (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET):
            raise Lost(f"{message.topic()}[{message.partition()}]: {error.str()}")
        if error.fatal():
            raise KafkaException(error)
        print(f"kafka: {error.str()}", file=sys.stderr)  # passing: the client tries again by itself
        return False

    def take(self, messages):
        """Books a batch and its positions, or nothing of it; what stands before an alarm is booked."""
        alarm = None
        with self.book.transaction():
            for message in messages:
                topic = message.topic().removeprefix(self.prefix)
                try:
                    at = self.take_one(topic, message)
                except Alarm as raised:
                    alarm = Alarm(f"{message.topic()}[{message.partition()}]@{message.offset()}: {raised}")
                    break
                self.book.move(topic, message.partition(), message.offset() + 1, at)
        if alarm:
            raise alarm

    def take_one(self, topic, message):
        """Time of an input's event in milliseconds, else 0."""
        if topic == CHANGES:
            try:
                change = outputs_pb2.LimitChange.FromString(message.value() or b"")
            except DecodeError as error:
                raise Alarm(f"not a limit change: {error}") from None
            if self.book.apply(change, message.partition()):
                self.applied += 1
                self.show_one(change)
            else:
                self.repeated += 1
            return 0
        return self.take_money(topic, message)

    def show_one(self, change):
        """Prints a change, unless another was printed just before."""
        if not self.show or time.monotonic() - self.shown_at < 1 / self.show:
            return
        self.shown_at = time.monotonic()
        kind = outputs_pb2.LimitChange.Kind.Name(change.kind).removeprefix("KIND_").lower()
        print(f"{change.trigger.at.ToJsonString()}  {change.account_id}  #{change.sequence}  {kind}  {', '.join(change.reasons)}")

    def take_money(self, topic, message):
        kind, money = INPUTS[topic]
        try:
            found = event_of(message, kind)
        except (DecodeError, ValueError) as error:  # Headroom makes a dead letter of it; here is nothing to book
            self.unread += 1
            print(f"{message.topic()}[{message.partition()}]@{message.offset()}: {error}", file=sys.stderr)
            return 0
        if found is None or message.key() is None:
            return 0
        body, event = found
        account, at = message.key().decode(errors="replace"), event.occurred_at.ToMilliseconds()
        balance, pending = money(body)
        if balance or pending:
            self.book.book(f"{kind.DESCRIPTOR.name}/{event.source}/{event.event_id}", account, message.partition(), body.currency, balance, pending, at)
        return at

    def publish_snapshots(self):
        """Tells Headroom what the book says. A snapshot that is lost is followed by another."""
        snapshots = self.book.snapshots()
        for account, as_of, currency, sequence, balance, pending in snapshots:
            body = events_pb2.AccountEvent()
            body.ledger_snapshot.currency = currency
            body.ledger_snapshot.as_of.FromMilliseconds(as_of)
            body.ledger_snapshot.last_applied_sequence = sequence
            body.ledger_snapshot.balance = balance
            body.ledger_snapshot.pending = pending
            self.publish(account, body, as_of)
        if self.producer.flush(10) == 0:
            self.book.told([snapshot[0] for snapshot in snapshots])
            self.told += len(snapshots)

    def publish(self, account, body, at):
        record = {
            "topic": self.prefix + ACCOUNTS,
            "key": account.encode(),
            "value": body.SerializeToString(),
            # The clock of the events, not ours: so past seasons stay in the past.
            "timestamp": at,
            "headers": {
                "ce_specversion": "1.0",
                "ce_id": str(uuid.uuid4()),
                "ce_type": body.DESCRIPTOR.full_name,
                "ce_source": "ledger",
                "ce_time": body.ledger_snapshot.as_of.ToJsonString(),
                "content-type": "application/protobuf",
            },
        }
        while True:
            try:
                self.producer.produce(**record)
            except BufferError:
                self.producer.poll(1.0)
            else:
                self.producer.poll(0)
                return


def serve(ledger, until_idle, snapshot_every):
    """Reads until it is told to stop, or everything was read and nothing has come for `until_idle` seconds."""
    stopping = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.append(True))
    ledger.assign()
    last_record = last_snapshot = time.monotonic()
    while not stopping:
        read = ledger.read(0.2)
        now = time.monotonic()
        if read > 0:
            last_record = now
        idle = until_idle is not None and not ledger.behind and now - last_record >= until_idle
        # A full batch: more is waiting, and what could be told is old.
        if snapshot_every and (idle or (read < ledger.batch and now - last_snapshot >= snapshot_every)):
            ledger.publish_snapshots()
            last_snapshot = now
        if idle:
            return


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True, help="SQLite file; made at the first start")
    parser.add_argument("--brokers", help="host:port, with commas")
    parser.add_argument("--topic-prefix", default="headroom.", help="what topics' names begin with")
    parser.add_argument("--batch", type=int, default=1000, metavar="RECORDS", help="most records in one transaction; each costs a sync of the disk")
    parser.add_argument("--until-idle", type=float, metavar="SECONDS", help="end once everything is read and nothing has come for so long")
    parser.add_argument("--snapshot-every", type=float, default=10, metavar="SECONDS", help="how often to publish snapshots; 0: never")
    parser.add_argument("--show", type=float, default=0, metavar="N", help="print at most N changes a second as they are applied")
    parser.add_argument("--dump", action="store_true", help="print every account as a line of JSON, sorted, and end")
    options = parser.parse_args()
    if not options.dump and not options.brokers:
        parser.error("--brokers is needed")
    return options


def main():
    options = arguments()
    book = Book(options.database)
    if options.dump:
        sys.stdout.writelines(f"{line}\n" for line in book.dump())
        return 0
    ledger = Ledger(book, options.brokers, options.topic_prefix, options.batch, options.show)
    try:
        serve(ledger, options.until_idle, options.snapshot_every)
    except Alarm as alarm:
        print(f"ALARM: {alarm}", file=sys.stderr)
        return 3
    except Lost as lost:
        print(f"ALARM: records are gone that were not read: {lost}", file=sys.stderr)
        return 4
    finally:
        print(f"{ledger.applied} applied, {ledger.repeated} known already, {ledger.unread} not readable, {ledger.told} snapshots", file=sys.stderr)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KafkaException as error:
        sys.exit(f"kafka: {error.args[0].str()}")
    except sqlite3.Error as error:
        sys.exit(f"database: {error}")
