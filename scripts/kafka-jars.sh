#!/usr/bin/env bash
# Fetches a Kafka broker as its published jars, once, with Maven, and prints where it is.
# The folder: $HEADROOM_KAFKA_HOME, else one in the cache of tools. Made beside it and moved there in one piece.
set -euo pipefail
cd "$(dirname "$0")/.."

KAFKA_VERSION=4.1.0
HOME_OF_KAFKA=${HEADROOM_KAFKA_HOME:-${HOME:?}/.cache/headroom-tools/kafka-$KAFKA_VERSION}

is_complete() { [ -f "$HOME_OF_KAFKA/jars/kafka_2.13-$KAFKA_VERSION.jar" ]; }

need() {
  command -v "$1" >/dev/null 2>&1 && return
  echo "kafka-jars: \`$1\` is not here; scripts/setup.sh tests installs it" >&2
  exit 1
}

# The classes of a started broker, as one file that Java maps into memory: a start then takes half as long.
# Only a convenience: with another Java, or without it, the broker starts all the same.
archive_classes() {
  local run
  run=$(mktemp -d)
  if ! PORT=$((20000 + RANDOM % 10000)) KAFKA_JAVA_OPTIONS="-XX:ArchiveClassesAtExit=$HOME_OF_KAFKA/classes.jsa" \
      scripts/kafka-local.sh start "$run" >&2 || ! scripts/kafka-local.sh stop "$run" >&2; then
    echo "kafka-jars: the broker did not start, so its classes are not archived:" >&2
    tail -n 5 "$run/broker.log" >&2 || true
  fi
  rm -rf "$run"
}

fetch() {
  need java
  need mvn
  local parent
  parent=$(dirname "$HOME_OF_KAFKA")
  mkdir -p "$parent"
  new=$(mktemp -d "$parent/kafka-new.XXXXXX")
  trap 'rm -rf "$new"' EXIT   # moved away by then, if all went well
  echo "kafka-jars: fetching Kafka $KAFKA_VERSION, once, into $HOME_OF_KAFKA" >&2
  mvn --batch-mode --quiet -Dstyle.color=never --file deploy/kafka-local/pom.xml org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    "-DoutputDirectory=$new/jars" -DincludeScope=runtime >&2
  install_at "$new"
}

# Another run may have been faster: then its folder stands. One that is not complete makes way.
install_at() {
  local lock
  exec {lock}>"$(dirname "$HOME_OF_KAFKA")/kafka.lock"
  flock "$lock"
  is_complete && return
  rm -rf "$HOME_OF_KAFKA"
  mv -T "$1" "$HOME_OF_KAFKA"
  # The archive knows the jars by their whole paths, so it is made in place.
  archive_classes
}

is_complete || fetch
echo "$HOME_OF_KAFKA"
