#!/usr/bin/env bash
# Shows Headroom at work in under a minute: a Double-11 story that is checked, real orders, a made-up season.
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
  "$HEADROOM" account show --data-dir "$STORY.data" M2 >"$STORY.M2.account.txt"
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
  echo "(its identity and its limit, in fen; windows, streaks, and timers follow)"
  awk '/^money:/ { exit } /./ { print blank "  " $0; blank = ""; next } { blank = "\n" }' "$STORY.M1.account.txt"
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

season() {
  heading "3. A made-up season: $SEASON_ACCOUNTS accounts, $SEASON_DAYS days"
  local began took events
  shown generate --accounts "$SEASON_ACCOUNTS" --days "$SEASON_DAYS" --seed 11 --output "$OUT/season.pb" >"$OUT/season.generate.txt"
  began=${EPOCHREALTIME/[.,]/}
  shown run --rules rules --events "$OUT/season.pb" --data-dir "$OUT/season.data" --out "$OUT/season.changes.pb" \
    >"$OUT/season.run.txt"
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

finish() {
  local command=${HEADROOM/#"${HOME:-/nowhere}"/\~}
  heading "Done in $SECONDS s"
  cat <<TEXT
Files, in $PWD/$OUT/
  double11.changes.ndjson   every output of the story (its input: examples/double11.ndjson)
  retail.changes.ndjson     every output of the retail set
  season.changes.pb         every output of the season
  *.data                    the stores, for \`account show\` and \`account dump\`

Try next$([ "$started_in" = "$PWD" ] || echo ", in $PWD")
  $command changes show $OUT/season.changes.pb --details | less
  $command rules explain promo_compensation
  $command explain FRAUD_LIST_HIT
TEXT
  [ "$failed" = 0 ] || { echo; echo "${red}$failed of the story's checks failed${plain}" >&2; exit 1; }
}

rm -rf "${PWD:?}/$OUT"
mkdir -p "$OUT"
story
retail
season
finish
