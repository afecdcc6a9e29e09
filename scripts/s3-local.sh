#!/usr/bin/env bash
# Serves S3 on a free port of this machine, for tests: moto, in a Python environment that is made once.
# `s3-local.sh` makes sure that it is there, and ends with 77 where it cannot be installed.
# `s3-local.sh serve` prints its address and serves until stdin ends: whoever started it and dies takes it along.
set -euo pipefail

MOTO_VERSION=5.2.5
HOME_OF_MOTO=${HOME:?}/.cache/headroom-tools/moto-$MOTO_VERSION
SKIPPED=77
TRIES=300   # tenths of a second for the server to start

install_moto() {
  echo "installing moto $MOTO_VERSION, once, into $HOME_OF_MOTO" >&2
  rm -rf "$HOME_OF_MOTO"
  python3 -m venv "$HOME_OF_MOTO" >&2 &&
    "$HOME_OF_MOTO/bin/pip" install --quiet --disable-pip-version-check "moto[s3]==$MOTO_VERSION" flask==3.1.3 flask-cors==6.0.5 >&2 &&
    touch "$HOME_OF_MOTO/complete"
}

# One at a time; the mark says that the environment is whole.
make_sure() {
  local lock
  mkdir -p "$(dirname "$HOME_OF_MOTO")"
  exec {lock}>"$HOME_OF_MOTO.lock"
  flock "$lock"
  [ -f "$HOME_OF_MOTO/complete" ] || install_moto || exit "$SKIPPED"
  exec {lock}>&-
}

serve() {
  local log server address=
  log=$(mktemp)
  PYTHONUNBUFFERED=1 "$HOME_OF_MOTO/bin/moto_server" -H 127.0.0.1 -p 0 >"$log" 2>&1 </dev/null &
  server=$!
  # shellcheck disable=SC2064  # the values of now
  trap "kill $server 2>/dev/null; rm -f '$log'" EXIT
  for _ in $(seq "$TRIES"); do
    address=$(sed -n 's/.* Running on \(http:[^ ]*\).*/\1/p' "$log")
    [ -z "$address" ] || break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  if [ -z "$address" ]; then
    cat "$log" >&2
    exit 1
  fi
  echo "$address"
  cat >/dev/null
}

make_sure
[ "${1:-}" != serve ] || serve
