# shellcheck shell=bash
# Sourced by the Makefile's scripts and by .ci/run, so that both build the same way.
# C++ goes through ccache where it exists: RocksDB is then compiled once per machine, not once per target folder.
if command -v ccache >/dev/null 2>&1; then
  export CC="ccache cc" CXX="ccache c++"
  export CCACHE_MAXSIZE="${CCACHE_MAXSIZE:-5G}" CCACHE_SLOPPINESS=time_macros CCACHE_NOHASHDIR=1
fi

# Rustup looks for toolchains in $HOME. Where HOME is another (an empty one, in CI), they stay beside the cargo in PATH.
headroom_find_rustup() {
  local cargo home
  cargo=$(command -v cargo) || return 0
  home=$(dirname "$(dirname "$(dirname "$cargo")")")
  if [ -z "${RUSTUP_HOME:-}" ] && [ ! -d "${HOME:-}/.rustup" ] && [ -d "$home/.rustup" ]; then
    export RUSTUP_HOME="$home/.rustup"
  fi
}
headroom_find_rustup
unset -f headroom_find_rustup
