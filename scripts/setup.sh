#!/usr/bin/env bash
# Makes sure that the build's tools are there: Debian packages (installs what is missing) and the Rust toolchain (says how).
# With the argument `tests` also what only tests need.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted_packages() {
  printf '%s\n' clang libclang-dev libssl-dev libz3-dev pkg-config libzstd-dev zlib1g-dev cmake ccache make python3
  # On any Debian these two come from somewhere already; a bare image may lack them.
  command -v c++ >/dev/null 2>&1 || echo g++
  command -v git >/dev/null 2>&1 || echo git
}

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing_packages() {
  local package
  wanted_packages | while read -r package; do is_installed "$package" || echo "$package"; done
}

# The words before apt-get, where this user may install: nothing for root, sudo for others.
become_root() {
  if [ "$(id -u)" = 0 ]; then
    echo env
  elif command -v sudo >/dev/null 2>&1; then
    if [ -t 0 ]; then echo sudo; else echo "sudo -n"; fi   # without a terminal sudo cannot ask for a password
  else
    return 1
  fi
}

install_packages() {
  local root log
  root=$(become_root) || return 1
  echo "setup: installing $*"
  log=$(mktemp)
  # shellcheck disable=SC2086  # two words, or one
  if { $root apt-get update -q && $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } \
      </dev/null >"$log" 2>&1; then
    rm -f "$log"
  else
    tail -n 5 "$log" >&2
    rm -f "$log"
    return 1
  fi
}

check_packages() {
  if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "setup: not a Debian system; the build needs what these packages hold: $(wanted_packages | xargs)" >&2
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -gt 0 ] || return 0
  install_packages "${missing[@]}" && return 0
  echo "setup: these Debian packages are missing and could not be installed: ${missing[*]}" >&2
  echo "setup: as root, run: apt-get update && apt-get install -y ${missing[*]}" >&2
  exit 1
}

wanted_rust() { sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml; }

no_rust() {
  echo "setup: $1" >&2
  if command -v rustup >/dev/null 2>&1; then
    echo "setup: run: rustup toolchain install $(wanted_rust) --profile minimal --component rustfmt --component clippy" >&2
  else
    echo "setup: install rustup (https://rustup.rs, or your distribution's package), open a new shell, and run this again" >&2
  fi
  exit 1
}

# Rustup takes the version from rust-toolchain.toml; a compiler from elsewhere may be newer, not older.
check_rust() {
  local wanted found
  wanted=$(wanted_rust)
  if ! command -v cargo >/dev/null 2>&1 || ! command -v rustc >/dev/null 2>&1; then
    no_rust "no Rust toolchain found: cargo and rustc are not in PATH"
  fi
  found=$(rustc --version 2>/dev/null | cut -d' ' -f2) || found=
  [ -n "$found" ] || no_rust "Rust $wanted, which rust-toolchain.toml names, is not installed"
  [ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ] || no_rust "Rust $wanted or later is needed, found $found"
  cargo --version >/dev/null 2>&1 || no_rust "cargo is there but does not start"
}

# What only tests need: without it their steps say so and are skipped, with CI=true they fail.
check_test_packages() {
  command -v dpkg-query >/dev/null 2>&1 || return 0
  local wanted=(chromium strace python3-venv) missing=() package
  command -v npm >/dev/null 2>&1 || wanted+=(npm)
  # Kafka's broker runs from its jars.
  command -v java >/dev/null 2>&1 || wanted+=(openjdk-17-jre-headless)
  command -v mvn >/dev/null 2>&1 || wanted+=(maven)
  for package in "${wanted[@]}"; do is_installed "$package" || missing+=("$package"); done
  [ "${#missing[@]}" -gt 0 ] || return 0
  install_packages "${missing[@]}" \
    || echo "setup: for all tests these Debian packages are needed and could not be installed: ${missing[*]}" >&2
}

check_packages
if [ "${1:-}" = tests ]; then
  check_test_packages
  scripts/kafka-jars.sh >/dev/null || echo "setup: without Kafka's jars the tests with a broker are skipped" >&2
fi
# shellcheck source=scripts/env.sh
. scripts/env.sh
check_rust
