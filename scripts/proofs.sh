#!/usr/bin/env bash
# What the first release promises, shown on real data and on a made-up season: one line each, with its figures.
# Needs the built binary. Data: HEADROOM_DATA, else ../shared/data; without them the samples of examples/data are used,
# except in CI (CI=true), where their absence is a failure.
# shellcheck disable=SC2317  # proofs are called by name
set -euo pipefail
cd "$(dirname "$0")/.."

BINARY=${CARGO_TARGET_DIR:-target}/release/headroom
DATA=${HEADROOM_DATA:-../shared/data}
RETAIL=$DATA/uci_online_retail.csv.gz
CARDS=$DATA/uci_credit_card_default_ids_1_20000.csv.gz
BLOCKED_SHARE_MAX_PER_MILLE=5   # of Online Retail accounts: a rule that stops more would stop trade
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

passed=0
failed=0
full=yes

ok() { passed=$((passed + 1)); echo "ok    $*"; }
bad() { failed=$((failed + 1)); echo "FAIL  $*"; }

# A proof is a function that prints its figures and whose status says whether it holds.
prove() {   # name, function, arguments
  local name=$1 figures status
  shift
  set +e
  figures=$(set -e; "$@" 2>"$WORK/stderr")
  status=$?
  set -e
  if [ "$status" = 0 ]; then ok "$name: $figures"; else bad "$name: $figures $(tail -n 5 "$WORK/stderr")"; fi
}

headroom() { "$BINARY" --quiet --format json "$@"; }

# Runs event files over a data directory: the summary goes to NAME.json, outputs to NAME.ndjson.
# The loss of power is not what is shown here, and synced commits of single records would take minutes.
run() {   # name, batch records, event files…
  local name=$1 batch=$2
  shift 2
  headroom run --rules rules --data-dir "$WORK/$name.db" --out "$WORK/$name.ndjson" --batch-records "$batch" \
    --durability process --events "$@" >"$WORK/$name.json"
}

field() { python3 "$WORK/tell.py" field "$WORK/$1.json" "$2"; }

same() {   # field, names of runs…
  local key=$1 first other name
  shift
  first=$(field "$1" "$key")
  for name in "${@:2}"; do
    other=$(field "$name" "$key")
    [ "$first" = "$other" ] || { echo "$key of $1 is $first, of $name $other"; return 1; }
  done
}

cat >"$WORK/tell.py" <<'PYTHON'
"""Small questions about JSON files; every answer is one line, a false claim is exit code 1."""
import json, sys


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def body(output):
    return next(iter(output.values()))


def place_stripped(outputs):
    """Where a record stood is of its file, not of the decision."""
    for output in outputs:
        trigger = body(output).get("trigger", {})
        for key in ("input", "partition", "offset"):
            trigger.pop(key, None)
        for key in ("position", "input", "partition", "offset", "original", "encoding"):
            output.get("dead_letter", {}).pop(key, None)
    return outputs


def by_instant(outputs):
    """Accounts that decide at one instant may come in any order, but each in its own."""
    def key(output):
        inner = body(output)
        trigger = inner.get("trigger", {})
        return (trigger.get("at") or inner.get("created_at") or inner.get("at"), inner.get("account_id", ""))
    return sorted(outputs, key=key)


def field(path, key):
    value = json.load(open(path, encoding="utf-8"))[key]
    print(value)


def imported(path):
    told = json.load(open(path, encoding="utf-8"))
    refused = sum(told["refused"].values())
    print(f'{told["rows"]:,} rows = {told["rows_used"]:,} used + {refused:,} refused,',
          f'{sum(told["events"].values()):,} events')
    assert told["rows"] == told["rows_used"] + refused > 0


def attacked(events, outputs, account, order):
    mine = [body(each) for each in lines(outputs) if "limit_change" in each]
    frozen = [each for each in mine if each["account_id"] == account and each["trigger"].get("event_id") == order]
    assert frozen, f"no change of {account} was made by order {order}"
    block = frozen[0]["block"]
    assert block["ceiling_after"] == "0" and frozen[0]["after"].get("spendable", "0") == "0", block
    at = frozen[0]["effective_at"]
    own = [each for each in lines(events) if each["account_id"] == account and "order" in each]
    placed = [each for each in own if each["event_id"] == order]
    assert placed and placed[0]["occurred_at"] == at, "the freeze is not at the order's own time"
    gone = [each["occurred_at"] for each in own
            if each["order"]["kind"] == "KIND_CANCELLED" and each["occurred_at"] > at]
    assert gone, "the order was never cancelled"
    print(f'{account} by order {order} at {at} ({", ".join(frozen[0]["reasons"])}), cancelled at {gone[0]}')


def blocked(summary, outputs, per_mille):
    accounts = json.load(open(summary, encoding="utf-8"))["accounts"]
    changes = [each["limit_change"] for each in lines(outputs) if "limit_change" in each]
    ever = {each["account_id"] for each in changes
            if each["kind"] == "KIND_BLOCK_CHANGED" and "scope_after" in each["block"]}
    print(f"{len(ever)} of {accounts:,} accounts, {100 * len(ever) / accounts:.2f} %")
    assert ever and 1000 * len(ever) <= int(per_mille) * accounts


def equal(*paths):
    first, *others = [place_stripped(lines(path)) for path in paths]
    for path, other in zip(paths[1:], others):
        assert first == other, f"{path} differs"
    print(f"{len(first):,} outputs")


def equal_by_instant(*paths):
    first, *others = [by_instant(place_stripped(lines(path))) for path in paths]
    for path, other in zip(paths[1:], others):
        assert first == other, f"{path} differs"
    print(f"{len(first):,} outputs")


def repeated(first, second):
    """Only what tells of the run itself may differ: how many records were new, how the files lie on the disk."""
    one, two = (json.load(open(path, encoding="utf-8")) for path in (first, second))
    assert two["new_events"] == 0, two["new_events"]
    for told in (one, two):
        del told["new_events"], told["file_bytes"]
    assert one == two, {key for key in one if one[key] != two[key]}


def recorded(event):
    return event.get("recorded_at") or event["occurred_at"]


def split(path, how, left, right):
    """By account: broadcasts and the accounts with an even sum of bytes to the left. By time: before the middle."""
    raw = open(path, encoding="utf-8").readlines()
    middle = recorded(json.loads(raw[len(raw) // 2]))
    counts = [0, 0]
    with open(left, "w", encoding="utf-8") as one, open(right, "w", encoding="utf-8") as two:
        for line in raw:
            event = json.loads(line)
            if how == "time":
                side = int(recorded(event) >= middle)
            else:
                side = sum(event.get("account_id", "").encode()) % 2
            counts[side] += 1
            (one, two)[side].write(line)
    print(f"{counts[0]:,} + {counts[1]:,} records")
    assert min(counts) > 0


def nearly_all_fired(coverage, rules):
    silent = json.load(open(coverage, encoding="utf-8"))["rules_never_fired"]
    told = [f"{each['rule']} (stopped by {each['stopped_by']})" for each in silent]
    print(f"{int(rules) - len(silent)} of {rules}; never: " + ("; ".join(told) or "none"))
    assert int(rules) == 50 and len(silent) <= 3, "fewer than 47"


globals()[sys.argv[1]](*sys.argv[2:])
PYTHON

tell() { python3 "$WORK/tell.py" "$@"; }

# ---------------------------------------------------------------------------------------------------- inputs

find_data() {
  if [ -f "$RETAIL" ] && [ -f "$CARDS" ]; then return; fi
  if [ "${CI:-}" = true ]; then
    bad "data: \`$DATA\` does not hold both sets; HEADROOM_DATA says where they are"
    finish
  fi
  echo "skip  \`$DATA\` does not hold both sets (HEADROOM_DATA): the samples stand in for them"
  full=no
  RETAIL=examples/data/online-retail-sample.csv
  CARDS=examples/data/credit-card-default-sample.csv
}

imports() {   # name, mapping, file
  headroom import --mapping "mappings/$2.yaml" --input "$3" --output "$WORK/$1.ndjson" >"$WORK/$1.import.json"
  tell imported "$WORK/$1.import.json"
}

runs() {   # name, event file
  run "$1" 5000 "$2"
  echo "$(field "$1" events) events, $(field "$1" accounts) accounts, changes $(field "$1" changes)"
  [ "$(field "$1" dead_letters)" = "{}" ]
}

seasons() {
  headroom generate --accounts 200 --days 200 --seed 7 --output "$WORK/season.in.ndjson" >"$WORK/season.made.json"
  headroom generate --accounts 200 --days 200 --seed 7 --output "$WORK/season.in.pb" >/dev/null
  echo "$(field season.made events) events, $(field season.made duplicates) twice, $(field season.made late) late"
}

# ---------------------------------------------------------------------------------------------------- proofs

attack() { tell attacked "$WORK/retail.in.ndjson" "$WORK/retail.ndjson" "$1" "$2"; }

batches() {   # name, event file
  local size
  for size in 1 7 1000; do run "$1.by$size" "$size" "$2"; done
  same state_digest "$1.by1" "$1.by7" "$1.by1000"
  same outputs_digest "$1.by1" "$1.by7" "$1.by1000"
  echo "$(field "$1.by1" events) events, outputs_digest $(field "$1.by1" outputs_digest | cut -c 1-16)"
}

orders_of_files() {   # by account or by time; the whole file was run as season.by1000
  local how=$1 left=$WORK/$1.left.ndjson right=$WORK/$1.right.ndjson parts outputs
  parts=$(tell split "$WORK/season.in.ndjson" "$how" "$left" "$right")
  run "$how.one" 1000 "$left" "$right"
  run "$how.two" 1000 "$right" "$left"
  same state_digest season.by1000 "$how.one" "$how.two"
  same outputs_digest "$how.one" "$how.two"
  outputs=$(tell equal_by_instant "$WORK/season.by1000.ndjson" "$WORK/$how.one.ndjson")
  echo "$parts, $outputs"
}

one_after_the_other() {   # the parts by time, in two runs over one data directory
  run after 1000 "$WORK/time.left.ndjson"
  run after 1000 "$WORK/time.left.ndjson" "$WORK/time.right.ndjson"
  same state_digest season.by1000 after
  same outputs_digest time.one after
  echo "$(field after new_events) of $(field after events) events in the second run"
}

again() {   # name, event file, what happened to the output file in between
  local name=$1 before
  before=$(field "$name" outputs_digest)
  cp "$WORK/$name.ndjson" "$WORK/$name.kept"
  cp "$WORK/$name.json" "$WORK/$name.first.json"
  "$3" "$WORK/$name.ndjson"
  run "$name" 5000 "$2"
  cmp "$WORK/$name.kept" "$WORK/$name.ndjson"
  tell repeated "$WORK/$name.first.json" "$WORK/$name.json"
  cp "$WORK/$name.first.json" "$WORK/$name.json"
  echo "$(wc -l <"$WORK/$name.kept") outputs, digest ${before:0:16}"
}
untouched() { :; }
longer() { printf '{"half":"a li' >>"$1"; }
shorter() { truncate -s -100 "$1"; }
deleted() { rm "$1"; }

encodings() {
  run season.pb 1000 "$WORK/season.in.pb"
  same state_digest season.by1000 season.pb
  tell equal "$WORK/season.by1000.ndjson" "$WORK/season.pb.ndjson"
}

nearly_every_rule_fires() {
  headroom generate --accounts 1000 --days 460 --seed 12 --output "$WORK/large.in.pb.zst" >/dev/null
  headroom rules coverage --rules rules --events "$WORK/large.in.pb.zst" >"$WORK/coverage.json"
  tell nearly_all_fired "$WORK/coverage.json" "$(find rules -name '*.rule.yaml' -o -name '*.table.yaml' | wc -l)"
}

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && exit 0
  exit 1
}

[ -x "$BINARY" ] || { echo "no binary at \`$BINARY\`: cargo build --release -p headroom" >&2; exit 1; }
find_data
prove "import of Online Retail" imports retail.in uci-online-retail "$RETAIL"
prove "import of credit card default" imports cards.in uci-credit-card-default "$CARDS"
prove "run of Online Retail" runs retail "$WORK/retail.in.ndjson"
prove "run of credit card default" runs cards "$WORK/cards.in.ndjson"
prove "attack order frozen" attack 12346 541431
prove "attack order frozen" attack 16446 581483
if [ "$full" = yes ]; then
  prove "ever blocked, at most 0.$BLOCKED_SHARE_MAX_PER_MILLE %" \
    tell blocked "$WORK/retail.json" "$WORK/retail.ndjson" "$BLOCKED_SHARE_MAX_PER_MILLE"
fi
prove "small season" seasons
prove "batches of 1, 7 and 1,000 of Online Retail" batches retail "$WORK/retail.in.ndjson"
prove "batches of 1, 7 and 1,000 of the season" batches season "$WORK/season.in.ndjson"
prove "two files by account, in both orders" orders_of_files account
prove "two files by time, in both orders" orders_of_files time
prove "two files by time, one run after the other" one_after_the_other
prove "second run changes nothing" again cards "$WORK/cards.in.ndjson" untouched
prove "output file with half a line too much" again retail "$WORK/retail.in.ndjson" longer
prove "output file cut short" again retail "$WORK/retail.in.ndjson" shorter
prove "output file deleted" again retail "$WORK/retail.in.ndjson" deleted
prove "JSON and protobuf alike" encodings
prove "season of 1,000 accounts and 460 days fires nearly every rule" nearly_every_rule_fires
finish
