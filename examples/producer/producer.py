"""An upstream system: publishes events to Headroom's topics, each at most one error away from being sent again.

    producer.py [FILE] --brokers HOST:PORT

FILE holds one event a line, a message `Event` of proto/headroom/v1/events.proto in protobuf's JSON form: what
`headroom generate` and `headroom import` write. Without FILE a short story of one account is sent.

Each record is a CloudEvent in binary mode: the key is the account, the value the event's body in protobuf, and the
envelope travels as headers. Sending everything again is safe for seven days: Headroom knows an event by its id.

Exit status: 0 all records are in the topics; 1 some were not delivered; 2 a line is no event (what stands before it was
sent).
"""

import argparse
import datetime
import functools
import sys
import time

from confluent_kafka import KafkaException, Producer
from google.protobuf import json_format
from headroom.v1 import events_pb2, types_pb2

# The body's field in `Event`, and its topic. The last two are broadcast: they belong to no account.
TOPICS = {
    "order": "orders.v1",
    "repayment": "repayments.v1",
    "signal": "signals.v1",
    "account": "accounts.v1",
    "promotion": "promotions.v1",
    "market": "promotions.v1",
    "control": "control.v1",
}
BROADCAST = {"promotion", "market", "control"}
# CloudEvents wants a source; this one stands for none.
NO_SOURCE = "/"


def story():
    """An account opens, buys, pays, and is found on a fraud list: Headroom blocks it."""
    account = f"DEMO-{int(time.time())}"
    now = datetime.datetime.now(datetime.timezone.utc)
    bodies = [
        ("account", {"opened": {"segment": "SEGMENT_CONSUMER", "currency": "CNY", "base": 1_000_000}}),
        ("order", {"kind": "KIND_PLACED", "order_id": "O1", "currency": "CNY", "amount": 250_000, "hold": 250_000}),
        ("order", {"kind": "KIND_PAID", "order_id": "O1", "currency": "CNY", "amount": 250_000, "hold_released": 250_000, "captured": 250_000}),
        ("repayment", {"currency": "CNY", "payment_posted": {"payment_id": "P1", "amount": 100_000}}),
        ("signal", {"name": "fraud.list_hit", "bool_value": True}),
    ]
    for number, (field, body) in enumerate(bodies):
        at = now + datetime.timedelta(milliseconds=number)
        envelope = {"event_id": f"{account}-{number}", "source": "story", "account_id": account, "occurred_at": at.isoformat(timespec="milliseconds")}
        yield number + 1, json_format.ParseDict(envelope | {field: body}, events_pb2.Event())


def events_of(path):
    """Number and event of each line. Raises ValueError with the number of a line that is no event."""
    with sys.stdin if path == "-" else open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                event = json_format.Parse(line, events_pb2.Event())
            except json_format.ParseError as error:
                raise ValueError(f"{path}:{number}: no event: {error}") from None
            if event.WhichOneof("body") is None:
                raise ValueError(f"{path}:{number}: the event has no body")
            if not event.account_id and event.WhichOneof("body") not in BROADCAST:
                raise ValueError(f"{path}:{number}: the event names no account")
            yield number, event


def record_of(event, prefix):
    """The event as a record: what `Producer.produce` takes."""
    field = event.WhichOneof("body")
    body = getattr(event, field)
    known = event.recorded_at if event.HasField("recorded_at") else event.occurred_at
    return {
        "topic": prefix + TOPICS[field],
        "key": (event.promotion.promotion_id or event.account_id).encode() or None,
        "value": body.SerializeToString(),
        # When it became known. Brokers of a production installation put their own time in its place.
        "timestamp": known.ToMilliseconds(),
        "headers": envelope_of(event, body),
    }


def envelope_of(event, body):
    """The rest of the event as CloudEvents attributes; the last three only where they say something."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event.event_id,
        "ce_type": body.DESCRIPTOR.full_name,
        "ce_source": event.source or NO_SOURCE,
        "ce_time": event.occurred_at.ToJsonString(),
        "content-type": "application/protobuf",
    }
    if event.HasField("recorded_at"):
        headers["ce_recordedat"] = event.recorded_at.ToJsonString()
    if event.provenance:
        headers["ce_provenance"] = types_pb2.Provenance.Name(event.provenance).removeprefix("PROVENANCE_").lower()
    if event.time_precision:
        headers["ce_timeprecision"] = types_pb2.TimePrecision.Name(event.time_precision).removeprefix("TIME_PRECISION_").lower()
    return headers


class Upstream:
    """Sends events and keeps count of what the brokers said to each."""

    def __init__(self, brokers, prefix, verbose):
        self.prefix, self.verbose = prefix, verbose
        self.delivered, self.failed = 0, 0
        self.producer = Producer({
            "bootstrap.servers": brokers,
            # A retry after a lost answer stores nothing twice, and never changes the order within a partition.
            "enable.idempotence": True,
            # Every publisher must find the same partition for an account: that of Kafka's Java client.
            "partitioner": "murmur2_random",
            "linger.ms": 5,
            "compression.type": "zstd",
            # How long a topic may be unknown before its records count as not delivered.
            "topic.metadata.propagation.max.ms": 5_000,
            # The bound of what waits here; `send` then waits too.
            "queue.buffering.max.messages": 20_000,
            "queue.buffering.max.kbytes": 65_536,
        })

    def send(self, event):
        record = record_of(event, self.prefix)
        on_delivery = functools.partial(self.report, event.event_id)
        while True:
            try:
                self.producer.produce(**record, on_delivery=on_delivery)
            except BufferError:
                self.producer.poll(1.0)
            else:
                self.producer.poll(0)
                return

    def report(self, name, error, message):
        """The brokers' answer to one record."""
        where = f"{message.topic()}[{message.partition()}]"
        if error is not None:
            self.failed += 1
            print(f"not delivered: {name} to {where}: {error.str()}", file=sys.stderr)
            return
        self.delivered += 1
        if self.verbose:
            print(f"{where}@{message.offset()} {name}")

    def finish(self):
        """Waits for every answer. The client gives up by itself after `delivery.timeout.ms`, five minutes."""
        while self.producer.flush(1.0) > 0:
            progress(self)


def progress(upstream):
    if sys.stderr.isatty():
        print(f"\r{upstream.delivered} delivered, {len(upstream.producer)} under way ", end="", file=sys.stderr)


def send_all(upstream, events, rate):
    started = time.monotonic()
    for sent, (_, event) in enumerate(events, start=1):
        upstream.send(event)
        if sent % 1000 == 0:
            progress(upstream)
        if rate:
            upstream.producer.poll(max(0.0, started + sent / rate - time.monotonic()))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", help="events, one a line; - is standard input; without: a short story")
    parser.add_argument("--brokers", required=True, help="host:port, with commas")
    parser.add_argument("--topic-prefix", default="headroom.", help="what topics' names begin with")
    parser.add_argument("--rate", type=float, default=0, help="events a second; 0: as fast as it goes")
    parser.add_argument("--verbose", action="store_true", help="print where each record went")
    return parser.parse_args()


def main():
    options = arguments()
    upstream = Upstream(options.brokers, options.topic_prefix, options.verbose or not options.file)
    status = 0
    try:
        send_all(upstream, events_of(options.file) if options.file else story(), options.rate)
    except ValueError as error:
        print(error, file=sys.stderr)
        status = 2
    except OSError as error:
        print(f"cannot read `{options.file}`: {error.strerror}", file=sys.stderr)
        status = 2
    upstream.finish()
    print(f"{upstream.delivered} delivered, {upstream.failed} not", file=sys.stderr)
    return status or (1 if upstream.failed else 0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KafkaException as error:
        sys.exit(f"kafka: {error.args[0].str()}")
    except KeyboardInterrupt:
        sys.exit(130)
