#!/usr/bin/env bash
# A Kafka broker for one person on one machine, from the jars that scripts/kafka-jars.sh fetches.
#   scripts/kafka-local.sh start DIR [name=value …]   starts it with its data in DIR, prints its address when it is ready;
#                                                     PORT chooses the port (default 9092, controller one above)
#   scripts/kafka-local.sh stop DIR                   stops it; the data stays
set -euo pipefail

KAFKA_VERSION=4.1.0
SOURCES=$(cd "$(dirname "$0")/../deploy/kafka-local" && pwd)
HOME_OF_KAFKA=${HEADROOM_KAFKA_HOME:-${HOME:?}/.cache/headroom-tools/kafka-$KAFKA_VERSION}
STARTED='Kafka Server started'

fail() { echo "kafka-local: $*" >&2; exit 1; }
usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }

java_with_kafka() {   # folder, then arguments of java; takes the place of this process
  local dir=$1 archive=$HOME_OF_KAFKA/classes.jsa
  shift
  local options=(-Xmx768m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile=$dir/log4j2.properties")
  [ ! -f "$archive" ] || options+=(-Xshare:auto "-XX:SharedArchiveFile=$archive")
  local jars
  jars=$(printf '%s\n' "$HOME_OF_KAFKA"/jars/*.jar | LC_ALL=C sort | paste -s -d:)
  # shellcheck disable=SC2086  # several words, or none
  exec ${IN_A_SESSION:-} java "${options[@]}" ${KAFKA_JAVA_OPTIONS:-} -cp "$jars" "$@"
}

# A process of that number that is a broker on this folder.
is_running() { [ -f "$1/pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$(cat "$1/pid")/cmdline" | grep -qF "$1/server.properties"; }

write_settings() {   # folder, then name=value …
  local dir=$1 port=${PORT:-9092}
  shift
  cp "$SOURCES/log4j2.properties" "$dir/log4j2.properties"
  {
    cat "$SOURCES/server.properties"
    echo "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))"
    echo "advertised.listeners=PLAINTEXT://127.0.0.1:$port"
    echo "controller.quorum.voters=1@127.0.0.1:$((port + 1))"
    echo "log.dirs=$dir/data"
    [ $# = 0 ] || printf '%s\n' "$@"
  } >"$dir/server.properties"
  echo "127.0.0.1:$port" >"$dir/bootstrap"
}

random_id() { head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '='; }

format() {
  [ -f "$1/data/meta.properties" ] || (KAFKA_JAVA_OPTIONS='' java_with_kafka "$1" kafka.tools.StorageTool format \
    -t "A$(random_id | cut -c2-)" -c "$1/server.properties") >"$1/format.log" 2>&1 || fail "cannot format: see $1/format.log"
}

wait_until_ready() {   # folder
  local deadline=$((SECONDS + 60))
  until grep -q "$STARTED" "$1/broker.log"; do
    kill -0 "$(cat "$1/pid")" 2>/dev/null || fail "the broker ended: see $1/broker.log"
    [ "$SECONDS" -lt "$deadline" ] || fail "the broker was not ready in 60 s: see $1/broker.log"
    sleep 0.05
  done
}

start() {
  local dir
  [ -d "$HOME_OF_KAFKA/jars" ] || fail "no Kafka here: run scripts/kafka-jars.sh"
  mkdir -p "$1"
  dir=$(cd "$1" && pwd)
  ! is_running "$dir" || fail "a broker runs on $dir already"
  shift
  write_settings "$dir" "$@"
  format "$dir"
  : >"$dir/broker.log"
  # A session of its own: it stays when the terminal goes, until `stop`.
  (IN_A_SESSION=setsid java_with_kafka "$dir" kafka.Kafka "$dir/server.properties" >"$dir/broker.log" 2>&1 </dev/null) &
  echo $! >"$dir/pid"
  wait_until_ready "$dir"
  cat "$dir/bootstrap"
}

stop() {
  local dir pid deadline=$((SECONDS + 40))
  dir=$(cd "$1" && pwd) || fail "no folder \`$1\`"
  if ! is_running "$dir"; then
    echo "no broker runs on $dir"
    return
  fi
  pid=$(cat "$dir/pid")
  kill -TERM "$pid"
  while is_running "$dir"; do
    [ "$SECONDS" -lt "$deadline" ] || { kill -KILL "$pid"; echo "it did not stop by itself in 40 s and was killed" >&2; break; }
    sleep 0.1
  done
  rm -f "$dir/pid"
}

[ $# -ge 2 ] || usage
case $1 in
  start) shift; start "$@" ;;
  stop) stop "$2" ;;
  *) usage ;;
esac
