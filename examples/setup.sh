#!/usr/bin/env bash
# Makes the examples' Python environment, once, and prints its interpreter:
#   "$(examples/setup.sh)" examples/producer/producer.py --help
# The environment lies in the cache of tools, named by what it is made of. In it are the pinned packages and the Python
# modules made of proto/ (package headroom.v1); nothing generated lies in the repository.
set -euo pipefail
cd "$(dirname "$0")/.."

TOOLS=${HOME:?}/.cache/headroom-tools
made_of=$(cat examples/requirements.txt examples/setup.sh proto/headroom/v1/*.proto | sha256sum | cut -c1-16)
venv=$TOOLS/examples-$made_of

make() {
  echo "examples: making the Python environment, once, in $venv" >&2
  rm -rf "$venv"
  python3 -m venv "$venv" >&2
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement examples/requirements.txt >&2
  local packages
  packages=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  "$venv/bin/python" -m grpc_tools.protoc --proto_path=proto --python_out="$packages" proto/headroom/v1/*.proto >&2
  touch "$venv/ready"
}

mkdir -p "$TOOLS"
exec {lock}>"$TOOLS/examples.lock"
flock "$lock"
[ -f "$venv/ready" ] || make
echo "$venv/bin/python"
