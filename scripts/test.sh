#!/usr/bin/env bash
# Everything that CI runs, one step after the other; stops at the first that fails.
# Arguments choose steps by name: `scripts/test.sh format clippy`. Without any, all run.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/env.sh
. scripts/env.sh

TOOLS=${HOME:?}/.cache/headroom-tools
DENY_VERSION=0.20.2   # compiled once and kept: it builds for minutes
SKIPPED=77            # a step's status where it could not run and need not
STEPS=(format clippy build unit licences contracts rules-check rules-test benches proofs demo kafka-demo)

step_format() { cargo fmt --all --check; }
step_clippy() { cargo clippy --release --workspace --all-targets --locked -- -D warnings; }
# One selection for all steps: with another, cargo would choose other features and build the libraries again.
step_build() { cargo build --release --workspace --all-targets --locked; }
# The scenarios run here too: they are tests of the crates that drive them.
step_unit() { cargo test --release --workspace --locked --no-fail-fast; }
step_rules-check() { headroom rules check rules && headroom rules fmt rules --check && headroom rules conflicts rules; }
step_rules-test() { headroom rules test rules && headroom rules mutate rules; }
step_proofs() { scripts/proofs.sh; }
step_contracts() { HEADROOM=$(headroom_path) scripts/contracts.sh; }

# A small season, and the page of it as a browser shows it.
step_demo() {
  local status=0
  HEADROOM=$(headroom_path) SEASON_ACCOUNTS=500 DEMO_KEEP=0 scripts/demo.sh
  scripts/screenshot.sh demo-out/season.html demo-out/season.png || status=$?
  [ "$status" != "$SKIPPED" ] || [ "${CI:-}" = true ] || echo "the page is not looked at"
  [ "$status" != "$SKIPPED" ] || [ "${CI:-}" != true ] || status=1
  return "$status"
}

# Each benchmark once, for its assertions; `make bench` measures.
step_benches() {
  cargo test --release --workspace --locked --bench '*'
  if has_kafka; then scripts/measure-kafka.sh --tiny; fi
}

# Two nodes, a ledger and a death, with a small season.
step_kafka-demo() {
  has_kafka || return "$SKIPPED"
  HEADROOM=$(headroom_path) SEASON_ACCOUNTS=600 SEASON_DAYS=30 RATE=1500 scripts/kafka-demo.sh
}

# With CI=true a broker that cannot be had is a failure.
has_kafka() {
  if scripts/kafka-jars.sh >/dev/null; then return 0; fi
  [ "${CI:-}" != true ] || exit 1
  echo "without Kafka's jars there is no broker"
  return 1
}

step_licences() {
  local deny
  if deny=$(cargo_deny); then
    "$deny" --locked check bans licenses sources
  elif [ "${CI:-}" = true ]; then
    echo "cargo-deny $DENY_VERSION could not be installed" >&2
    return 1
  else
    echo "cargo-deny $DENY_VERSION is not here and could not be installed: licences are not checked"
    return "$SKIPPED"
  fi
}

# Prints where cargo-deny is; installs it where it is not.
cargo_deny() {
  if [ -x "$TOOLS/bin/cargo-deny" ]; then
    echo "$TOOLS/bin/cargo-deny"
  elif ! command -v cargo-deny; then
    echo "installing cargo-deny $DENY_VERSION, once, into $TOOLS" >&2
    CARGO_TARGET_DIR="$TOOLS/build" cargo install cargo-deny --quiet --version "=$DENY_VERSION" --locked --root "$TOOLS" >&2 || return 1
    rm -rf "$TOOLS/build"
    echo "$TOOLS/bin/cargo-deny"
  fi
}

# The binary that was built, wherever cargo keeps it.
headroom_path() {
  local target
  target=$(cargo metadata --no-deps --format-version 1 --locked | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
  echo "$target/release/headroom"
}
headroom() { "$(headroom_path)" "$@"; }

passed=0
skipped=()
started=$SECONDS

finish() {   # number of failed steps
  if [ "${#skipped[@]}" -gt 0 ]; then echo "skipped: ${skipped[*]}"; fi
  echo "total $((SECONDS - started)) s"
  echo "$passed passed, $1 failed"
}

run_step() {
  local name=$1 began=$SECONDS status
  declare -F "step_$name" >/dev/null || { echo "no step \`$name\`; there are: ${STEPS[*]}" >&2; exit 2; }
  echo "=== $name"
  # In a shell of its own, and not in an `if`, where `set -e` would not hold.
  set +e
  (set -e; "step_$name")
  status=$?
  set -e
  case $status in
    0) passed=$((passed + 1)); echo "=== $name ok, $((SECONDS - began)) s" ;;
    "$SKIPPED") skipped+=("$name"); echo "=== $name skipped" ;;
    *)
      echo "=== $name FAILED after $((SECONDS - began)) s; the steps after it were not run"
      finish 1
      exit 1
      ;;
  esac
}

for step in "${@:-${STEPS[@]}}"; do run_step "$step"; done
finish 0
