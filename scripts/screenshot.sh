#!/usr/bin/env bash
# Opens a page in Chromium, checks it, and takes a picture: scripts/screenshot.sh PAGE.html OUT.png
# OUT.png is the light page; OUT.dark.png, OUT.narrow.png and OUT.pdf lie beside it. Status 77: there is no Chromium here.
set -euo pipefail
PLAYWRIGHT_VERSION=1.65.1   # drives the browser; fetched once and kept
TOOLS=${HOME:?}/.cache/headroom-tools/playwright-$PLAYWRIGHT_VERSION
CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
MISSING=77

[ $# = 2 ] || { echo "usage: scripts/screenshot.sh PAGE.html OUT.png" >&2; exit 2; }
page=$(realpath "$1")
out=$(realpath -m "$2")
checks=$(realpath "$(dirname "$0")/screenshot.js")

if [ ! -x "$CHROMIUM" ] || ! command -v npm >/dev/null 2>&1; then
  echo "screenshot: Chromium and npm are needed; as root, run: apt-get install -y chromium npm" >&2
  exit "$MISSING"
fi
if [ ! -d "$TOOLS/node_modules/playwright-core" ]; then
  echo "screenshot: fetching playwright-core $PLAYWRIGHT_VERSION, once, into $TOOLS" >&2
  mkdir -p "$TOOLS"
  npm install --prefix "$TOOLS" --no-audit --no-fund --silent "playwright-core@$PLAYWRIGHT_VERSION" >&2 || {
    rm -rf "$TOOLS"
    echo "screenshot: playwright-core could not be fetched" >&2
    exit "$MISSING"
  }
fi
NODE_PATH="$TOOLS/node_modules" CHROMIUM="$CHROMIUM" node "$checks" "$page" "$out"
