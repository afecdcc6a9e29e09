# Sourced by the Makefile and by .ci/run, so that both build the same way.
# C++ goes through ccache where it exists: RocksDB is then compiled once per machine, not once per target folder.
if command -v ccache >/dev/null 2>&1; then
  export CC="ccache cc" CXX="ccache c++"
  export CCACHE_MAXSIZE="${CCACHE_MAXSIZE:-5G}" CCACHE_SLOPPINESS=time_macros CCACHE_NOHASHDIR=1
fi
