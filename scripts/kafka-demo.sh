#!/usr/bin/env bash
# Shows Headroom on Kafka in about a minute, all on this machine and without containers: a broker from its published jars,
# two nodes that share the shards, a made-up season that comes through the topics, and a ledger in Python that applies each
# change once. In the middle one node is killed, and the other takes its shards over. It ends by itself and leaves nothing
# running, also when it is interrupted.
# Needs the built binary (`make kafka-demo` builds it; HEADROOM=FILE names another), Java, Maven and Python; what it
# fetches once lies in the cache of tools. Writes to kafka-demo-out/ only.
set -euo pipefail
export LC_ALL=C   # awk and sort behave alike everywhere
cd "$(dirname "$0")/.."

SEASON_ACCOUNTS=${SEASON_ACCOUNTS:-2500}
SEASON_DAYS=${SEASON_DAYS:-30}
RATE=${RATE:-4000}   # events a second
PARTITIONS=4
OUT=kafka-demo-out
PATIENCE=60   # seconds for anything that takes one or two

find_headroom() {
  local target=${CARGO_TARGET_DIR:-}
  if [ -z "$target" ]; then
    target=$(cargo metadata --no-deps --format-version 1 --locked 2>/dev/null | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p') || target=
  fi
  echo "${target:-target}/release/headroom"
}

HEADROOM=${HEADROOM:-$(find_headroom)}
if [ ! -x "$HEADROOM" ]; then
  echo "kafka-demo: there is no \`$HEADROOM\`; run: make kafka-demo" >&2
  exit 1
fi

bold='' green='' red='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi

heading() {
  local line
  printf -v line '%*s' $((100 - ${#1})) ''
  printf '\n%s== %s %s%s\n\n' "$bold" "$1" "${line// /=}" "$plain"
}

fail() {
  echo "${red}kafka-demo: $*${plain}" >&2
  exit 1
}

# Everything that runs beside this script, by process number.
declare -A running=()

end() {   # name, signal
  local pid=${running[$1]:-}
  [ -n "$pid" ] || return 0
  unset "running[$1]"
  kill "-$2" "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

clean_up() {
  local name
  for name in "${!running[@]}"; do end "$name" KILL; done
  if [ -f "$OUT/broker/pid" ]; then scripts/kafka-local.sh stop "$OUT/broker" >/dev/null 2>&1 || true; fi
}

settings=()

# Waits until a command succeeds; a process that must live meanwhile stands before it.
until_so() {   # name of the process, what is waited for, command …
  local name=$1 what=$2 deadline=$((SECONDS + PATIENCE))
  shift 2
  until "$@"; do
    if ! kill -0 "${running[$name]}" 2>/dev/null; then
      tail -n 20 "$OUT/$name.log" >&2
      fail "$name ended before $what"
    fi
    [ "$SECONDS" -lt "$deadline" ] || fail "not in $PATIENCE s: $what"
    sleep 0.1
  done
}

address() { sed -n 's/^headroom: serving on //p' "$OUT/$1.log" 2>/dev/null; }
listens() { [ -n "$(address "$1")" ]; }
ask() { curl -sS --max-time 5 "$(address "$1")$2" 2>/dev/null; }
# Which shards a node serves.
shards() { ask "$1" /readyz | tr '{' '\n' | sed -n 's/.*"shard":\([0-9]*\),.*"state":"serving".*/\1/p' | sort -n | paste -s -d' '; }
serves() { [ "$(shards "$1" | wc -w)" = "$2" ]; }
share() { [ $(($(shards node-1 | wc -w) + $(shards node-2 | wc -w))) = "$PARTITIONS" ] && [ -n "$(shards node-1)" ] && [ -n "$(shards node-2)" ]; }
decided() { ask "$1" /metrics | awk '/^headroom_decided_records_total/ { sum += $2 } END { printf "%d\n", sum }'; }
have_decided() { [ $(($(decided node-1) + $(decided node-2))) -ge "$1" ]; }

start_node() {
  : >"$OUT/$1.log"
  "$HEADROOM" --quiet serve --listen 127.0.0.1:0 --data-dir "$OUT/$1.data" "${settings[@]}" >/dev/null 2>"$OUT/$1.log" &
  running[$1]=$!
  until_so "$1" "$1 listens" listens "$1"
}

start_broker() {
  heading "1. A broker, topics, two nodes"
  scripts/kafka-jars.sh >/dev/null
  # A port that is taken shows when the broker starts.
  local port tries=0
  until port=$((20000 + RANDOM % 10000)) && brokers=$(PORT=$port scripts/kafka-local.sh start "$OUT/broker" 2>"$OUT/broker.err"); do
    tries=$((tries + 1))
    [ "$tries" -lt 3 ] || { cat "$OUT/broker.err" >&2; fail "the broker does not start"; }
    rm -rf "$OUT/broker"
  done
  echo "Kafka is at $brokers, from its published jars."
  settings=(--set "kafka.brokers=$brokers" --set kafka.profile=development --set "kafka.partitions=$PARTITIONS")
  echo "\$ headroom topics create ${settings[*]}"
  "$HEADROOM" --quiet topics create "${settings[@]}" >"$OUT/topics.txt"
  start_node node-1
  start_node node-2
  until_so node-2 "two nodes share the shards" share
  echo "Node 1 (process ${running[node-1]}) serves shards $(shards node-1); node 2 (process ${running[node-2]}) serves $(shards node-2)."
}

start_season() {
  heading "2. A season comes, and a ledger applies what is decided"
  "$HEADROOM" --quiet generate --accounts "$SEASON_ACCOUNTS" --days "$SEASON_DAYS" --seed 11 --output "$OUT/season.ndjson" >/dev/null
  events=$(wc -l <"$OUT/season.ndjson")
  run_ledger --show 2 --snapshot-every 0
  echo "$events events of $SEASON_ACCOUNTS accounts and $SEASON_DAYS days, $RATE a second. The ledger shows two changes a second:"
  echo
  "$HEADROOM" --quiet send --kafka --rate "$RATE" "${settings[@]}" "$OUT/season.ndjson" >"$OUT/send.txt" 2>"$OUT/send.log" &
  running[send]=$!
}

kill_one() {
  local left began
  until_so node-1 "half of the season is decided" have_decided $((events / 2))
  left=$(shards node-1)
  echo
  echo "${bold}kill -9 ${running[node-1]}${plain}: node 1 dies with shards $left; what it had open is aborted, what it had committed stays"
  echo
  began=${EPOCHREALTIME/[.,]/}
  end node-1 KILL
  until_so node-2 "node 2 serves all shards" serves node-2 "$PARTITIONS"
  echo
  echo "Node 2 serves all $PARTITIONS shards after $(((${EPOCHREALTIME/[.,]/} - began) / 1000)) ms; six seconds of them, the group waited for a sign of life."
  echo
}

finish_season() {
  wait "${running[send]}" || { cat "$OUT/send.log" >&2; fail "the season was not sent"; }
  unset "running[send]"
  until_so node-2 "everything is decided" is_over
  # It ends in peace; once more, and it takes what may have been left, and tells what it has. Before, its snapshots would
  # have been of a week that is long over: days go by in a second here.
  end ledger TERM
  run_ledger --until-idle 1 --snapshot-every 60
  wait "${running[ledger]}" || { cat "$OUT/ledger.log" >&2; fail "the ledger raises an alarm"; }
  unset "running[ledger]"
  before=''
  until_so node-2 "the ledger's snapshots are decided" is_over
}

# In $OUT/ledger.log it tells at its end what it did; what it shows goes to the screen.
run_ledger() {
  "$python" -u examples/ledger/ledger.py --brokers "$brokers" --database "$OUT/ledger.sqlite" "$@" \
    > >(sed -u 's/^/  ledger: /') 2>>"$OUT/ledger.log" &
  running[ledger]=$!
}

# All is sent, and for two seconds nothing was left to decide.
is_over() {
  local now
  now=$(decided node-2)
  if [ "$now" != "$before" ]; then
    before=$now since=$SECONDS
    return 1
  fi
  [ $((SECONDS - since)) -ge 2 ]
}
before='' since=0

summary() {
  heading "3. What the ledger knows"
  "$python" examples/ledger/ledger.py --database "$OUT/ledger.sqlite" --dump >"$OUT/ledger.ndjson"
  awk '{ match($0, /"sequence": [0-9]+/); count = substr($0, RSTART + 12, RLENGTH - 12) + 0
         changes += count; accounts += count > 0 }
    END { printf "  %d changes of %d accounts, each applied once and in its order: a gap or a doubled one would have stopped it\n", changes, accounts }' \
    "$OUT/ledger.ndjson"
  awk '/ applied, / { applied += $1; known += $3; told += $(NF - 1) }
    END { printf "  %d applied, %d that it had already, %d snapshots of accounts told to Headroom\n", applied, known, told }' "$OUT/ledger.log"
  check "the ledger raised no alarm" no_alarm
  check "nothing became a dead letter, the ledger's snapshots included" no_dead_letter
  end node-2 TERM
}

no_alarm() { ! grep -q ALARM "$OUT/ledger.log" && grep -q '"sequence": [1-9]' "$OUT/ledger.ndjson"; }
no_dead_letter() { [ "$(ask node-2 /metrics | awk '/^headroom_dead_letters_total/ { sum += $2 } END { print sum + 0 }')" = 0 ]; }

failed=0
check() {   # what is claimed, command …
  local claim=$1
  shift
  if "$@"; then
    echo "  ${green}ok${plain}    $claim"
  else
    echo "  ${red}FAIL${plain}  $claim"
    failed=$((failed + 1))
  fi
}

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
rm -rf "${PWD:?}/$OUT"
mkdir -p "$OUT"
python=$(examples/setup.sh)
SECONDS=0
start_broker
start_season
kill_one
finish_season
summary
clean_up
heading "Done in $SECONDS s"
[ "$failed" = 0 ] || fail "$failed of the checks failed"
