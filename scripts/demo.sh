#!/usr/bin/env bash
# Shows Headroom at work in about a minute: a Double-11 story that is checked, real orders, a made-up season whose end
# goes to a served instance over HTTP, and a page about all of it. The instance stays for whoever sits at a terminal
# (DEMO_KEEP=1: in any case; DEMO_KEEP=0 or CI=true: never).
# Needs the built binary (`make demo` builds it; HEADROOM=FILE names another). Writes to demo-out/ only.
# shellcheck disable=SC2016   # dollars in single quotes are those of awk
set -euo pipefail
export LC_ALL=C   # awk and sort behave alike everywhere
started_in=$PWD
cd "$(dirname "$0")/.."

SEASON_ACCOUNTS=${SEASON_ACCOUNTS:-5000}
SEASON_DAYS=${SEASON_DAYS:-90}
ONLINE_RETAIL=${ONLINE_RETAIL:-}   # the full set as CSV, where it is at hand
ZONE=Asia/Shanghai
SURGE=2025-11-10T20:05:00+08:00
LIST_HIT=2025-11-10T21:00:00+08:00
SEASON_OVER=2025-11-13T00:00:00+08:00   # 24 hours after the promotion's end
OUT=demo-out
STORY=$OUT/double11

# The binary that was built, wherever cargo keeps it.
find_headroom() {
  local target=${CARGO_TARGET_DIR:-}
  if [ -z "$target" ]; then
    target=$(cargo metadata --no-deps --format-version 1 --locked 2>/dev/null | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p') || target=
  fi
  echo "${target:-target}/release/headroom"
}

HEADROOM=${HEADROOM:-$(find_headroom)}
HEADROOM=${HEADROOM#"$PWD"/}
if [ ! -x "$HEADROOM" ]; then
  echo "demo: there is no \`$HEADROOM\`; run: make demo" >&2
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

# Shows a command, then does it; its result may go elsewhere.
exec 3>&1
shown() {
  echo "\$ headroom $*" | awk -F ' --' '
    { line = $1; for (at = 2; at <= NF; at++) {
        if (length(line) + length($at) > 108) { print line " \\"; line = "   " }
        line = line " --" $at
      }
      print line }' >&3
  "$HEADROOM" --quiet "$@"
}

# One section of a printed result, without its heading.
section() { awk -v name="$1:" '$0 == name { on = 1; next } on && /^$/ { exit } on' "$2"; }

# One value of a printed result.
value() { awk -v name="$1" '$1 == name { print $2; exit }' "$2"; }

# Lines side by side, read downwards.
in_columns() {   # number, width of each
  awk -v columns="$1" -v width="$2" '
    { line[NR] = $0 }
    END {
      rows = int((NR + columns - 1) / columns)
      for (row = 1; row <= rows; row++) {
        text = ""
        for (at = row; at <= NR; at += rows) text = text sprintf("%-" width "s", line[at])
        sub(/ +$/, "", text)
        print text
      }
    }'
}

# Changes of an output file, one a line: time, account, kind, limit, percent of granted, reason, rule, trigger.
changes() { "$HEADROOM" changes show "$@" | sed -n '/^  time  /d; s/^  //p'; }

failed=0

# Whether an awk program that reads changes ends with status 0; `after` is the limit afterwards in percent of granted.
check() {   # file, what is claimed, awk program
  if awk -F '  +' -v surge="$SURGE" -v hit="$LIST_HIT" -v over="$SEASON_OVER" \
      '{ split($5, percent, " "); after = percent[3] + 0 } '"$3" "$1"; then
    echo "  ${green}ok${plain}    $2"
  else
    echo "  ${red}FAIL${plain}  $2"
    failed=$((failed + 1))
  fi
}

check_story() {
  changes "$STORY.changes.ndjson" --zone "$ZONE" --account M1 >"$STORY.M1.txt"
  changes "$STORY.changes.ndjson" --zone "$ZONE" --account M2 >"$STORY.M2.txt"
  "$HEADROOM" account show --all --data-dir "$STORY.data" M2 >"$STORY.M2.account.txt"
  check "$STORY.run.txt" "all $(wc -l <examples/double11.ndjson) events were taken: no duplicate, no dead letter" '
    /^(duplicates +0|dead_letters +none)$/ { fine++ } END { exit fine != 2 }'
  check "$STORY.M1.txt" "M1 is frozen by the surge of 20:05: ceiling 0" '
    $1 == surge && /ORDER_VOLATILITY/ && /→ 0.00 CNY/ && after == 0 { fine++ } END { exit fine != 1 }'
  check "$STORY.M1.txt" "M1 is restored to at least 80 % in the same decision, with the same event" '
    $1 == surge { if (/PROMOTION_SURGE_EXPLAINED/ && $8 == event && after >= 80) fine++; event = $8 } END { exit fine != 1 }'
  check "$STORY.M1.txt" "M1 is not frozen again: four more orders, until the season is over, change nothing" '
    $1 > surge && $1 < over { bad++ } END { exit bad != 0 || NR == 0 }'
  check "$STORY.M1.txt" "M1 is back to 100 % 24 hours after the promotion's end, and stays there" '
    $1 == over && /WAIVER_ENDED/ && after == 100 { fine++ } $1 > over { bad++ } END { exit fine != 1 || bad != 0 }'
  check "$STORY.M2.txt" "M2 is restored too, until the list hit of 21:00 blocks everything" '
    $1 < hit && /PROMOTION_SURGE_EXPLAINED/ && after >= 80 { good++ }
    $1 == hit && /FRAUD_LIST_HIT/ && after == 0 { fraud++ }
    END { exit good != 1 || fraud != 1 }'
  check "$STORY.M2.txt" "M2 stays at 0: compensation lifts nothing, neither then nor after the season" '
    $1 >= hit && (after > 0 || /PROMOTION_SURGE_EXPLAINED|fraud block lifted/) { bad++ } END { exit bad != 0 || NR == 0 }'
  check "$STORY.M2.account.txt" "M2 still has its fraud block a week later" '
    /^ *fraud  +all  +0 / { fine++ } END { exit fine != 1 }'
}

story() {
  heading "1. Double 11: frozen by the surge, restored at once, whole again after the season"
  cat <<'TEXT'
Two merchants, each with a limit of 1_000_000.00 yuan, sell 400_000.00 a day for five weeks. Both enrol in Double 11
and expect 3_000_000.00 a day. It starts on 10 November at 20:00, and single orders of 2_400_000.00 come in: six times
their best day, as fake sales look. M1 is honest. M2 turns out to stand on a fraud list at 21:00.

TEXT
  shown run --rules rules --events examples/double11.ndjson --until 2025-11-20T00:00:00+08:00 \
    --data-dir "$STORY.data" --out "$STORY.changes.ndjson" >"$STORY.run.txt"
  shown changes show "$STORY.changes.ndjson" --details --zone "$ZONE" | { echo; cat; }
  echo
  echo "${bold}Checked${plain}"
  check_story
  echo
  shown account show --data-dir "$STORY.data" M1 >"$STORY.M1.account.txt"
  echo
  sed 's/./  &/' "$STORY.M1.account.txt"
}

# Accounts that a rule blocked, with the invoice that did it.
blocked() {
  changes "$1" --zone Europe/London | awk -F '  +' '
    BEGIN { printf "  %-26s %-9s %-9s %-28s %s\n", "time", "account", "invoice", "limit", "reason" }
    $8 ~ /^order_placed / && / → 0.00 / {
      count++
      split($8, trigger, " ")
      if (count <= 12) { printf "  %-26s %-9s %-9s %-30s %s\n", $1, $2, trigger[2], $4, $6 }   # the arrow has three bytes
    }
    END { if (count > 12) print "  and " count - 12 " more" }'
}

retail() {
  local input=examples/data/online-retail-sample.csv name="a sample of 298 rows"
  if [ -n "$ONLINE_RETAIL" ]; then input=$ONLINE_RETAIL name="the full set"; fi
  heading "2. Real orders: the Online Retail set ($name)"
  shown import --mapping mappings/uci-online-retail.yaml --input "$input" --output "$OUT/retail.ndjson" >"$OUT/retail.import.txt"
  shown run --rules rules --events "$OUT/retail.ndjson" --data-dir "$OUT/retail.data" --out "$OUT/retail.changes.ndjson" \
    >"$OUT/retail.run.txt"
  printf '\nrows\n  read   %s\n  taken  %s\n' "$(value rows "$OUT/retail.import.txt")" "$(value rows_used "$OUT/retail.import.txt")"
  printf '\n%-38s%s\n' "events by type" "refused rows by reason"
  paste -d '\t' <(section events "$OUT/retail.import.txt") <(section refused "$OUT/retail.import.txt") \
    | awk -F '\t' '{ printf "%-38s%s\n", $1, $2 }'
  printf '\nblocked by an order\n'
  blocked "$OUT/retail.changes.ndjson"
}

# All but the last part for `run`, the rest for HTTP; and three records that are none, for the dead letters.
split_season() {
  local records last order
  records=$(wc -l <"$OUT/season.ndjson")
  last=$((records / 20))
  head -n $((records - last)) "$OUT/season.ndjson" >"$OUT/season.first.ndjson"
  tail -n "$last" "$OUT/season.ndjson" >"$OUT/season.rest.ndjson"
  order=$(grep -m 1 KIND_PLACED "$OUT/season.rest.ndjson")
  {
    echo "${order:0:60}"
    sed 's/"event_id":"/&foreign-/; s/"currency":"CNY"/"currency":"GBP"/' <<<"$order"
    sed 's/"event_id":"/&unknown-/; s/"order":.*/"signal":{"name":"phase.of_the_moon","int_value":"4"}}/' <<<"$order"
  } >"$OUT/broken.ndjson"
  echo "(the last 5 % of its records are kept back for HTTP; three broken ones come on top)"
}

season() {
  heading "3. A made-up season: $SEASON_ACCOUNTS accounts, $SEASON_DAYS days"
  local began took events
  shown generate --accounts "$SEASON_ACCOUNTS" --days "$SEASON_DAYS" --seed 11 --output "$OUT/season.ndjson" >"$OUT/season.generate.txt"
  split_season
  began=${EPOCHREALTIME/[.,]/}
  shown run --rules rules --events "$OUT/season.first.ndjson" "$OUT/broken.ndjson" --data-dir "$OUT/season.data" \
    --out "$OUT/season.changes.pb" --report "$OUT/season.json" >"$OUT/season.run.txt"
  took=$(( (${EPOCHREALTIME/[.,]/} - began) / 1000 + 1 ))
  events=$(value events "$OUT/season.run.txt")
  printf '\nevents by type\n'
  section events_by_type "$OUT/season.generate.txt" | in_columns 3 38
  printf '\nrules that fired\n'
  section fired "$OUT/season.run.txt" | in_columns 3 38
  printf '\nlimit changes by kind\n'
  section changes "$OUT/season.run.txt" | in_columns 3 38
  printf '\nguards that stopped or lowered something\n'
  if grep -q '^guards:' "$OUT/season.run.txt"; then section guards "$OUT/season.run.txt" | in_columns 3 38; else echo "  none"; fi
  printf '\ntotals\n'
  grep -E '^(accounts|offers|reviews|notices|duplicates|dead_letters|compensations_missed|bytes_per_account)  ' "$OUT/season.run.txt" \
    | sed 's/^/  /' | in_columns 3 38
  echo
  printf '  %s%d events/s%s: %s events in %d.%03d s, from the file to decisions synced to disk\n' \
    "$bold" $((${events//_/} * 1000 / took)) "$plain" "$events" $((took / 1000)) $((took % 1000))
}

# Waits until the instance says where it listens, or has died. Sets $address.
await_instance() {
  local log=$OUT/serve.log began=$SECONDS
  until address=$(sed -n 's/^headroom: serving on //p' "$log") && [ -n "$address" ]; do
    if ! kill -0 "$instance" 2>/dev/null || [ $((SECONDS - began)) -gt 60 ]; then
      echo "demo: the instance did not start:" >&2
      cat "$log" >&2
      exit 1
    fi
    sleep 0.1
  done
}

# Ends the instance by its own number.
stop_instance() {
  [ -n "$instance" ] || return 0
  kill "$instance" 2>/dev/null || true
  wait "$instance" 2>/dev/null || true
  instance=
}

# The three questions to the instance, as they can be pasted.
questions() {
  local account event
  # The account that had the most to do: its page has something to tell.
  account=$(changes "$OUT/season.changes.pb" | awk -F '  +' '{ count[$2]++ } END { for (id in count) print count[id], id }' \
    | sort -k1,1nr -k2,2 | awk 'NR == 1 { print $2 }')
  event="{\"event_id\":\"what-if\",\"source\":\"demo\",\"account_id\":\"$account\",\"occurred_at\":\"$(last_time)\",\"signal\":{\"name\":\"fraud.list_hit\",\"bool_value\":true}}"
  cat <<TEXT
curl -s $address/v1/accounts/$account/explain
curl -s '$address/v1/limit-changes?limit=3'
curl -s -H 'content-type: application/json' -d '$event' $address/v1/accounts/$account/what-if
TEXT
}

last_time() { tail -n 1 "$OUT/season.rest.ndjson" | sed 's/.*"occurred_at":"\([^"]*\)".*/\1/'; }

# Asks each question as it is printed, and looks at the answer's status.
check_questions() {
  local line status
  while read -r line; do
    status=$(bash -c "$line -o /dev/null -w '%{http_code}'") || status=none
    if [ "$status" = 200 ]; then
      echo "  ${green}ok${plain}    200 for ${line:0:84}"
    else
      echo "  ${red}FAIL${plain}  $status for $line"
      failed=$((failed + 1))
    fi
  done
}

served() {
  heading "4. The rest of the season over HTTP, and a page about all of it"
  echo "\$ headroom serve --data-dir $OUT/season.data --rules rules --listen 127.0.0.1:0 --set log.time=recorded &"
  # Of its own session: Ctrl-C at the terminal stops the demo, not what it leaves behind.
  setsid "$HEADROOM" --quiet serve --data-dir "$OUT/season.data" --rules rules --listen 127.0.0.1:0 --set log.time=recorded \
    >"$OUT/serve.out" 2>"$OUT/serve.log" </dev/null 3>&- &
  instance=$!
  await_instance
  shown send "$OUT/season.rest.ndjson" --server "$address" --wait decided --records-per-request 50 --format json >"$OUT/season.send.json"
  shown report "$OUT/season.json" --http "$OUT/season.send.json" --out "$OUT/season.html" >"$OUT/season.report.txt"
  echo
  echo "The page: file://$PWD/$OUT/season.html"
  questions >"$OUT/curl.txt"
}

# An earlier demo may have left its instance: it is the process of that number only if it works on our folder.
stop_earlier() {
  local pid
  pid=$(cat "$OUT/serve.pid" 2>/dev/null) || return 0
  if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "--data-dir $OUT/season.data" &&
      [ "$(readlink "/proc/$pid/cwd")" = "$PWD" ]; then
    echo "demo: stopping the instance that the demo before this left running (process $pid)"
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  fi
}

keeps_instance() {
  if [ "${CI:-}" = true ]; then return 1; fi
  case ${DEMO_KEEP:-} in
    1) return 0 ;;
    0) return 1 ;;
    *) [ -t 1 ] ;;
  esac
}

ask() {
  echo
  echo "${bold}Ask the instance${plain}"
  sed 's/^/  /' "$OUT/curl.txt"
  echo
  check_questions <"$OUT/curl.txt"
  echo
  if keeps_instance && [ "$failed" = 0 ]; then
    echo "It runs on, as process $instance. To stop it: kill $instance"
    echo "$instance" >"$OUT/serve.pid"
    instance=
  else
    stop_instance
    echo "It is stopped; DEMO_KEEP=1 leaves it running."
  fi
}

finish() {
  local command=${HEADROOM/#"${HOME:-/nowhere}"/\~}
  heading "Done in $SECONDS s"
  cat <<TEXT
Files, in $PWD/$OUT/
  double11.changes.ndjson   every output of the story (its input: examples/double11.ndjson)
  retail.changes.ndjson     every output of the retail set
  season.html               the page about the season
  season.changes.pb         every output of the season's run
  *.data                    the stores, for \`account show\` and \`account dump\`

Try next$([ "$started_in" = "$PWD" ] || echo ", in $PWD")
  $command changes show $OUT/season.changes.pb --details | less
  $command rules explain promo_compensation
  $command explain FRAUD_LIST_HIT
TEXT
  [ "$failed" = 0 ] || { echo; echo "${red}$failed of the checks failed${plain}" >&2; exit 1; }
}

stop_earlier
instance=
trap stop_instance EXIT
rm -rf "${PWD:?}/$OUT"
mkdir -p "$OUT"
story
retail
season
served
ask
finish
