#!/usr/bin/env bash
# Measures the Kafka node beside a raw passthrough, in one run on one broker from Kafka's published jars:
#   scripts/measure-kafka.sh [throughput|latency|shards …] [--times N] [--accounts N] [--set kafka.x=y] …
#   scripts/measure-kafka.sh --tiny      each once and small, for its assertions; CI runs this, and looks at no figure
# HEADROOM=FILE names another binary than the one that is built. Measure on a quiet machine: it prints the load.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/env.sh
. scripts/env.sh

TINY=(--accounts 300 --days 10 --times 0 --rate 1000 --seconds 3 --shards 2)

cargo build --release --locked -p headroom -p headroom-benches --bins
scripts/kafka-jars.sh >/dev/null
target=$(cargo metadata --no-deps --format-version 1 --locked | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
arguments=("$@")
if [ "${1:-}" = --tiny ]; then arguments=("${TINY[@]}" "${@:2}"); fi
exec "$target/release/kafka" run --headroom "${HEADROOM:-$target/release/headroom}" "${arguments[@]}"
