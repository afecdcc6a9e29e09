#!/usr/bin/env bash
# Checks published contracts with other people's tools: docs/openapi.json against the OpenAPI 3.1 specification.
# Ends with 77 where the tool is not here and cannot be installed; with CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

TOOLS=${HOME:?}/.cache/headroom-tools
VALIDATOR_VERSION=0.7.2
SKIPPED=77

# Prints where the validator is; installs it where it is not.
validator() {
  local venv=$TOOLS/openapi-spec-validator-$VALIDATOR_VERSION
  if [ ! -x "$venv/bin/openapi-spec-validator" ]; then
    echo "installing openapi-spec-validator $VALIDATOR_VERSION, once, into $venv" >&2
    rm -rf "$venv"
    python3 -m venv "$venv" >&2 || return 1
    "$venv/bin/pip" install --quiet --disable-pip-version-check "openapi-spec-validator==$VALIDATOR_VERSION" >&2 || { rm -rf "$venv"; return 1; }
  fi
  echo "$venv/bin/openapi-spec-validator"
}

if found=$(validator); then
  "$found" --schema 3.1 docs/openapi.json
elif [ "${CI:-}" = true ]; then
  echo "openapi-spec-validator $VALIDATOR_VERSION could not be installed" >&2
  exit 1
else
  echo "openapi-spec-validator $VALIDATOR_VERSION is not here and could not be installed: docs/openapi.json is not checked"
  exit "$SKIPPED"
fi
