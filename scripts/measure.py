#!/usr/bin/env python3
"""Prints what the embedded service does on this machine: durable appends over HTTP, files through `run`, opening,
bytes per account, memory, and the latency of events with and without a sweep beside them.

Needs the built binary (`make build`; HEADROOM=FILE names another). Works in a folder of its own and removes it.
Arguments choose parts: run open http sweep. Without any, all run. `ACCOUNTS` (1,000,000) and `MANY` (10,000,000) set sizes.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ACCOUNTS = int(os.environ.get("ACCOUNTS", 1_000_000))
MANY = int(os.environ.get("MANY", 10_000_000))
SETTINGS = ["--set", "log.time=recorded"]


def binary():
    named = os.environ.get("HEADROOM")
    if named:
        return named
    metadata = subprocess.check_output(
        ["cargo", "metadata", "--no-deps", "--format-version", "1", "--locked"], cwd=ROOT
    )
    return os.path.join(json.loads(metadata)["target_directory"], "release", "headroom")


HEADROOM = binary()


def say(name, value, unit="", goal=""):
    text = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
    print(f"  {name:<58} {text:>14} {unit:<10} {goal}", flush=True)


def headroom(*arguments):
    """One command to its end: its result, its seconds, and the most memory it had resident (MiB)."""
    started = time.monotonic()
    process = subprocess.Popen([HEADROOM, "--quiet", "--format", "json", *arguments], stdout=subprocess.PIPE)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"measure: `headroom {' '.join(arguments)}` ended with status {status}")
    return json.loads(text), time.monotonic() - started, usage.ru_maxrss / 1024


class Service:
    """A served data directory."""

    def __init__(self, data, *settings):
        started = time.monotonic()
        command = [HEADROOM, "serve", "--data-dir", data, "--listen", "127.0.0.1:0", *SETTINGS, *settings]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.url = None
        for line in self.process.stderr:
            if "serving on " in line:
                self.url = line.split("serving on ")[1].strip()
                break
        if self.url is None:
            sys.exit("measure: the service did not start")
        # Whoever does not read its log would stop it.
        self.drain = subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=subprocess.DEVNULL)
        while self.get("/readyz")[0] != 200:
            time.sleep(0.002)
        self.opening = time.monotonic() - started

    def get(self, path):
        try:
            with urllib.request.urlopen(self.url + path) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def post(self, lines):
        request = urllib.request.Request(
            self.url + "/v1/events?wait=decided&verdicts=rejected",
            data=("\n".join(lines) + "\n").encode(),
            headers={"content-type": "application/x-ndjson"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def resident(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            kib = next(line for line in status if line.startswith("VmHWM")).split()[1]
        return int(kib) / 1024

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()
        self.drain.wait()


def send(service, path, *arguments):
    return headroom("send", path, "--server", service.url, *arguments)[0]


def season(folder, accounts, days):
    path = os.path.join(folder, f"season-{accounts}-{days}.pb")
    if not os.path.exists(path):
        headroom("generate", "--accounts", str(accounts), "--days", str(days), "--seed", "1", "--output", path)
    return path


def run_season(folder, path):
    data = path + ".data"
    result, seconds, memory = headroom(
        "run", "--rules", os.path.join(ROOT, "rules"), "--events", path, "--data-dir", data, "--out", path + ".out.pb"
    )
    return data, result, seconds, memory


def part_run(folder):
    print("headroom run, from protobuf, fsync")
    data, result, seconds, memory = run_season(folder, season(folder, ACCOUNTS, 1))
    say("events", result["events"])
    say("accounts", result["accounts"])
    say("events a second", result["events"] / seconds, "", "goal 150,000")
    say("bytes an account, one-day season", result["bytes_per_account"], "bytes", "goal 400")
    say("most memory resident", memory, "MiB")
    _, result, _, _ = run_season(folder, season(folder, 2_000, 200))
    say("bytes an account, 2,000 accounts x 200 days", result["bytes_per_account"], "bytes", "goal 400")
    return data


def part_open(folder):
    print("opening")
    for accounts in (ACCOUNTS, MANY):
        data = os.path.join(folder, f"season-{ACCOUNTS}-1.pb.data")
        if accounts != ACCOUNTS or not os.path.exists(data):
            data = opened(folder, accounts)
        service = Service(data)
        say(f"{accounts:,} accounts, stopped in peace before", service.opening, "s", "goal 2")
        service.post([event(f"k{at}", f"M{at}", order(at)) for at in range(5_000)])
        service.end(signal.SIGKILL)
        service = Service(data)
        say(f"{accounts:,} accounts, killed before", service.opening, "s", "goal 2")
        say(f"{accounts:,} accounts, memory resident", service.resident(), "MiB")
        service.end()


AT = "2025-11-10T11:00:00Z"


def event(name, account, body, at=AT):
    return f'{{"event_id":"{name}","source":"measure","account_id":"{account}","occurred_at":"{at}",{body}}}'


def order(number):
    return (
        f'"order":{{"kind":"KIND_PLACED","order_id":"x{number}","side":"SIDE_BUYER","currency":"CNY",'
        '"amount":"100","hold":"100"}'
    )


def opened(folder, accounts, enrol=False):
    """A data directory of accounts that were opened, and enrolled if asked."""
    path = os.path.join(folder, f"opened-{accounts}-{enrol}.ndjson")
    opening = '"account":{"opened":{"segment":"SEGMENT_MERCHANT_KEY","tier":"TIER_GOLD","currency":"CNY","base":"100000000"}}'
    enrolling = '"account":{"promotion_enrolled":{"promotion_id":"double11","forecast_daily":"300000000","currency":"CNY"}}'
    with open(path, "w", encoding="ascii") as file:
        if enrol:
            file.write(promotion("KIND_ANNOUNCED", "2025-11-01T00:00:00Z") + "\n")
        for at in range(accounts):
            file.write(event(f"o{at}", f"M{at}", opening, "2025-11-09T00:00:00Z") + "\n")
            if enrol:
                file.write(event(f"e{at}", f"M{at}", enrolling, "2025-11-09T00:00:00Z") + "\n")
    data, _, _, _ = run_season(folder, path)
    os.remove(path)
    return data


def promotion(kind, at):
    return (
        f'{{"event_id":"{kind}","source":"measure","occurred_at":"{at}","promotion":{{"kind":"{kind}",'
        '"promotion_id":"double11","start":"2025-11-10T12:00:00Z","end":"2025-11-11T16:00:00Z"}}'
    )


def part_http(folder):
    print("durable appends over HTTP, fsync, 8 connections, 1,000 records a request")
    path = season(folder, 100_000, 1)
    for encoding in ("ndjson", "protobuf"):
        service = Service(os.path.join(folder, f"http-{encoding}"))
        result = send(service, path, "--encoding", encoding, "--connections", "8", "--records-per-request", "1000")
        say(f"{encoding}: records", result["records"])
        say(f"{encoding}: records a second", float(result["accepted_per_s"]))
        say(f"{encoding}: memory resident", service.resident(), "MiB")
        service.end()


def part_sweep(folder):
    print(f"a promotion's start over {ACCOUNTS:,} enrolled accounts, 2,000 events a second beside it, waiting for decisions")
    service = Service(opened(folder, ACCOUNTS, enrol=True))
    # What falls due between the enrolments and the orders falls due now, not while something is measured.
    service.post([event("before", "M0", order("before"))])
    latencies = {}
    for name in ("without", "with"):
        path = os.path.join(folder, f"orders-{name}.ndjson")
        at = AT if name == "without" else "2025-11-10T12:00:01Z"
        with open(path, "w", encoding="ascii") as file:
            for number in range(40_000):
                file.write(event(f"{name}{number}", f"M{number * 7919 % ACCOUNTS}", order(f"{name}{number}"), at) + "\n")
        if name == "with":
            service.post([promotion("KIND_STARTED", "2025-11-10T12:00:00Z")])
            say("rows swept before the first order", swept(service))
        options = ["--rate", "2000", "--records-per-request", "4", "--connections", "8", "--wait", "decided"]
        result = send(service, path, *options)
        latencies[name] = result["request_latency_us"]
        for percentile in ("p50", "p99", "p99_9", "max"):
            say(f"{name} a sweep: {percentile}", result["request_latency_us"][percentile] / 1000, "ms")
        say(f"{name} a sweep: rows swept by the last order", swept(service))
    say("p99 with a sweep : without", latencies["with"]["p99"] / latencies["without"]["p99"], "x", "goal 2")
    service.end()


def swept(service):
    lines = service.get("/metrics")[1].decode().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("headroom_sweep_rows_total"))


def main():
    parts = {"run": part_run, "open": part_open, "http": part_http, "sweep": part_sweep}
    wanted = sys.argv[1:] or list(parts)
    unknown = [name for name in wanted if name not in parts]
    if unknown:
        sys.exit(f"measure: no part `{unknown[0]}`; there are: {' '.join(parts)}")
    folder = tempfile.mkdtemp(prefix="headroom-measure-")
    try:
        for name in wanted:
            parts[name](folder)
    finally:
        shutil.rmtree(folder)


main()
